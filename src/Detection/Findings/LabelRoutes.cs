using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings;

/// <summary>What people make of many findings at once.</summary>
/// <param name="Ids">These findings, at most 1000.</param>
/// <param name="Cause">And all of this cause that are not closed.</param>
/// <param name="As">One of <see cref="Closings"/> to close them; null to acknowledge them.</param>
/// <param name="Note">What the person says; a false alarm needs it.</param>
internal sealed record HandleRequest(IReadOnlyList<string>? Ids, string? Cause, string? As, string? Note);

/// <summary>What was handled.</summary>
/// <param name="Handled">Identifiers of the findings that changed.</param>
/// <param name="Unchanged">How many of those named were closed already or do not exist.</param>
/// <param name="More">True when more of the cause are left: ask again.</param>
internal sealed record HandleResult(IReadOnlyList<string> Handled, int Unchanged, bool More);

/// <summary>Why a closed detection is opened again.</summary>
internal sealed record ReopenRequest(string? Note);

/// <summary>Findings of one cause.</summary>
/// <param name="Cause">Narrows the list to them.</param>
/// <param name="Findings">How many.</param>
/// <param name="Subjects">About how many devices (or other subjects).</param>
/// <param name="Unfinished">How many nobody has closed.</param>
/// <param name="First">When the first was raised.</param>
/// <param name="Last">When the last was raised.</param>
/// <param name="Newest">The last of them.</param>
internal sealed record CauseView(string Cause, long Findings, long Subjects, long Unfinished, DateTimeOffset First, DateTimeOffset Last, DetectionView Newest);

/// <summary>What the handlers of labels need.</summary>
internal sealed record LabelTools(FindingStore Store, Offers Offers, Sentences Sentences, Texts Texts, TimeProvider Time);

/// <summary>Groups findings of one cause, handles many at once, opens closed ones again, and offers what would keep the like quiet.</summary>
internal static class LabelRoutes
{
    private const int MostAtOnce = 1000;
    private const int MostGroups = 200;
    private const int LongestNote = 2000;
    private static readonly ProblemType NotClosed = new("detection-not-closed", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        MapIn(routes.Field, "", route => route.Reads("detections"), (route, action) => route.Responds("detections", action));
        MapIn(routes.Ops, "Gateway", route => route.Watches("detections"), (route, action) => route.Maintains("detections", action));
    }

    private static void MapIn(RouteGroupBuilder group, string whose, Func<RouteHandlerBuilder, RouteHandlerBuilder> reads, Func<RouteHandlerBuilder, string, RouteHandlerBuilder> changes)
    {
        reads(group.MapGet("/detections/causes", CausesAsync).WithName($"Group{whose}Detections").WithSummary("Detections of one cause together, since a moment (30 days unless said), the one that happened last first.")
            .WithTags("Detection").Produces<IReadOnlyList<CauseView>>());
        reads(group.MapGet("/detections/{id}/offers", OffersAsync).WithName($"Offer{whose}Exceptions").WithSummary("Exceptions and limits that would have kept the detection quiet, each with its effect on the last 30 days.")
            .WithTags("Detection").Produces<OfferList>());
        changes(group.MapPost("/detections/handle", HandleAsync).WithName($"Handle{whose}Detections").WithSummary("Acknowledges or closes many detections at once: those named, and all of a cause.")
            .WithTags("Detection").Produces<HandleResult>().ProducesProblem(StatusCodes.Status422UnprocessableEntity), "detection.handle");
        changes(group.MapPost("/detections/{id}/reopen", ReopenAsync).WithName($"Reopen{whose}Detection").WithSummary("Opens a closed detection again.")
            .WithTags("Detection").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status409Conflict), "detection.reopen");
    }

    /// <summary>What is wrong with a note; null when it is fine.</summary>
    public static Fault? NoteFault(string? note, Texts texts, string language) =>
        note is { Length: > LongestNote } ? new Fault("/note", texts.Get("detection.fault.note", language, ("most", LongestNote.ToString(CultureInfo.InvariantCulture)))) : null;

    /// <summary>A false alarm without a reason teaches nobody anything.</summary>
    public static Fault? ReasonFault(string? closeAs, string? note, Texts texts, string language) =>
        closeAs == Closings.FalseAlarm && string.IsNullOrWhiteSpace(note) ? new Fault("/note", texts.Get("detection.fault.false-alarm-note", language)) : null;

    private static async Task<IResult> CausesAsync(string? status, string? since, [AsParameters] LabelTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        DetectionRoutes.OneOf("status", status, FindingStatus.All, tools.Texts, language, faults);
        var from = DetectionRoutes.Time("since", since, tools.Texts, language, faults) ?? tools.Time.GetUtcNow().AddDays(-30);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var shown = new List<CauseView>();
        foreach (var group in await tools.Store.GroupAsync(FieldOf(context), status, from, MostGroups, context.RequestAborted).ConfigureAwait(false))
        {
            var filter = new FindingFilter(null, null, null, null, status, from, null) { Cause = group.Cause };
            if (await tools.Store.ListAsync(FieldOf(context), filter, null, 1, context.RequestAborted).ConfigureAwait(false) is [var newest])
            {
                shown.Add(new CauseView(
                    group.Cause,
                    group.Findings,
                    group.Subjects,
                    group.Unfinished,
                    DateTimeOffset.FromUnixTimeMilliseconds(group.First),
                    DateTimeOffset.FromUnixTimeMilliseconds(group.Last),
                    DetectionView.Of(newest, tools.Sentences, language)));
            }
        }

        return Results.Ok(shown);
    }

    private static async Task<IResult> OffersAsync(string id, [AsParameters] LabelTools tools, HttpContext context) =>
        await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted).ConfigureAwait(false) is { } found
            ? Results.Ok(await tools.Offers.OfAsync(found.Finding, RequestLanguage.Of(context), context.RequestAborted).ConfigureAwait(false))
            : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> HandleAsync(HandleRequest request, [AsParameters] LabelTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        DetectionRoutes.OneOf("/as", request.As, Closings.All, tools.Texts, language, faults);
        faults.AddRange(new[] { NoteFault(request.Note, tools.Texts, language), ReasonFault(request.As, request.Note, tools.Texts, language) }.OfType<Fault>());
        var ids = (request.Ids ?? []).Distinct().ToList();
        if (ids.Count > MostAtOnce)
        {
            faults.Add(new Fault("/ids", tools.Texts.Get("detection.fault.count", language, ("most", MostAtOnce.ToString(CultureInfo.InvariantCulture)))));
        }

        if (ids.Count == 0 && request.Cause is null)
        {
            faults.Add(new Fault("/ids", tools.Texts.Get("detection.fault.which", language)));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var fieldId = FieldOf(context);
        var named = new List<KeptFinding>();
        foreach (var id in ids)
        {
            if (await tools.Store.FindAsync(fieldId, id, context.RequestAborted).ConfigureAwait(false) is { } found)
            {
                named.Add(found);
            }
        }

        var like = request.Cause is { } cause ? await UnfinishedAsync(fieldId, cause, request.As is null, tools, context.RequestAborted).ConfigureAwait(false) : [];
        var all = named.Concat(like.Take(MostAtOnce)).DistinctBy(f => f.Finding.Id).Select(f => f.Finding).ToList();
        var handled = await tools.Store.HandleAsync(all, request.As, request.Note, context.User.NameOf(), tools.Time.GetUtcNow(), Correlation.Of(context)).ConfigureAwait(false);
        return Results.Ok(new HandleResult(handled, ids.Except(handled).Count(), like.Count > MostAtOnce));
    }

    private static async Task<IReadOnlyList<KeptFinding>> UnfinishedAsync(string? fieldId, string cause, bool acknowledging, LabelTools tools, CancellationToken cancellation)
    {
        var open = await tools.Store.ListAsync(fieldId, new FindingFilter(null, null, null, null, FindingStatus.Open, null, null) { Cause = cause }, null, MostAtOnce + 1, cancellation).ConfigureAwait(false);
        var seen = acknowledging
            ? []
            : await tools.Store.ListAsync(fieldId, new FindingFilter(null, null, null, null, FindingStatus.Acknowledged, null, null) { Cause = cause }, null, MostAtOnce + 1, cancellation).ConfigureAwait(false);
        return [.. open, .. seen];
    }

    private static async Task<IResult> ReopenAsync(string id, ReopenRequest request, [AsParameters] LabelTools tools, HttpContext context)
    {
        if (NoteFault(request.Note, tools.Texts, RequestLanguage.Of(context)) is { } fault)
        {
            return Problem.Of(CommonProblems.Invalid, [fault]);
        }

        if (await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted).ConfigureAwait(false) is not { } found)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        return await tools.Store.ReopenAsync(found.Finding, request.Note, context.User.NameOf(), tools.Time.GetUtcNow(), Correlation.Of(context)).ConfigureAwait(false)
            ? Results.NoContent()
            : Problem.Of(NotClosed);
    }

    // The routes of the gateway have no field.
    private static string? FieldOf(HttpContext context) => context.Request.RouteValues.GetValueOrDefault("fieldId") as string;
}
