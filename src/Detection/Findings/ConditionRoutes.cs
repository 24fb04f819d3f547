using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Templates;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Storage;

namespace Sekisho.Detection.Findings;

/// <summary>What a person changes at one condition.</summary>
/// <param name="Parameters">Values by name, as people write them; "effect" is one of them. Absent ones stay.</param>
/// <param name="Reason">1 to 500 characters in one line.</param>
/// <param name="Revision">Revision of the field's template that was read; null for whichever.</param>
internal sealed record ConditionChange(IReadOnlyDictionary<string, JsonElement>? Parameters, string? Reason, int? Revision);

/// <summary>A condition after a change.</summary>
/// <param name="Revision">Revision of the field's template.</param>
/// <param name="Condition">The condition with its values.</param>
/// <param name="Trial">What it found in the last 30 days, and what follows from now on.</param>
internal sealed record ChangedCondition(int Revision, ConditionView Condition, ConditionTrial Trial);

/// <summary>What the handlers of conditions need.</summary>
internal sealed record ConditionTools(Trials Trials, FieldPlans Plans, Databases Databases, IHistory History, Texts Texts, TimeProvider Time);

/// <summary>Shows how a field's conditions do, and lets people change one: suggest, shadow, act, and its limits.</summary>
internal static class ConditionRoutes
{
    private static readonly ProblemType Changed = new("condition-changed", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/conditions/{key}/trial", (string fieldId, string key, string? days, [AsParameters] ConditionTools tools, HttpContext context) =>
                TrialAsync(fieldId, key, days, tools, context))
            .WithName("TryCondition").WithSummary("What a condition found in the last days (30 unless said), and which responses would have followed.").WithTags("Detection")
            .Produces<ConditionTrial>().Reads("detections");
        routes.Field.MapPut("/conditions/{key}", (string fieldId, string key, ConditionChange request, [AsParameters] ConditionTools tools, HttpContext context) =>
                SetAsync(fieldId, key, request, tools, context))
            .WithName("SetCondition").WithSummary("Changes limits or the effect (suggest, shadow, act) of one condition, without a restart.").WithTags("Detection")
            .Produces<ChangedCondition>().ProducesProblem(StatusCodes.Status409Conflict).Administers("templates", "condition.set");
    }

    private static async Task<IResult> TrialAsync(string fieldId, string key, string? days, ConditionTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var count = ExceptionPreviews.StandardDays;
        if (days is not null && !(int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is >= 1 and <= 365))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("days", tools.Texts.Get("detection.fault.whole", language, ("least", "1"), ("most", "365")))]);
        }

        return tools.Plans.Find(fieldId) is { } inForce && Find(inForce, key) is { } condition
            ? Results.Ok(await tools.Trials.OfAsync(fieldId, condition, EffectOf(inForce, condition), count, language, context.RequestAborted).ConfigureAwait(false))
            : Problem.Of(CommonProblems.NotFound);
    }

    private static async Task<IResult> SetAsync(string fieldId, string key, ConditionChange request, ConditionTools tools, HttpContext context)
    {
        var (language, texts) = (RequestLanguage.Of(context), tools.Texts);
        if (tools.Plans.Find(fieldId) is not { } inForce || Find(inForce, key) is not { } condition)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (request.Revision is { } read && read != inForce.Revision)
        {
            return Problem.Of(Changed);
        }

        var faults = new List<Fault>();
        if (request.Reason is not { } reason || !ExceptionRules.IsLine(reason, ExceptionRules.LongestReason))
        {
            faults.Add(new Fault("/reason", texts.Get("detection.fault.line", language, ("most", ExceptionRules.LongestReason.ToString(CultureInfo.InvariantCulture)))));
        }

        var given = (request.Parameters ?? new Dictionary<string, JsonElement>()).ToDictionary(p => $"{key}.{p.Key}", p => TemplateRoutes.Written(p.Value));
        if (given.Count == 0)
        {
            faults.Add(new Fault("/parameters", texts.Get("detection.fault.parameters", language)));
        }

        var values = TemplateValues.Check(inForce.Template, given, out var wrong);
        faults.AddRange(wrong.Select(w => TemplateRoutes.FaultOf(w with { Key = w.Key[(key.Length + 1)..] }, texts, language)));
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var all = inForce.Values.ToDictionary();
        foreach (var (name, value) in values)
        {
            all[name] = value;
        }

        var set = await tools.Plans.SetAsync(fieldId, inForce.Template, all, new RevisionStore.Change(context.User.NameOf(), RevisionKinds.Set, request.Reason, Correlation.Of(context))).ConfigureAwait(false);
        await RecordAsync(fieldId, key, inForce, set, request.Reason!, given.Keys, tools, context).ConfigureAwait(false);
        var trial = await tools.Trials.OfAsync(fieldId, condition, EffectOf(set, condition), ExceptionPreviews.StandardDays, language, context.RequestAborted).ConfigureAwait(false);
        return Results.Ok(new ChangedCondition(set.Revision, ConditionView.Of(condition, set.Values, texts, language), trial));
    }

    private static Task RecordAsync(string fieldId, string key, FieldTemplate before, FieldTemplate after, string reason, IEnumerable<string> names, ConditionTools tools, HttpContext context)
    {
        Dictionary<string, string> Of(FieldTemplate template)
        {
            var condition = Find(template, key)!;
            return names.ToDictionary(n => n, n =>
            {
                var parameter = condition.Parameters.First(p => p.Spec.Name == n[(key.Length + 1)..]);
                return ParameterText.Write(parameter.Spec, template.Values.GetValueOrDefault(n, parameter.Default));
            });
        }

        var record = new HistoryRecord
        {
            At = tools.Time.GetUtcNow(),
            Kind = HistoryKinds.Operator,
            What = "condition-set",
            FieldId = fieldId,
            Actor = context.User.NameOf(),
            CorrelationId = Correlation.Of(context),
            Subject = key,
            Details = JsonSerializer.Serialize(new { reason, revision = after.Revision, before = Of(before), after = Of(after) }, JsonSerializerOptions.Web),
        };
        return tools.Databases.State.WriteAsync(transaction =>
        {
            tools.History.Append(record, transaction);
            return Task.CompletedTask;
        });
    }

    private static TemplateCondition? Find(FieldTemplate inForce, string key) => inForce.Template.Conditions.FirstOrDefault(c => c.Key == key);

    private static string EffectOf(FieldTemplate inForce, TemplateCondition condition) =>
        inForce.Values.GetValueOrDefault($"{condition.Key}.effect", condition.Parameters.First(p => p.Spec.Name == "effect").Default).Text;
}
