using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Operations;
using Sekisho.Response.Actions;
using Sekisho.Response.Actions.BlockNetwork;
using Sekisho.Response.Actions.HoldCommand;
using Sekisho.Response.Actions.Mail;
using Sekisho.Response.Actions.OrderDevice;
using Sekisho.Response.Actions.Quarantine;
using Sekisho.Response.Actions.ReadOnly;
using Sekisho.Response.Actions.RestrictRate;
using Sekisho.Response.Actions.RotateCredentials;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Actions.SuspendAuthentication;
using Sekisho.Response.Actions.SuspendSim;
using Sekisho.Response.Actions.Ticket;
using Sekisho.Response.Actions.Webhook;
using Sekisho.Response.Changes;
using Sekisho.Response.Emergency;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.OnCall;
using Sekisho.Response.Notification.Webhooks;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;
using Sekisho.Response.Queue;
using Sekisho.Response.Rules;
using Sekisho.Response.Scripts;
using Sekisho.Response.Sim;
using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Response.Soc;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Response.Soc.Sending;
using Sekisho.Response.Soc.Status;
using Sekisho.Response.Soc.Stix;
using Sekisho.Response.Upkeep;
using Sekisho.Storage;

namespace Sekisho.Response;

/// <summary>④ Threat response: what is done about a finding, by whom it was agreed to, and how it is undone.</summary>
public static class ResponseFeature
{
    /// <summary>Registers the stage.</summary>
    public static IServiceCollection AddResponse(this IServiceCollection services)
    {
        services.AddSingleton(typeof(ResponseFeature).Assembly);
        services.AddSingleton(new StageMigrations("Response", typeof(ResponseFeature).Assembly));
        services.AddSettings<LeaseSettings>("Response:Leases");
        services.AddSettings<GuardSettings>("Response:Guard");
        services.AddSettings<IncidentSettings>("Response:Incidents");
        services.AddSettings<NewsSettings>("Response:News");
        services.AddSettings<QuarantineSettings>("Response:Quarantine");
        services.AddSettings<RotationSettings>("Response:Rotation");
        services.AddSettings<RestrictSettings>("Response:Restrict");
        services.AddSettings<MailSettings>("Response:Mail");
        services.AddSettings<SocSettings>("Response:Soc");
        services.AddSettings<OnCallSettings>("Response:OnCall");
        services.AddSettings<WebhookSettings>("Response:Webhook");
        services.AddSettings<LinkSettings>("Response:Links");
        services.AddSettings<NetworkSettings>("Response:Network");
        services.AddSettings<OrderSettings>("Response:Orders");
        services.AddSettings<SimSettings>("Response:Sim");

        // The web host would write whole addresses of requests, and with them the tokens of acknowledgement links.
        services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning));

        services.AddSingleton<LeaseStore>();
        services.AddSingleton<FormerRecipients>();
        services.AddSingleton<NotificationStore>();
        services.AddSingleton<HookStore>();
        services.AddSingleton<BodyValues>();
        services.AddSingleton<ReceiverClient>();
        services.AddSingleton<TicketStore>();
        services.AddSingleton<QueueSignal>();
        services.AddSingleton<GroupStore>();
        services.AddSingleton<MailText>();
        services.AddSingleton<DigestText>();
        services.AddSingleton<OnCallText>();
        services.AddSingleton<AcknowledgeLinks>();
        services.AddSingleton<AcknowledgeDesk>();
        services.AddSingleton<AcknowledgeTools>();
        services.AddSingleton<RequestLimit>();
        services.AddSingleton<IFindingLabelPart, OnCallLabels>();
        services.AddSingleton<MailSender>();

        services.AddSingleton<SimStore>();
        services.AddSingleton<SimCards>();
        services.AddSingleton<SimProviders>();
        services.AddSingleton<SimSwitch>();
        services.AddSingleton<LastReadings>();
        services.AddSingleton<ILaneCommitPart>(provider => provider.GetRequiredService<LastReadings>());
        services.AddSingleton<SimPoller>();
        services.AddHostedService(provider => provider.GetRequiredService<SimPoller>());
        services.AddSingleton<DeletedFields>();
        services.AddHostedService(provider => provider.GetRequiredService<DeletedFields>());

        // One line for each action.
        services.AddSingleton<IResponseAction>(provider => Mail(provider, null));
        services.AddSingleton<IResponseAction>(provider => Mail(provider, RecipientRoles.Administrator));
        services.AddSingleton<IResponseAction>(provider => Mail(provider, RecipientRoles.PersonInCharge));
        services.AddSingleton<IResponseAction, OnCallAction>();
        services.AddSingleton<IResponseAction, WebhookAction>();
        services.AddSingleton<IResponseAction, OpenTicketAction>();
        services.AddSingleton<IResponseAction, RestrictRateAction>();
        services.AddSingleton<IResponseAction, QuarantineAction>();
        services.AddSingleton<IResponseAction, RotateCredentialsAction>();
        services.AddSingleton<IResponseAction, RunScriptAction>();
        services.AddSingleton<IResponseAction, SuspendAuthenticationAction>();
        services.AddSingleton<IResponseAction, HoldCommandAction>();
        services.AddSingleton<IResponseAction, ReadOnlyAction>();
        foreach (var order in DeviceOrder.All)
        {
            services.AddSingleton<IResponseAction>(provider => ActivatorUtilities.CreateInstance<OrderDeviceAction>(provider, order));
        }

        services.AddSingleton<IResponseAction>(provider => Network(provider, NetworkRestriction.Block));
        services.AddSingleton<IResponseAction>(provider => Network(provider, NetworkRestriction.Quarantine));
        services.AddSingleton<IResponseAction>(provider => ActivatorUtilities.CreateInstance<SimAction>(provider, SimOff.Suspend));
        services.AddSingleton<IResponseAction>(provider => ActivatorUtilities.CreateInstance<SimAction>(provider, SimOff.Deactivate));

        services.AddSingleton<CommandWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<CommandWatch>());

        services.AddSingleton<SocStore>();
        services.AddSingleton<SocEvents>();
        services.AddSingleton<SocPorts>();
        services.AddSingleton<SocStatusStore>();
        services.AddSingleton<SocStage>();
        services.AddSingleton<IStage>(provider => provider.GetRequiredService<SocStage>());
        services.AddHostedService(provider => provider.GetRequiredService<SocStage>());

        services.AddSingleton<ScriptStore>();
        services.AddSingleton<DeviceModes>();
        services.AddSingleton<ILaneCommitPart>(provider => provider.GetRequiredService<DeviceModes>());
        services.AddSingleton<RuleStore>();
        services.AddSingleton<LockdownStore>();
        services.AddSingleton<EmergencyDesk>();
        services.AddSingleton<ResponseRules>();
        services.AddSingleton<DryRun>();
        services.AddSingleton<LeaseOrders>();
        services.AddSingleton<Notices>();
        services.AddSingleton<ScriptedResponses>();
        services.AddSingleton<LeaseRunner>();
        services.AddSingleton<ILaneCommitPart, LeaseIntake>();

        // After the responses: what is in force because of a finding is known then.
        services.AddSingleton<IncidentKeys>();
        services.AddSingleton<IncidentStore>();
        services.AddSingleton<IncidentLeases>();
        services.AddSingleton<IncidentSignal>();
        services.AddSingleton<IncidentDesk>();
        services.AddSingleton<IncidentFiles>();
        services.AddSingleton<IncidentRetention>();
        services.AddSingleton<IncidentWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<IncidentWorker>());
        services.AddSingleton<ILaneCommitPart, IncidentIntake>();
        services.AddSingleton<IFindingLabelPart, IncidentLabels>();

        services.AddSingleton<NewsStore>();
        services.AddSingleton<NewsPorts>();
        services.AddSingleton<NewsTeller>();
        services.AddHostedService(provider => provider.GetRequiredService<NewsTeller>());
        services.AddSingleton<ResponseWorker>();
        services.AddSingleton<IStage>(provider => provider.GetRequiredService<ResponseWorker>());
        services.AddHostedService(provider => provider.GetRequiredService<ResponseWorker>());
        return services;
    }

    /// <summary>Maps the stage's routes.</summary>
    public static void MapResponse(this RouteGroups routes)
    {
        LeaseRoutes.Map(routes);
        PreviewRoutes.Map(routes);
        RuleRoutes.Map(routes);
        RuleFileRoutes.Map(routes);
        ScriptRoutes.Map(routes);
        ScriptForceRoutes.Map(routes);
        EmergencyRoutes.Map(routes);
        IncidentRoutes.Map(routes);
        NotificationRoutes.Map(routes);
        AcknowledgeRoutes.Map(routes);
        HookRoutes.Map(routes);
        TicketDeskRoutes.Map(routes);
        SimProviderRoutes.Map(routes);
        SimCardRoutes.Map(routes);
        SocRoutes.Map(routes);
        SocStatusRoutes.Map(routes);
        StixRoutes.Map(routes);
    }

    private static MailAction Mail(IServiceProvider provider, string? role) => ActivatorUtilities.CreateInstance<MailAction>(provider, new MailList(role));

    private static BlockNetworkAction Network(IServiceProvider provider, NetworkRestriction restriction) => ActivatorUtilities.CreateInstance<BlockNetworkAction>(provider, restriction);
}
