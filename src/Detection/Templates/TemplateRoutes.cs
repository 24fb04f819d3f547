using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Templates;

/// <summary>A template to put in force.</summary>
/// <param name="TemplateId">Which.</param>
/// <param name="Parameters">Own values by "CONDITION.PARAMETER": whole numbers, or durations as "[d.]hh:mm:ss". Absent ones are the template's defaults.</param>
/// <param name="Version">Which version; the newest when absent.</param>
/// <param name="Reason">Why, for people.</param>
internal sealed record SetTemplateRequest(string? TemplateId, IReadOnlyDictionary<string, JsonElement>? Parameters, int? Version, string? Reason);

/// <summary>Shows templates and puts them in force.</summary>
internal static class TemplateRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Api.MapGet("/templates", (TemplateCatalog catalog, HttpContext context) =>
                Results.Ok(catalog.All.Select(t => TemplateSummary.Of(t, RequestLanguage.Of(context))).ToList()))
            .WithName("ListTemplates").WithSummary("The templates that can be put in force.").WithTags("Detection")
            .Produces<IReadOnlyList<TemplateSummary>>().Reads("templates");
        routes.Api.MapGet("/templates/{id}", (string id, int? version, TemplateCatalog catalog, Texts texts, HttpContext context) =>
                (version is { } asked ? catalog.Find(id, asked) : catalog.Find(id)) is { } template
                    ? Results.Ok(TemplateView.Of(template, FieldTemplate.NoValues, texts, RequestLanguage.Of(context)))
                    : Problem.Of(CommonProblems.NotFound))
            .WithName("GetTemplate").WithSummary("One template with its conditions, parameters and responses.").WithTags("Detection")
            .Produces<TemplateView>().Reads("templates");
        routes.Field.MapGet("/template", (string fieldId, FieldPlans plans, Texts texts, HttpContext context) =>
                Results.Ok(FieldTemplateView.Of(plans.Find(fieldId), texts, RequestLanguage.Of(context))))
            .WithName("GetFieldTemplate").WithSummary("The template in force in the field, with its values; without one, what to do next.").WithTags("Detection")
            .Produces<FieldTemplateView>().Reads("templates");
        routes.Field.MapPut("/template", (string fieldId, SetTemplateRequest request, TemplateCatalog catalog, FieldPlans plans, Texts texts, HttpContext context) =>
                SetAsync(fieldId, request, catalog, plans, texts, context))
            .WithName("SetFieldTemplate").WithSummary("Puts a template with the field's own values in force, without a restart.").WithTags("Detection")
            .Produces<FieldTemplateView>().Administers("templates", "template.set");
    }

    private static async Task<IResult> SetAsync(string fieldId, SetTemplateRequest request, TemplateCatalog catalog, FieldPlans plans, Texts texts, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var template = Read(request, catalog, texts, language, out var values, out var faults);
        if (Reasons.Fault(request.Reason, texts, language) is { } wrong)
        {
            faults = [.. faults, wrong];
        }

        if (template is null || faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var change = new RevisionStore.Change(context.User.NameOf(), RevisionKinds.Set, request.Reason, Correlation.Of(context));
        var set = await plans.SetAsync(fieldId, template, values, change).ConfigureAwait(false);
        return Results.Ok(FieldTemplateView.Of(set, texts, language));
    }

    /// <summary>The template and the values that a request means, or every fault.</summary>
    internal static Template? Read(
        SetTemplateRequest request, TemplateCatalog catalog, Texts texts, string language, out IReadOnlyDictionary<string, ParameterValue> values, out IReadOnlyList<Fault> faults)
    {
        values = FieldTemplate.NoValues;
        if (request.TemplateId is null || catalog.Find(request.TemplateId) is not { } newest)
        {
            faults = [new Fault("/templateId", texts.Get("detection.fault.one-of", language, ("allowed", string.Join(", ", catalog.All.Select(t => t.Id)))))];
            return null;
        }

        if ((request.Version is { } version ? catalog.Find(newest.Id, version) : newest) is not { } template)
        {
            faults = [new Fault("/version", texts.Get("detection.fault.one-of", language, ("allowed", string.Join(", ", catalog.VersionsOf(newest.Id)))))];
            return null;
        }

        var given = (request.Parameters ?? new Dictionary<string, JsonElement>()).ToDictionary(p => p.Key, p => Written(p.Value));
        values = TemplateValues.Check(template, given, out var wrong);
        faults = [.. wrong.Select(w => FaultOf(w, texts, language))];
        return template;
    }

    /// <summary>A value as people write it.</summary>
    public static string Written(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    /// <summary>What is wrong with a value, and what is allowed.</summary>
    public static Fault FaultOf(WrongValue wrong, Texts texts, string language)
    {
        var place = "/parameters/" + wrong.Key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        if (wrong.Parameter?.Spec.Check?.Invoke(wrong.Text) is { } fault)
        {
            return new Fault(place, texts.Get("detection.fault." + fault.Key, language, [.. fault.Values]));
        }

        return wrong.Parameter is { } parameter
            ? new Fault(place, texts.Get(
                $"detection.fault.{ParameterText.Name(parameter.Spec.Type)}",
                language,
                ("least", ParameterText.Write(parameter.Spec, parameter.Least)),
                ("most", ParameterText.Write(parameter.Spec, parameter.Most)),
                ("allowed", string.Join(", ", parameter.Spec.Choices))))
            : new Fault(place, texts.Get("detection.fault.parameter", language));
    }
}

/// <summary>A template in a list.</summary>
internal sealed record TemplateSummary(string Id, int Version, string Title, string Description)
{
    public static TemplateSummary Of(Template template, string language) => new(template.Id, template.Version, template.Title.In(language), template.Description.In(language));
}

/// <summary>A parameter of a form. Texts and choices have no least and most.</summary>
internal sealed record ParameterView(string Key, string Label, string Type, string Unit, string Least, string Most, string Default, string Value, IReadOnlyList<string> Choices)
{
    public static ParameterView Of(TemplateCondition condition, TemplateParameter parameter, IReadOnlyDictionary<string, ParameterValue> values, Texts texts, string language)
    {
        var (spec, key) = (parameter.Spec, $"{condition.Key}.{parameter.Spec.Name}");
        string Bound(double value) => spec.Type == ParameterType.Choice ? "" : ParameterText.Write(spec with { Type = Counted(spec.Type) ? ParameterType.Count : spec.Type }, value);
        return new ParameterView(
            key,
            FindingTexts.Parameter(texts, condition.Kind.Name, spec.Name, language),
            ParameterText.Name(spec.Type),
            ParameterText.Unit(spec),
            Bound(parameter.Least),
            Bound(parameter.Most),
            ParameterText.Write(spec, parameter.Default),
            ParameterText.Write(spec, values.GetValueOrDefault(key, parameter.Default)),
            spec.Choices);
    }

    // The bounds of these are a length or a number.
    private static bool Counted(ParameterType type) => type is ParameterType.Text or ParameterType.Pointer or ParameterType.Texts or ParameterType.Networks or ParameterType.Document;
}

/// <summary>When a condition is judged.</summary>
internal sealed record ScheduleView(IReadOnlyList<string> Days, string From, string To, string Holidays)
{
    public static ScheduleView Of(WeeklyWindow window) => new(
        [.. window.Days.Select(d => d.ToString()[..3].ToLowerInvariant())],
        window.From.ToString("HH:mm", CultureInfo.InvariantCulture),
        window.To.ToString("HH:mm", CultureInfo.InvariantCulture),
        window.Holidays);
}

/// <summary>A stage of a condition.</summary>
internal sealed record StageView(string Name, string Label, string Risk, string Level, string? Threat);

/// <summary>A condition of a template.</summary>
internal sealed record ConditionView
{
    public required string Key { get; init; }

    public required string Label { get; init; }

    public required string Kind { get; init; }

    public required string KindLabel { get; init; }

    public required string Scope { get; init; }

    public required string? Mode { get; init; }

    public required string? Judge { get; init; }

    public required string Risk { get; init; }

    public required string? Threat { get; init; }

    public required string Level { get; init; }

    public required string Effect { get; init; }

    public required IReadOnlyList<ScheduleView> Schedule { get; init; }

    public required IReadOnlyList<StageView> Stages { get; init; }

    public required IReadOnlyList<ParameterView> Parameters { get; init; }

    public static ConditionView Of(TemplateCondition condition, IReadOnlyDictionary<string, ParameterValue> values, Texts texts, string language)
    {
        var inForce = condition.Parameters.ToDictionary(p => p.Spec.Name, p => values.GetValueOrDefault($"{condition.Key}.{p.Spec.Name}", p.Default));
        return new ConditionView
        {
            Key = condition.Key,
            Label = condition.Label.In(language),
            Kind = condition.Kind.Name,
            KindLabel = texts.Get($"condition.{condition.Kind.Name}", language),
            Scope = condition.Scope,
            Mode = condition.Mode,
            Judge = condition.Judge,
            Risk = condition.Risk,
            Threat = condition.Threat,
            Level = condition.Level,
            Effect = inForce["effect"].Text,
            Schedule = [.. condition.WindowsWith(inForce).Select(ScheduleView.Of)],
            Stages = [.. condition.Kind.Stages.Select((name, index) =>
            {
                var stage = condition.Stage(index)!;
                return new StageView(name, texts.Get($"condition.{condition.Kind.Name}.stage.{name}", language), stage.Risk ?? condition.Risk, stage.Level ?? condition.Level, stage.Threat ?? condition.Threat);
            })],
            Parameters = [.. condition.Parameters.Select(p => ParameterView.Of(condition, p, values, texts, language))],
        };
    }
}

/// <summary>A template whole.</summary>
internal sealed record TemplateView(string Id, int Version, string Title, string Description, IReadOnlyList<ConditionView> Conditions, IReadOnlyList<ResponseBinding> Responses)
{
    public static TemplateView Of(Template template, IReadOnlyDictionary<string, ParameterValue> values, Texts texts, string language) => new(
        template.Id,
        template.Version,
        template.Title.In(language),
        template.Description.In(language),
        [.. template.Conditions.Select(c => ConditionView.Of(c, values, texts, language))],
        template.Responses);
}

/// <summary>What is in force in a field.</summary>
/// <param name="Revision">Counts the changes; 0 while there is no template.</param>
/// <param name="Template">The template with the field's values; null while there is none.</param>
/// <param name="Next">What to do while there is none.</param>
internal sealed record FieldTemplateView(int Revision, TemplateView? Template, string? Next)
{
    public static FieldTemplateView Of(FieldTemplate? inForce, Texts texts, string language) => inForce is null
        ? new FieldTemplateView(0, null, texts.Get("detection.template.none", language))
        : new FieldTemplateView(inForce.Revision, TemplateView.Of(inForce.Template, inForce.Values, texts, language), null);
}
