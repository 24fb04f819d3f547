using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Detection.Backtest;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Cadence;
using Sekisho.Detection.Conditions.Command;
using Sekisho.Detection.Conditions.Files;
using Sekisho.Detection.Conditions.Frequency;
using Sekisho.Detection.Conditions.Group;
using Sekisho.Detection.Conditions.Hours;
using Sekisho.Detection.Conditions.Identity;
using Sekisho.Detection.Conditions.Malformed;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Conditions.Network;
using Sekisho.Detection.Conditions.Schemas;
using Sekisho.Detection.Conditions.Shapes;
using Sekisho.Detection.Conditions.Silence;
using Sekisho.Detection.Conditions.SimVolume;
using Sekisho.Detection.Conditions.Sources;
using Sekisho.Detection.Conditions.Stuck;
using Sekisho.Detection.Conditions.Timestamps;
using Sekisho.Detection.Conditions.Unregistered;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Scripts;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Operations;
using Sekisho.Domain.Signatures;
using Sekisho.Storage;

namespace Sekisho.Detection;

/// <summary>③ Detection: carries the journal through ordered lanes of conditions, keeps the findings, and knows the templates.</summary>
public static class DetectionFeature
{
    /// <summary>The kinds of conditions that templates may use.</summary>
    internal static readonly IReadOnlyList<ConditionKind> Kinds =
    [
        FrequencyCondition.Kind,
        BurstMetric.Kind,
        CadenceCondition.Kind,
        SilenceCondition.Kind,
        GroupCondition.Kind,
        AttemptsMetric.Kind,
        HoursCondition.Kind,
        NetworkCondition.Kind,
        TimestampCondition.Kind,
        SizeMetric.Kind,
        VolumeMetric.Kind,
        SimVolumeCondition.Kind,
        ValueMetric.Kind,
        SimAddressCondition.Kind,
        SharedSourceCondition.Kind,
        CloneCondition.Kind,
        CloneCadenceCondition.Kind,
        ReplayCondition.Kind,
        CommandCondition.Kind,
        KnownCondition.Fingerprint,
        KnownCondition.Path,
        KnownCondition.Sizes,
        HoneyCondition.Kind,
        ValueRateMetric.Kind,
        StuckCondition.Kind,
        FileTypeCondition.Kind,
        SchemaCondition.Kind,
        ShapeCondition.Kind,
        MalformedCondition.Kind,
        UnregisteredCondition.Kind,
    ];

    /// <summary>Registers the stage. Needs implementations of IEventFeed, IEventJournal, IDeviceDirectory, IFlowSwitches, IHistory, IEventHistory and IPayloadMarks, and takes every ILaneCommitPart in order of registration.</summary>
    public static IServiceCollection AddDetection(this IServiceCollection services)
    {
        services.AddSettings<LaneSettings>("Detection:Lanes");
        services.AddSettings<TemplateSettings>("Detection:Templates");
        services.AddSettings<BacktestSettings>("Detection:Backtest");
        services.AddSettings<ScriptSettings>("Detection:Scripts");
        services.AddSingleton(new StageMigrations("Detection", typeof(DetectionFeature).Assembly));
        services.AddSingleton(typeof(DetectionFeature).Assembly);
        services.AddSingleton(new TemplateReader(Kinds));
        services.AddSingleton(p => TemplateCatalog.Load(p.GetRequiredService<TemplateSettings>().FolderInForce, p.GetRequiredService<TemplateReader>()));
        services.AddSingleton<RevisionStore>().AddSingleton<TemplateStore>().AddSingleton<TemplateSigner>();
        services.AddSingleton<FieldPlans>();
        services.AddSingleton<IResponseBindings>(p => p.GetRequiredService<FieldPlans>());
        services.AddSingleton<SubjectKeys>();
        services.AddSingleton<FindingStore>();
        services.AddSingleton<IFindings>(p => p.GetRequiredService<FindingStore>());
        services.AddSingleton<IFindingLabels>(p => p.GetRequiredService<FindingStore>());
        services.AddSingleton<Sentences>();
        services.AddSingleton<ExceptionArrivals>();
        services.AddSingleton<ILaneCommitPart>(p => p.GetRequiredService<ExceptionArrivals>());
        services.AddSingleton<ExceptionStore>();
        services.AddSingleton<ExceptionDesk>();
        services.AddSingleton<ExceptionPreviews>();
        services.AddSingleton<Offers>();
        services.AddSingleton<Trials>();
        services.AddSingleton<LaneStore>();
        services.AddSingleton<IFileSignatures, ScriptSignatures>();
        services.AddSingleton<ScriptTable>().AddSingleton<ScriptStore>().AddSingleton<ScriptTrial>();
        services.AddSingleton<BookStore>();
        services.AddSingleton<CalendarStore>();
        services.AddSingleton<LanePump>();
        services.AddSingleton<IStage>(p => p.GetRequiredService<LanePump>());
        services.AddHostedService(p => p.GetRequiredService<LanePump>());
        services.AddHostedService<ScriptWorkers>().AddHostedService<PeerTeaching>();
        services.AddSingleton<BacktestRunner>().AddSingleton<Backtests>();
        services.AddHostedService(p => p.GetRequiredService<Backtests>());
        return services;
    }

    /// <summary>Maps the routes of detections and templates.</summary>
    public static void MapDetection(this RouteGroups routes)
    {
        DetectionRoutes.Map(routes);
        LabelRoutes.Map(routes);
        ExceptionRoutes.Map(routes);
        ConditionRoutes.Map(routes);
        ThresholdRoutes.Map(routes);
        TemplateRoutes.Map(routes);
        RevisionRoutes.Map(routes);
        TemplateFileRoutes.Map(routes);
        BacktestRoutes.Map(routes);
        CalendarRoutes.Map(routes);
        ScriptRoutes.Map(routes);
    }
}
