using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Domain.Operations;
using Sekisho.Operations.Access;
using Sekisho.Operations.Accounts;
using Sekisho.Operations.Health;
using Sekisho.Operations.Keys;
using Sekisho.Operations.Logging;
using Sekisho.Operations.Metrics;
using Sekisho.Operations.OperatorAudit;
using Sekisho.Operations.Otlp;
using Sekisho.Operations.Settings;
using Sekisho.Operations.SignIn;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations;

/// <summary>⑧ Operation: who may manage the gateway, what they did, and how it is doing.</summary>
public static class OperationsFeature
{
    /// <summary>Registers the stage.</summary>
    public static IServiceCollection AddOperations(this IServiceCollection services)
    {
        services.AddSettings<AccountSettings>("Operations:Accounts");
        services.AddSettings<LoggingSettings>("Operations:Logging");
        services.AddSettings<OtlpSettings>("Operations:Otlp");
        services.AddSingleton(new StageMigrations("Operations", typeof(OperationsFeature).Assembly));
        services.AddSingleton(typeof(OperationsFeature).Assembly);

        services.AddSingleton<Passwords>().AddSingleton<AccountBook>().AddSingleton<SessionBook>().AddSingleton<KeyBook>();
        services.AddSingleton(p => new SignInLimiter(p.GetRequiredService<TimeProvider>(), p.GetRequiredService<AccountSettings>().SignInDelayMost));
        services.AddSingleton(p => new FirstStart(
            p.GetRequiredService<AccountBook>(), p.GetRequiredService<AccountSettings>(), p.GetRequiredService<MasterKey>(), p.GetRequiredService<TimeProvider>()));
        services.AddAuthentication(Principal.Scheme).AddScheme<AuthenticationSchemeOptions, BearerHandler>(Principal.Scheme, configureOptions: null);

        services.AddSingleton<OperatorAuditLog>().AddSingleton<IOperatorAudit>(p => p.GetRequiredService<OperatorAuditLog>());
        services.AddSingleton<StageBook>();
        services.AddSingleton<Collector>().AddSingleton<StageGauges>().AddSingleton<OtlpExport>().AddSingleton<Telemetry>();
        services.AddHostedService<OperationsStart>();
        AddLogging(services);
        return services;
    }

    /// <summary>Maps the stage's routes.</summary>
    public static void MapOperations(this RouteGroups routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        SetupRoutes.Map(routes);
        SessionRoutes.Map(routes);
        AccountRoutes.Map(routes);
        KeyRoutes.Map(routes);
        AuditRoutes.Map(routes);
        HealthRoutes.Map(routes);
        MetricsRoutes.Map(routes);
        SettingsRoutes.Map(routes);
    }

    private static void AddLogging(IServiceCollection services)
    {
        services.AddLogging(logging => logging
            .AddConsole(console => console.FormatterName = LineFormatter.FormatterName)
            .AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>()

            // The framework's request lines would cost every message an activity and a scope; each stage says itself what matters.
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            .AddFilter("System", LogLevel.Warning));
        services.AddSingleton<IConfigureOptions<LoggerFilterOptions>>(p => new ConfigureOptions<LoggerFilterOptions>(
            filters => filters.MinLevel = Enum.Parse<LogLevel>(p.GetRequiredService<LoggingSettings>().Level)));
    }
}
