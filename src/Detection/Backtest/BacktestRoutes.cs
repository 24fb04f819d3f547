using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Backtest;

/// <summary>What to try. The first four are those of PUT /template: what was tried can be put in force as it is.</summary>
/// <param name="TemplateId">Which template; what is in force when absent.</param>
/// <param name="Parameters">Own values; those in force when neither template nor values are given.</param>
/// <param name="Version">Which version; the newest when absent.</param>
/// <param name="Reason">Not looked at.</param>
/// <param name="Days">How many days are counted, the last ones before <paramref name="To"/>; 30 when absent.</param>
/// <param name="LearnDays">Days before those, in which the conditions learn and nothing is counted; 0 when absent.</param>
/// <param name="To">End; now when absent.</param>
/// <param name="Compare">False to leave out the replay of what is in force; it takes as long again.</param>
internal sealed record BacktestRequest(
    string? TemplateId, IReadOnlyDictionary<string, JsonElement>? Parameters, int? Version, string? Reason, int? Days, int? LearnDays, DateTimeOffset? To, bool? Compare);

/// <summary>
/// Tries a template with values on what a field's history holds, before somebody puts it in force: alerts per day, devices, and the difference to
/// what is in force. Nothing follows from it.
/// </summary>
internal static class BacktestRoutes
{
    private const int UsualDays = 30;
    private static readonly ProblemType Busy = new("backtest-busy", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapPost("/backtests", Start)
            .WithName("StartBacktest").WithSummary("Replays the field's history through a template with values, beside the live lanes, and compares it with what is in force.").WithTags("Detection")
            .Produces<BacktestView>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("templates", "backtest.start");
        routes.Field.MapGet("/backtests", (string fieldId, Backtests backtests, IPayloadMarks marks, Texts texts, HttpContext context) =>
                Results.Ok(backtests.Of(fieldId).Select(j => BacktestView.Of(j, marks.Transient(fieldId), texts, RequestLanguage.Of(context)) with { Result = null }).ToList()))
            .WithName("ListBacktests").WithSummary("The field's back-tests since the start of the gateway, newest first, without their results.").WithTags("Detection")
            .Produces<IReadOnlyList<BacktestView>>().Reads("templates");
        routes.Field.MapGet("/backtests/{id}", (string fieldId, string id, Backtests backtests, IPayloadMarks marks, Texts texts, HttpContext context) =>
                backtests.Find(fieldId, id) is { } job ? Results.Ok(BacktestView.Of(job, marks.Transient(fieldId), texts, RequestLanguage.Of(context))) : Problem.Of(CommonProblems.NotFound))
            .WithName("GetBacktest").WithSummary("How far a back-test is, and its result.").WithTags("Detection")
            .Produces<BacktestView>().Reads("templates");
        routes.Field.MapGet("/backtests/{id}/detections", (string fieldId, string id, Backtests backtests, Sentences sentences, HttpContext context) => backtests.Find(fieldId, id) is { } job
                ? Results.Ok((job.Outcome?.Proposed.Samples ?? []).Select(f => DetectionView.Of(new KeptFinding { Finding = f, Cause = f.Id, Status = FindingStatus.Open }, sentences, RequestLanguage.Of(context))).ToList())
                : Problem.Of(CommonProblems.NotFound))
            .WithName("ListBacktestDetections").WithSummary("The first 500 detections that would have been raised, whole. They are not kept.").WithTags("Detection")
            .Produces<IReadOnlyList<DetectionView>>().Reads("detections");
        routes.Field.MapDelete("/backtests/{id}", (string fieldId, string id, Backtests backtests) =>
            {
                if (backtests.Find(fieldId, id) is not { } job)
                {
                    return Problem.Of(CommonProblems.NotFound);
                }

                job.Cancel();
                return Results.NoContent();
            })
            .WithName("CancelBacktest").WithSummary("Ends a back-test that runs; one that ended stays as it is.").WithTags("Detection")
            .Produces(StatusCodes.Status204NoContent).Administers("templates", "backtest.cancel");
    }

    private static IResult Start(
        string fieldId, BacktestRequest request, TemplateCatalog catalog, FieldPlans plans, Backtests backtests, BacktestSettings settings, IPayloadMarks marks, Texts texts, TimeProvider time, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        var days = Within("/days", request.Days ?? UsualDays, 1, settings.MostDays, texts, language, faults);
        var learn = Within("/learnDays", request.LearnDays ?? 0, 0, settings.MostDays - days, texts, language, faults);
        var proposed = Proposed(fieldId, request, catalog, plans, texts, language, faults);
        if (proposed is null || faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var current = plans.Find(fieldId);
        var to = request.To ?? time.GetUtcNow();
        var compare = current is not null && request.Compare != false;
        var plan = new BacktestPlan(
            fieldId, proposed, plans.Proposed(fieldId, proposed), current, compare ? plans.Proposed(fieldId, current!) : null, to.AddDays(-days - learn), to.AddDays(-days), to);
        return backtests.Start(plan, context.User.NameOf()) is { } job
            ? Results.Accepted($"/api/v1/fields/{fieldId}/backtests/{job.Id}", BacktestView.Of(job, marks.Transient(fieldId), texts, language))
            : Problem.Of(Busy);
    }

    private static FieldTemplate? Proposed(string fieldId, BacktestRequest request, TemplateCatalog catalog, FieldPlans plans, Texts texts, string language, List<Fault> faults)
    {
        var present = plans.Find(fieldId);
        if (request.TemplateId is null && request.Parameters is null && present is not null)
        {
            return present;
        }

        var asked = new SetTemplateRequest(request.TemplateId ?? present?.Template.Id, request.Parameters, request.Version ?? (request.TemplateId is null ? present?.Template.Version : null), null);
        var template = TemplateRoutes.Read(asked, catalog, texts, language, out var values, out var wrong);
        faults.AddRange(wrong);
        return template is null ? null : new FieldTemplate(template, (present?.Revision ?? 0) + 1, values);
    }

    private static int Within(string place, int value, int least, int most, Texts texts, string language, List<Fault> faults)
    {
        if (value < least || value > most)
        {
            faults.Add(new Fault(place, texts.Get(
                "detection.fault.whole", language, ("least", least.ToString(CultureInfo.InvariantCulture)), ("most", Math.Max(least, most).ToString(CultureInfo.InvariantCulture)))));
        }

        return Math.Clamp(value, least, Math.Max(least, most));
    }
}
