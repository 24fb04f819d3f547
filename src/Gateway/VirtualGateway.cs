using Microsoft.Extensions.DependencyInjection;
using Sekisho.Domain.Events;
using Sekisho.Domain.Operations;
using Sekisho.Operations.Accounts;
using Sekisho.Verification.Processes;
using Sekisho.Verification.Time;

namespace Sekisho.Gateway;

/// <summary>
/// A gateway for verification: on free ports of the loopback interface, in a folder that goes with it, under a virtual clock. Nothing else can put a
/// gateway under one.
/// </summary>
public sealed class VirtualGateway : IAsyncDisposable
{
    private readonly string _folder;
    private readonly GatewayHost _host;

    private VirtualGateway(string folder, GatewayHost host, GatewayUnderTest underTest) => (_folder, _host, UnderTest) = (folder, host, underTest);

    /// <summary>What the verification is given of it.</summary>
    public GatewayUnderTest UnderTest { get; }

    /// <summary>Cancelled when the process is asked to end: the host takes the signal.</summary>
    public CancellationToken Stopping => _host.App.Lifetime.ApplicationStopping;

    /// <summary>Starts one.</summary>
    /// <param name="clock">Its clock.</param>
    /// <param name="settings">Settings beside those that every verification needs, "Section:Key=VALUE".</param>
    /// <exception cref="IOException">There is no room for temporary files, or no free port.</exception>
    public static async Task<VirtualGateway> StartAsync(VirtualClock clock, IReadOnlyList<string> settings)
    {
        var folder = Directory.CreateTempSubdirectory("sekisho-verify-").FullName;
        try
        {
            var (devices, management) = (FreePort.Next(), FreePort.Next());
            var options = new StartOptions(Path.Combine(folder, "data"), devices, management, null,
            [
                "Gateway:DeviceAddress=127.0.0.1",
                "Operations:Logging:Level=Error",
                "Operations:Accounts:SessionIdle=12:00:00",

                // The clock stands while the gateway works: it must not wait for time to gather events, and its ticks come when the clock is moved.
                "Detection:Lanes:GatherMs=0",
                "Detection:Lanes:IdleCommit=01:00:00",
                "Distribution:Ticks:Interval=00:01:00",
                "History:Ledger:WatchSeconds=3600",
                .. settings,
            ]);
            var host = await GatewayHost.OpenAsync(options, clock).ConfigureAwait(false);
            await host.App.StartAsync().ConfigureAwait(false);
            var services = host.App.Services;
            return new VirtualGateway(folder, host, new GatewayUnderTest
            {
                Devices = new Uri($"https://localhost:{devices}"),
                Management = new Uri($"https://localhost:{management}"),
                DataFolder = options.DataFolder,
                SetupCode = services.GetRequiredService<FirstStart>().SetupCode!,
                Command = ["dotnet", typeof(VirtualGateway).Assembly.Location],
                Journal = services.GetRequiredService<IEventJournal>(),
                Feed = services.GetRequiredService<IEventFeed>(),
                Stages = [.. services.GetServices<IStage>()],
                Clock = clock,
            });
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.App.StopAsync().ConfigureAwait(false);
        await _host.DisposeAsync().ConfigureAwait(false);
        Directory.Delete(_folder, recursive: true);
    }
}
