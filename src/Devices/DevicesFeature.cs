using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Devices.Access;
using Sekisho.Devices.Binding;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Fields;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;
using Sekisho.Devices.Transfer;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Devices;

/// <summary>Device management: fields, devices, credentials, tokens, bindings, lifecycle.</summary>
public static class DevicesFeature
{
    /// <summary>Registers the stage. It needs <see cref="Databases"/>, the master key, texts, a clock, the journal, refusals and the history.</summary>
    public static IServiceCollection AddDevices(this IServiceCollection services)
    {
        services.AddSettings<BindingSettings>("Devices:Binding");
        services.AddSettings<AttemptSettings>("Devices:Attempts");
        services.AddSingleton(new StageMigrations("Devices", typeof(DevicesFeature).Assembly));
        services.AddSingleton(typeof(DevicesFeature).Assembly);

        services.AddSingleton<Turns>();
        services.AddSingleton<PersonalData>();
        services.AddSingleton<CredentialHashes>();
        services.AddSingleton<ProductLines>();
        services.AddSingleton<FieldStore>();

        services.AddSingleton<DeviceStore>();
        services.AddSingleton<DeviceIndex>();
        services.AddSingleton<IDeviceDirectory>(p => p.GetRequiredService<DeviceIndex>());
        services.AddSingleton<IUniqueIdLookup, UniqueIdLookup>();
        services.AddSingleton<IDeviceMacs, DeviceMacs>();
        services.AddSingleton<DeviceCommits>();
        services.AddSingleton<Registrar>();
        services.AddSingleton<DeviceChanges>();
        services.AddSingleton<DeviceSearch>();
        services.AddSingleton<DeviceViews>();
        services.AddSingleton<ChangeReports>();

        services.AddSingleton<TokenStore>();
        services.AddSingleton<TokenTable>();
        services.AddSingleton<ITokenCheck>(p => p.GetRequiredService<TokenTable>());
        services.AddSingleton<PendingBindings>();
        services.AddSingleton<AttemptLimits>();
        services.AddSingleton<CredentialCheck>();
        services.AddSingleton<Conflicts>();
        services.AddSingleton<BindingDesk>();
        services.AddSingleton<TokenIssue>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<SecretRenewal>();
        services.AddSingleton<ISecretRenewal>(p => p.GetRequiredService<SecretRenewal>());

        services.AddSingleton<StateChanges>();
        services.AddSingleton<IDeviceAccess>(p => p.GetRequiredService<StateChanges>());
        services.AddSingleton<Reissue>();
        services.AddSingleton<Deletion>();
        services.AddSingleton<DeviceImport>();
        services.AddSingleton<DeviceExport>();

        services.AddHostedService<DeviceStart>();
        services.AddHostedService(p => p.GetRequiredService<ChangeReports>());
        services.AddHostedService<BindingWatch>();
        return services;
    }

    /// <summary>Maps the stage's routes.</summary>
    public static void MapDevices(this RouteGroups routes)
    {
        FieldRoutes.Map(routes);
        DeviceRoutes.Map(routes);
        AccessRoutes.Map(routes);
        ProductLineRoutes.Map(routes);
        BindingRoutes.Map(routes);
        TransferRoutes.Map(routes);
        TokenRoutes.Map(routes);
        SecretRoutes.Map(routes);
    }
}
