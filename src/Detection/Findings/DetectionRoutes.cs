using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings;

/// <summary>What a person says when acknowledging.</summary>
internal sealed record AcknowledgeRequest(string? Note);

/// <summary>What a finding turned out to be.</summary>
internal sealed record CloseRequest(string? As, string? Note);

/// <summary>Lists detections and takes what people make of them: for a field, and for the gateway as a whole.</summary>
internal static class DetectionRoutes
{
    private static readonly ProblemType Closed = new("detection-closed", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/detections", (string fieldId, [AsParameters] ListQuery query, FindingStore store, Sentences sentences, Texts texts, HttpContext context, CancellationToken cancellation) =>
                ListAsync(fieldId, query, store, sentences, texts, context, cancellation))
            .WithName("ListDetections").WithSummary("Detections of the field, newest first.").WithTags("Detection")
            .Produces<Page<DetectionView>>().Reads("detections");
        routes.Field.MapGet("/detections/{id}", (string fieldId, string id, FindingStore store, Sentences sentences, HttpContext context, CancellationToken cancellation) =>
                GetAsync(fieldId, id, store, sentences, context, cancellation))
            .WithName("GetDetection").WithSummary("One detection with its evidence and what would have kept it quiet.").WithTags("Detection")
            .Produces<DetectionView>().Reads("detections");
        routes.Field.MapPost("/detections/{id}/acknowledge", (string fieldId, string id, AcknowledgeRequest request, FindingStore store, Texts texts, TimeProvider time, HttpContext context, CancellationToken cancellation) =>
                HandleAsync(fieldId, id, null, request.Note, store, texts, time, context, cancellation))
            .WithName("AcknowledgeDetection").WithSummary("Says that somebody looks after the detection.").WithTags("Detection")
            .Produces(StatusCodes.Status204NoContent).Responds("detections", "detection.acknowledge");
        routes.Field.MapPost("/detections/{id}/close", (string fieldId, string id, CloseRequest request, [AsParameters] LabelTools tools, HttpContext context, CancellationToken cancellation) =>
                CloseAsync(fieldId, id, request, tools, context, cancellation))
            .WithName("CloseDetection").WithSummary("Closes the detection as a change, an incident or a false alarm; a false alarm is answered with what would keep its like quiet.").WithTags("Detection")
            .Produces(StatusCodes.Status204NoContent).Produces<OfferList>().Responds("detections", "detection.close");
        routes.Field.MapGet("/detection-counts", (string fieldId, string? since, FindingStore store, FieldPlans plans, IDeviceDirectory directory, Texts texts, TimeProvider time, HttpContext context, CancellationToken cancellation) =>
                CountAsync(fieldId, since, store, plans, directory, texts, time, context, cancellation))
            .WithName("CountDetections").WithSummary("How often each condition was raised since a moment (30 days unless said), what people made of it and its false alarms per device and month; also those that are only suggested or tried out.").WithTags("Detection")
            .Produces<IReadOnlyList<ConditionRate>>().Reads("detections");
        MapOps(routes.Ops);
    }

    private static async Task<IResult> CountAsync(string fieldId, string? since, FindingStore store, FieldPlans plans, IDeviceDirectory directory, Texts texts, TimeProvider time, HttpContext context, CancellationToken cancellation)
    {
        var faults = new List<Fault>();
        var from = Time("since", since, texts, RequestLanguage.Of(context), faults) ?? time.GetUtcNow().AddDays(-30);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var (devices, days) = (ConditionRate.DevicesOf(directory, fieldId), Math.Max(0, (time.GetUtcNow() - from).TotalDays));
        var counts = await store.CountAsync(fieldId, from, cancellation).ConfigureAwait(false);
        return Results.Ok(counts.Select(c => ConditionRate.Of(c, plans.Find(fieldId), devices, days, RequestLanguage.Of(context))).ToList());
    }

    private static void MapOps(RouteGroupBuilder ops)
    {
        ops.MapGet("/detections", ([AsParameters] ListQuery query, FindingStore store, Sentences sentences, Texts texts, HttpContext context, CancellationToken cancellation) =>
                ListAsync(null, query, store, sentences, texts, context, cancellation))
            .WithName("ListGatewayDetections").WithSummary("Detections that concern the gateway as a whole, newest first.").WithTags("Detection")
            .Produces<Page<DetectionView>>().Watches("detections");
        ops.MapGet("/detections/{id}", (string id, FindingStore store, Sentences sentences, HttpContext context, CancellationToken cancellation) =>
                GetAsync(null, id, store, sentences, context, cancellation))
            .WithName("GetGatewayDetection").WithSummary("One detection that concerns the gateway as a whole.").WithTags("Detection")
            .Produces<DetectionView>().Watches("detections");
        ops.MapPost("/detections/{id}/acknowledge", (string id, AcknowledgeRequest request, FindingStore store, Texts texts, TimeProvider time, HttpContext context, CancellationToken cancellation) =>
                HandleAsync(null, id, null, request.Note, store, texts, time, context, cancellation))
            .WithName("AcknowledgeGatewayDetection").WithSummary("Says that somebody looks after the detection.").WithTags("Detection")
            .Produces(StatusCodes.Status204NoContent).Maintains("detections", "detection.acknowledge");
        ops.MapPost("/detections/{id}/close", (string id, CloseRequest request, [AsParameters] LabelTools tools, HttpContext context, CancellationToken cancellation) =>
                CloseAsync(null, id, request, tools, context, cancellation))
            .WithName("CloseGatewayDetection").WithSummary("Closes the detection as a change, an incident or a false alarm; a false alarm is answered with what would keep its like quiet.").WithTags("Detection")
            .Produces(StatusCodes.Status204NoContent).Produces<OfferList>().Maintains("detections", "detection.close");
    }

    private static async Task<IResult> ListAsync(string? fieldId, ListQuery query, FindingStore store, Sentences sentences, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        OneOf("risk", query.Risk, Risks.All, texts, language, faults);
        OneOf("level", query.Level, Levels.All, texts, language, faults);
        OneOf("effect", query.Effect, Effects.All, texts, language, faults);
        OneOf("threat", query.Threat, Threats.All, texts, language, faults);
        OneOf("status", query.Status, FindingStatus.All, texts, language, faults);
        OneOf("closedAs", query.ClosedAs, Closings.All, texts, language, faults);
        var from = Time("from", query.From, texts, language, faults);
        var to = Time("to", query.To, texts, language, faults);
        (long, string)? after = null;
        if (query.After is { } cursor)
        {
            var parts = cursor.Split('_');
            if (parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var position))
            {
                after = (position, parts[1]);
            }
            else
            {
                faults.Add(new Fault("after", texts.Get("detection.fault.after", language)));
            }
        }

        var whole = int.TryParse(query.Limit, NumberStyles.None, CultureInfo.InvariantCulture, out var asked);
        if (query.Limit is not null && !whole)
        {
            faults.Add(new Fault("limit", texts.Get("detection.fault.whole", language, ("least", "1"), ("most", Paging.Most.ToString(CultureInfo.InvariantCulture)))));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var limit = Paging.Limit(whole ? asked : null);
        var filter = new FindingFilter(query.Device, query.Condition, query.Risk, query.Level, query.Status, from, to, query.Effect, query.Threat) { Cause = query.Cause, ClosedAs = query.ClosedAs };
        var found = await store.ListAsync(fieldId, filter, after, limit + 1, cancellation).ConfigureAwait(false);
        var shown = found.Take(limit).Select(f => DetectionView.Of(f, sentences, language)).ToList();
        var next = found.Count > limit ? string.Create(CultureInfo.InvariantCulture, $"{shown[^1].Position}_{shown[^1].Id}") : null;
        return Results.Ok(new Page<DetectionView>(shown, next));
    }

    private static async Task<IResult> GetAsync(string? fieldId, string id, FindingStore store, Sentences sentences, HttpContext context, CancellationToken cancellation) =>
        await store.FindAsync(fieldId, id, cancellation).ConfigureAwait(false) is { } found
            ? Results.Ok(DetectionView.Of(found, sentences, RequestLanguage.Of(context)))
            : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> HandleAsync(
        string? fieldId, string id, string? closeAs, string? note, FindingStore store, Texts texts, TimeProvider time, HttpContext context, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        OneOf("/as", closeAs, Closings.All, texts, language, faults);
        if (LabelRoutes.NoteFault(note, texts, language) is { } fault)
        {
            faults.Add(fault);
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        if (await store.FindAsync(fieldId, id, cancellation).ConfigureAwait(false) is not { } found)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (LabelRoutes.ReasonFault(closeAs, note ?? found.Note, texts, language) is { } reason)
        {
            return Problem.Of(CommonProblems.Invalid, [reason]);
        }

        var handled = await store.HandleAsync([found.Finding], closeAs, note, context.User.NameOf(), time.GetUtcNow(), Correlation.Of(context)).ConfigureAwait(false);
        return handled.Count > 0 ? Results.NoContent() : Problem.Of(Closed);
    }

    private static async Task<IResult> CloseAsync(string? fieldId, string id, CloseRequest request, LabelTools tools, HttpContext context, CancellationToken cancellation)
    {
        var result = await HandleAsync(fieldId, id, request.As ?? "", request.Note, tools.Store, tools.Texts, tools.Time, context, cancellation).ConfigureAwait(false);
        return result is NoContent && request.As == Closings.FalseAlarm && await tools.Store.FindAsync(fieldId, id, cancellation).ConfigureAwait(false) is { } closed
            ? Results.Ok(await tools.Offers.OfAsync(closed.Finding, RequestLanguage.Of(context), cancellation).ConfigureAwait(false))
            : result;
    }

    public static void OneOf(string place, string? value, IReadOnlyList<string> allowed, Texts texts, string language, List<Fault> faults)
    {
        if (value is not null && !allowed.Contains(value))
        {
            faults.Add(new Fault(place, texts.Get("detection.fault.one-of", language, ("allowed", string.Join(", ", allowed)))));
        }
    }

    public static DateTimeOffset? Time(string place, string? value, Texts texts, string language, List<Fault> faults)
    {
        if (value is null)
        {
            return null;
        }

        if (DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        faults.Add(new Fault(place, texts.Get("detection.fault.time", language)));
        return null;
    }
}

/// <summary>What a list may be narrowed by.</summary>
internal sealed record ListQuery(string? Device, string? Condition, string? Risk, string? Level, string? Status, string? From, string? To, string? After, string? Limit, string? Effect, string? Threat, string? Cause, string? ClosedAs);
