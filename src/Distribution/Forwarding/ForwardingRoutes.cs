using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Forwarding;

/// <summary>Destination, connector, deliveries and dead letters of a field.</summary>
internal static class ForwardingRoutes
{
    public static void Map(RouteGroups routes)
    {
        MapDestination(routes);
        MapDeliveries(routes);
    }

    private static void MapDestination(RouteGroups routes)
    {
        routes.Field.MapGet("/destination", (string fieldId, DestinationCatalog destinations) =>
                destinations.Of(fieldId) is { } now ? (IResult)TypedResults.Ok(DestinationView.Of(now)) : Problem.Of(CommonProblems.NotFound))
            .Reads("destination").WithName("ReadDestination").WithTags("Distribution").WithSummary("Reads where the field's messages are forwarded to; secrets are never shown.")
            .Produces<DestinationView>().ProducesProblem(StatusCodes.Status404NotFound);

        routes.Field.MapPut("/destination", PutAsync)
            .Administers("destination", "destination.change").WithName("ChangeDestination").WithTags("Distribution")
            .WithSummary("Replaces the field's destination; a secret that the gateway makes is shown in this answer only.")
            .Produces<DestinationView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);

        routes.Field.MapGet("/connector", (string fieldId, Forwarder forwarder) => TypedResults.Ok(View(fieldId, forwarder)))
            .Reads("destination").WithName("ReadConnector").WithTags("Distribution").WithSummary("Reads how forwarding to the field's destination is doing.")
            .Produces<ConnectorView>();

        routes.Field.MapPost("/connector/stop", (string fieldId, DestinationCatalog destinations, Forwarder forwarder, CancellationToken cancellation) =>
                HoldAsync(fieldId, stopped: true, destinations, forwarder, cancellation))
            .Administers("destination", "connector.stop").WithName("StopConnector").WithTags("Distribution").WithSummary("Stops forwarding; messages wait within the limits of the destination.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);

        routes.Field.MapPost("/connector/start", (string fieldId, DestinationCatalog destinations, Forwarder forwarder, CancellationToken cancellation) =>
                HoldAsync(fieldId, stopped: false, destinations, forwarder, cancellation))
            .Administers("destination", "connector.start").WithName("StartConnector").WithTags("Distribution").WithSummary("Starts forwarding again.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static void MapDeliveries(RouteGroups routes)
    {
        routes.Field.MapGet("/deliveries", DeliveriesAsync)
            .Reads("deliveries").WithName("ListDeliveries").WithTags("Distribution").WithSummary("Lists what was forwarded and what waits, newest first.")
            .Produces<Page<DeliveryView>>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);

        routes.Field.MapGet("/dead-letters", DeadLettersAsync)
            .Reads("deliveries").WithName("ListDeadLetters").WithTags("Distribution").WithSummary("Lists messages that the destination refused for good, newest first.")
            .Produces<Page<DeadLetterView>>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);

        routes.Field.MapPost("/dead-letters/replay", ReplayAsync)
            .Administers("deliveries", "dead-letters.replay").WithName("ReplayDeadLetters").WithTags("Distribution").WithSummary("Puts dead letters back into the queue.")
            .Produces<ReplayResult>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> PutAsync(
        string fieldId, DestinationChange change, HttpContext context, DestinationCatalog destinations, Forwarder forwarder, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var check = new DestinationCheck(key => texts.Get(key, language));
        var before = destinations.Of(fieldId);
        if (check.Apply(change, before?.Destination) is not { } destination)
        {
            return Problem.Of(CommonProblems.Invalid, check.Faults);
        }

        // Kept secrets come from the version that was read here, so that very version must still be in force.
        if (!await destinations.ReplaceAsync(fieldId, destination, change.Version ?? before?.Version ?? 0, cancellation).ConfigureAwait(false))
        {
            return Problem.Of(CommonProblems.Conflict);
        }

        forwarder.Changed(fieldId);
        return TypedResults.Ok(DestinationView.Of(destinations.Of(fieldId)!, check.MadeSecret));
    }

    private static async Task<IResult> HoldAsync(string fieldId, bool stopped, DestinationCatalog destinations, Forwarder forwarder, CancellationToken cancellation)
    {
        if (!await destinations.HoldAsync(fieldId, stopped, cancellation).ConfigureAwait(false))
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        forwarder.Changed(fieldId);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> DeliveriesAsync(
        string fieldId, string? state, string? after, int? limit, HttpContext context, OutboxStore outbox, Texts texts, CancellationToken cancellation)
    {
        var faults = new List<Fault>();
        if (state is not (null or LedgerStates.Quarantined) && !LedgerStates.All.Contains(state))
        {
            faults.Add(new Fault("state", texts.Get("distribution.fault.delivery-state", RequestLanguage.Of(context))));
        }

        var rows = await ListAsync(fieldId, state, after, limit, faults, context, outbox, texts, cancellation).ConfigureAwait(false);
        return rows is null
            ? Problem.Of(CommonProblems.Invalid, faults)
            : TypedResults.Ok(new Page<DeliveryView>([.. rows.Select(DeliveryView.Of)], Next(rows, limit)));
    }

    private static async Task<IResult> DeadLettersAsync(
        string fieldId, string? after, int? limit, HttpContext context, OutboxStore outbox, IMessageStore messages, Texts texts, CancellationToken cancellation)
    {
        var faults = new List<Fault>();
        var rows = await ListAsync(fieldId, LedgerStates.DeadLettered, after, limit, faults, context, outbox, texts, cancellation).ConfigureAwait(false);
        if (rows is null)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var views = new List<DeadLetterView>();
        foreach (var row in rows)
        {
            var chunk = await messages.ReadChunkAsync(row.ChunkId, cancellation).ConfigureAwait(false);
            var message = chunk is not null && row.FromIndex < chunk.Count && chunk[(int)row.FromIndex].FieldId == fieldId ? chunk[(int)row.FromIndex] : null;
            views.Add(new DeadLetterView(
                row.Id, message?.DeviceId, message?.MessageId, row.Count, row.Bytes, row.Reason, row.Attempts, DateTimeOffset.FromUnixTimeMilliseconds(row.SettledAt ?? row.OldestAt)));
        }

        return TypedResults.Ok(new Page<DeadLetterView>(views, Next(rows, limit)));
    }

    private static async Task<IResult> ReplayAsync(
        string fieldId, ReplayRequest request, HttpContext context, OutboxStore outbox, Forwarder forwarder, Texts texts, CancellationToken cancellation)
    {
        var ids = request.Ids?.Select(Parse).ToList();
        if ((request.All == true) == ids is not null || ids?.Count > Paging.Most || ids?.Contains(null) == true)
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/ids", texts.Get("distribution.fault.replay", RequestLanguage.Of(context)))]);
        }

        var count = await outbox.ReplayAsync(fieldId, ids?.Select(i => i!.Value).ToList(), cancellation).ConfigureAwait(false);
        if (count > 0)
        {
            forwarder.Queued(fieldId, count, 0);
        }

        return TypedResults.Ok(new ReplayResult(count));
    }

    private static async Task<IReadOnlyList<OutboxRow>?> ListAsync(
        string fieldId, string? state, string? after, int? limit, List<Fault> faults, HttpContext context, OutboxStore outbox, Texts texts, CancellationToken cancellation)
    {
        var from = after is null ? null : Parse(after);
        if (after is not null && from is null)
        {
            faults.Add(new Fault("after", texts.Get("distribution.fault.after", RequestLanguage.Of(context))));
        }

        return faults.Count > 0 ? null : await outbox.ListAsync(fieldId, state, from, Paging.Limit(limit), cancellation).ConfigureAwait(false);
    }

    private static string? Next(IReadOnlyList<OutboxRow> rows, int? limit) => rows.Count == Paging.Limit(limit) ? rows[^1].Id : null;

    private static (long Chunk, long From)? Parse(string id) =>
        id.Split('-') is [var chunk, var from]
        && long.TryParse(chunk, NumberStyles.None, CultureInfo.InvariantCulture, out var c)
        && long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var f)
            ? (c, f)
            : null;

    private static ConnectorView View(string fieldId, Forwarder forwarder) =>
        forwarder.View(fieldId) ?? new ConnectorView(ConnectorStates.Stopped, null, 0, 0, 0, 0, null, null);
}
