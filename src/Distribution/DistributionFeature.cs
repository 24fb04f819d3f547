using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Distribution.Commands;
using Sekisho.Distribution.Connectors.Https;
using Sekisho.Distribution.Facts;
using Sekisho.Distribution.Flow;
using Sekisho.Distribution.Forwarding;
using Sekisho.Distribution.Journal;
using Sekisho.Distribution.Limits;
using Sekisho.Distribution.Mapping;
using Sekisho.Distribution.Refusals;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;
using Sekisho.Storage;

namespace Sekisho.Distribution;

/// <summary>① Data distribution: what comes in is durable before it is acknowledged, and what passed detection reaches its field's cloud.</summary>
public static class DistributionFeature
{
    /// <summary>Registers the stage.</summary>
    public static IServiceCollection AddDistribution(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        var assembly = typeof(DistributionFeature).Assembly;
        services.AddSingleton(assembly);
        services.AddSingleton(new StageMigrations("Distribution", assembly));
        services.AddSingleton(new StageMigrations("Distribution.Journal", assembly, InJournal: true, Folder: "JournalMigrations"));
        services.AddSettings<JournalSettings>("Distribution:Journal");
        services.AddSettings<TickSettings>("Distribution:Ticks");
        services.AddSettings<LimitSettings>("Distribution:Limits");
        services.AddSettings<HttpsSettings>("Distribution:Https");
        services.AddSettings<ForwardingSettings>("Distribution:Forwarding");
        services.AddSettings<CommandSettings>("Distribution:Commands");
        AddJournal(services);
        AddConnector(services);
        AddCommands(services);
        AddForwarding(services);
        return services;
    }

    /// <summary>Maps the stage's routes.</summary>
    public static void MapDistribution(this RouteGroups routes)
    {
        ArgumentNullException.ThrowIfNull(routes);

        // Taken here once: looking services up per request would cost a scope per message.
        var endpoint = ((IEndpointRouteBuilder)routes.Device).ServiceProvider.GetRequiredService<MessagesEndpoint>();
        routes.Device.MapPost("/messages", (RequestDelegate)endpoint.HandleAsync)
            .WithName("SendMessages").WithTags("Distribution").WithSummary("Takes one message (a JSON object) or several (an array of objects); all of them are durable when it answers 202.")

            // The method is what OpenAPI describes the route by; for a plain request delegate nobody else adds it.
            .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status202Accepted), typeof(MessagesEndpoint).GetMethod(nameof(MessagesEndpoint.HandleAsync))!);
        MappingRoutes.Map(routes);
        FlowRoutes.Map(routes);
        SimFactRoutes.Map(routes);
        LimitRoutes.Map(routes);
        ForwardingRoutes.Map(routes);
        CommandRoutes.Map(routes);
        DeviceCommandRoutes.Map(routes);
    }

    private static void AddJournal(IServiceCollection services)
    {
        services.AddSingleton<JournalStore>();
        services.AddSingleton<EventFeed>();
        services.AddSingleton<IEventFeed>(p => p.GetRequiredService<EventFeed>());
        services.AddSingleton<EventJournal>();
        services.AddSingleton<IEventJournal>(p => p.GetRequiredService<EventJournal>());
        services.AddSingleton<IStage>(p => p.GetRequiredService<EventJournal>());
        services.AddSingleton<ILedgerSource, LedgerSource>();
        services.AddHostedService(p => p.GetRequiredService<EventJournal>());
        services.AddHostedService<TickSource>();
    }

    private static void AddConnector(IServiceCollection services)
    {
        services.AddSingleton<TrafficCounters>();
        services.AddSingleton<RefusalCounts>();
        services.AddSingleton<IRefusals>(p => p.GetRequiredService<RefusalCounts>());
        services.AddSingleton<FlowCatalog>();
        services.AddSingleton<IFlowSwitches>(p => p.GetRequiredService<FlowCatalog>());
        services.AddSingleton<ISimFacts, SimFacts>();
        services.AddSingleton<TrafficReports>();
        services.AddSingleton<WireCounting>();
        services.AddSingleton<MappingCatalog>();
        services.AddSingleton<IPayloadMarks>(p => p.GetRequiredService<MappingCatalog>());
        services.AddSingleton<FieldLimits>();
        services.AddSingleton<Restrictions>();
        services.AddSingleton<ITrafficRestrictions>(p => p.GetRequiredService<Restrictions>());
        services.AddSingleton<Admission>();
        services.AddSingleton<IngestPorts>();
        services.AddSingleton<MessagesEndpoint>();
        services.AddHostedService(p => p.GetRequiredService<RefusalCounts>());
        services.AddHostedService(p => p.GetRequiredService<FlowCatalog>());
        services.AddHostedService(p => p.GetRequiredService<TrafficReports>());
        services.AddHostedService(p => p.GetRequiredService<MappingCatalog>());
        services.AddHostedService(p => p.GetRequiredService<FieldLimits>());
        services.AddHostedService(p => p.GetRequiredService<Restrictions>());
    }

    private static void AddCommands(IServiceCollection services)
    {
        services.AddSingleton<CommandLists>();
        services.AddSingleton<CommandStore>();
        services.AddSingleton<CommandPolls>();
        services.AddSingleton<DeviceModes>();
        services.AddSingleton<ILaneCommitPart>(p => p.GetRequiredService<DeviceModes>());
        services.AddSingleton<CommandDesk>();
        services.AddSingleton<IDeviceCommands>(p => p.GetRequiredService<CommandDesk>());
        services.AddSingleton<CommandWorker>();
        services.AddHostedService(p => p.GetRequiredService<CommandLists>());
        services.AddHostedService(p => p.GetRequiredService<DeviceModes>());
        services.AddHostedService(p => p.GetRequiredService<CommandWorker>());
    }

    private static void AddForwarding(IServiceCollection services)
    {
        services.AddSingleton<OutboxStore>();
        services.AddSingleton<DestinationCatalog>();
        services.AddSingleton<Quarantines>();
        services.AddSingleton<ITrafficQuarantine>(p => p.GetRequiredService<Quarantines>());
        services.AddSingleton<ForwardingPorts>();
        services.AddSingleton<Forwarder>();
        services.AddSingleton<IStage>(p => p.GetRequiredService<Forwarder>());
        services.AddSingleton<ILaneCommitPart, OutboxPart>();
        services.AddHostedService(p => p.GetRequiredService<Quarantines>());
        services.AddHostedService(p => p.GetRequiredService<Forwarder>());
    }
}
