using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Settings;
using Sekisho.Distribution.Facts;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Gateway.Tls;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Gateway;

/// <summary>A gateway that is ready to run: everything checked, opened and migrated, nothing listening yet.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private readonly FileStream _lock;
    private readonly Databases _databases;

    private GatewayHost(WebApplication app, FileStream @lock, Databases databases, FirstSteps steps) =>
        (App, _lock, _databases, Steps) = (app, @lock, databases, steps);

    /// <summary>The application; run it.</summary>
    public WebApplication App { get; }

    /// <summary>What to tell the person who started it.</summary>
    internal FirstSteps Steps { get; }

    /// <summary>Checks the configuration, opens the data folder and builds the pipeline.</summary>
    /// <param name="options">Command line.</param>
    /// <param name="clock">Time for everything but sockets.</param>
    /// <exception cref="SettingsException">Wrong configuration; every fault is named.</exception>
    /// <exception cref="StorageException">The data cannot be used as it is.</exception>
    /// <exception cref="IOException">The data folder cannot be written or is in use.</exception>
    public static async Task<GatewayHost> OpenAsync(StartOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Sekisho.Gateway" });
        var (configuration, inForce) = Checked(options, builder.Services);
        builder.Configuration.AddConfiguration(configuration);
        var settings = SettingsCatalog.Bound<GatewaySettings>(configuration, "Gateway");

        var data = OpenFolder(options.DataFolder);
        var databases = await OpenDatabasesAsync(SettingsCatalog.Bound<StorageSettings>(configuration, "Storage"), options.DataFolder).ConfigureAwait(false);
        var (key, createdKey) = MasterKey.Find(options.DataFolder, Environment.GetEnvironmentVariable, mayCreate: databases.New);
        await PrepareAsync(databases.All, key, Declared<StageMigrations>(builder.Services), clock).ConfigureAwait(false);
        var authority = PrivateAuthority.Open(options.DataFolder, key, clock);
        var orderKey = OrderKey.Open(options.DataFolder, key);
        var tls = SettingsCatalog.Bound<TlsSettings>(configuration, "Gateway:Tls");
        var certificates = new ServerCertificates(tls, authority, clock);

        var services = builder.Services;
        services.AddSingleton(clock).AddSingleton(databases.All).AddSingleton(key).AddSingleton(inForce);
        services.AddSingleton(new Texts([.. Declared<System.Reflection.Assembly>(services), typeof(Api.Correlation).Assembly, typeof(GatewayHost).Assembly]));
        services.AddSingleton(authority).AddSingleton(certificates);
        services.AddSingleton<ISensorAuthority>(new SensorAuthority(authority, orderKey, settings.SensorPort, clock));

        // Sensors pin the private CA, also where devices and people are shown a certificate from files.
        var forSensors = certificates.FromPrivateAuthority ? certificates : new ServerCertificates(new TlsSettings { Names = tls.Names, Days = tls.Days }, authority, clock);
        services.AddRouting().AddAuthorization().AddOpenApi("v1", ApiDocument.Describe);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.AllowDuplicateProperties = false;
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.SerializerOptions.MaxDepth = 32;
            json.SerializerOptions.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        });
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);

        // A start that fails is said in one sentence by the command; a background service that fails stops the host and is logged as critical.
        services.AddLogging(logging => logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.DrainTime);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().UseSockets(sockets =>
        {
            // What a socket has read or written is worked on where it was found out, instead of being handed to another thread of the pool;
            // and a buffer waits for each connection, instead of a call that asks whether there is something to read before each read.
            sockets.UnsafePreferInlineScheduling = true;
            sockets.WaitForDataBeforeAllocatingBuffer = false;
        }).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = settings.MostConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.MaxRequestBodySize = 8 * 1024 * 1024;
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
            Listen(kestrel, settings.DeviceAddress, options.DevicePort, listen => listen.CountDeviceBytes(), certificates.Configure);
            Listen(kestrel, settings.ManagementAddress, options.ManagementPort, _ => { }, certificates.Configure);
            if (settings.SensorPort != 0)
            {
                Listen(kestrel, settings.DeviceAddress, settings.SensorPort, _ => { }, forSensors.ConfigureForSensors);
            }
        });

        var app = builder.Build();
        Pipeline.Use(app, options.DevicePort, settings.SensorPort);
        Pipeline.MapRoutes(app);
        return new GatewayHost(app, data, databases.All, new FirstSteps(options, createdKey, certificates.FromPrivateAuthority, authority.Fingerprint));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync().ConfigureAwait(false);
        await _databases.State.DisposeAsync().ConfigureAwait(false);
        if (!ReferenceEquals(_databases.State, _databases.Journal))
        {
            await _databases.Journal.DisposeAsync().ConfigureAwait(false);
        }

        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The configuration of all stages, checked; for commands that run no gateway.</summary>
    /// <exception cref="SettingsException">Wrong configuration; every fault is named.</exception>
    internal static (IConfigurationRoot Configuration, IReadOnlyList<SettingInForce> InForce) CheckSettings(StartOptions options) => Checked(options, new ServiceCollection());

    /// <summary>Opens the databases of a data folder. On SQLite journal and state are files of their own.</summary>
    internal static async Task<(Databases All, bool New)> OpenDatabasesAsync(StorageSettings storage, string dataFolder)
    {
        if (storage.Engine == "sqlite")
        {
            var state = Path.Combine(dataFolder, "state.db");
            var isNew = !File.Exists(state);
            return (new Databases(Database.Sqlite(state), Database.Sqlite(Path.Combine(dataFolder, "journal.db"), checkpointPages: 0)), isNew);
        }

        try
        {
            var one = Database.PostgreSql(storage.ConnectionSecret);
            return (new Databases(one, one), await KeyCheck.IsNewAsync(one).ConfigureAwait(false));
        }
        catch (DbException e)
        {
            throw new StorageException($"PostgreSQL cannot be reached with Storage:ConnectionSecret: {e.Message} Start the server, or mend host, database, user and password in it.", e);
        }
    }

    private static (IConfigurationRoot Configuration, IReadOnlyList<SettingInForce> InForce) Checked(StartOptions options, IServiceCollection services)
    {
        Pipeline.AddStages(services);
        services.AddSettings<GatewaySettings>("Gateway").AddSettings<StorageSettings>("Storage").AddSettings<TlsSettings>("Gateway:Tls");
        var (configuration, faults) = options.Configuration();
        if (int.TryParse(configuration["Gateway:SensorPort"], CultureInfo.InvariantCulture, out var port) && (port == options.DevicePort || port == options.ManagementPort))
        {
            faults = [.. faults, $"Gateway:SensorPort = '{port}': sensors need a port of their own; give another than --port and --management-port, or 0 for none."];
        }

        return (configuration, SettingsCatalog.Check(configuration, Declared<SettingsSection>(services), faults));
    }

    private static async Task PrepareAsync(Databases databases, MasterKey key, IReadOnlyList<StageMigrations> stages, TimeProvider clock)
    {
        try
        {
            await KeyCheck.EnsureAsync(databases.State, key).ConfigureAwait(false);
            if (!ReferenceEquals(databases.State, databases.Journal))
            {
                await KeyCheck.EnsureAsync(databases.Journal, key).ConfigureAwait(false);
            }

            await Migrations.ApplyAsync(databases, stages, clock).ConfigureAwait(false);
        }
        catch (DbException e)
        {
            var where = databases.State.File is { } file ? $"The database files in {Path.GetDirectoryName(file)}" : "The PostgreSQL database of Storage:ConnectionSecret";
            throw new StorageException($"{where} cannot be used: {e.Message} Make room, give the gateway's user the right to write there, or restore a backup.", e);
        }
    }

    private static List<T> Declared<T>(IServiceCollection services)
        where T : class => [.. services.Where(s => s.ServiceType == typeof(T)).Select(s => (T)s.ImplementationInstance!)];

    private static FileStream OpenFolder(string folder)
    {
        try
        {
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The data folder {folder} cannot be used: {e.Message} Stop the other gateway that uses it, or make it writable.", e);
        }
    }

    private static void Listen(KestrelServerOptions kestrel, string address, int port, Action<ListenOptions> count, Action<HttpsConnectionAdapterOptions> configure)
    {
        void Options(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            count(listen);
            listen.UseHttps(configure);
        }

        if (address == "*")
        {
            kestrel.ListenAnyIP(port, Options);
        }
        else
        {
            kestrel.Listen(IPAddress.Parse(address), port, Options);
        }
    }
}
