using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Frequency;
using Sekisho.Detection.Conditions.Malformed;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Conditions.Silence;
using Sekisho.Detection.Conditions.Unregistered;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Operations;
using Sekisho.Storage;

namespace Sekisho.Detection;

/// <summary>③ Detection: carries the journal through ordered lanes of conditions, keeps the findings, and knows the templates.</summary>
public static class DetectionFeature
{
    /// <summary>The kinds of conditions that templates may use.</summary>
    internal static readonly IReadOnlyList<ConditionKind> Kinds =
    [
        FrequencyCondition.Kind,
        SilenceCondition.Kind,
        SizeMetric.Kind,
        VolumeMetric.Kind,
        MalformedCondition.Kind,
        UnregisteredCondition.Kind,
    ];

    /// <summary>Registers the stage. Needs implementations of IEventFeed, IEventJournal, IDeviceDirectory, IFlowSwitches and IHistory, and takes every ILaneCommitPart in order of registration.</summary>
    public static IServiceCollection AddDetection(this IServiceCollection services)
    {
        services.AddSettings<LaneSettings>("Detection:Lanes");
        services.AddSettings<TemplateSettings>("Detection:Templates");
        services.AddSingleton(new StageMigrations("Detection", typeof(DetectionFeature).Assembly));
        services.AddSingleton(typeof(DetectionFeature).Assembly);
        services.AddSingleton(new TemplateReader(Kinds));
        services.AddSingleton(p => TemplateCatalog.Load(p.GetRequiredService<TemplateSettings>().FolderInForce, p.GetRequiredService<TemplateReader>()));
        services.AddSingleton<FieldPlans>();
        services.AddSingleton<IResponseBindings>(p => p.GetRequiredService<FieldPlans>());
        services.AddSingleton<SubjectKeys>();
        services.AddSingleton<FindingStore>();
        services.AddSingleton<IFindings>(p => p.GetRequiredService<FindingStore>());
        services.AddSingleton<Sentences>();
        services.AddSingleton<ExceptionArrivals>();
        services.AddSingleton<ILaneCommitPart>(p => p.GetRequiredService<ExceptionArrivals>());
        services.AddSingleton<ExceptionStore>();
        services.AddSingleton<ExceptionDesk>();
        services.AddSingleton<ExceptionPreviews>();
        services.AddSingleton<Offers>();
        services.AddSingleton<Trials>();
        services.AddSingleton<LaneStore>();
        services.AddSingleton<BookStore>();
        services.AddSingleton<CalendarStore>();
        services.AddSingleton<LanePump>();
        services.AddSingleton<IStage>(p => p.GetRequiredService<LanePump>());
        services.AddHostedService(p => p.GetRequiredService<LanePump>());
        return services;
    }

    /// <summary>Maps the routes of detections and templates.</summary>
    public static void MapDetection(this RouteGroups routes)
    {
        DetectionRoutes.Map(routes);
        LabelRoutes.Map(routes);
        ExceptionRoutes.Map(routes);
        ConditionRoutes.Map(routes);
        TemplateRoutes.Map(routes);
        CalendarRoutes.Map(routes);
    }
}
