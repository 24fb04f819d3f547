using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.History.Zones;

namespace Sekisho.History.Ledger;

/// <summary>Routes of the ledger.</summary>
internal static class LedgerRoutes
{
    /// <summary>Maps them.</summary>
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/ledger", OfFieldAsync)
            .Reads("ledger")
            .WithName("getFieldLedger").WithTags("History")
            .WithSummary("What became of the field's messages: accepted = queued + forwarded + dropped + expired + deadLettered + residue.")
            .Produces<FieldLedger>().ProducesProblem(StatusCodes.Status404NotFound);
        routes.Ops.MapGet("/ledger", OfGatewayAsync)
            .Watches("ledger")
            .WithName("getGatewayLedger").WithTags("History")
            .WithSummary("What became of every message of the gateway, and the residue, which is 0 unless messages were lost.")
            .Produces<LedgerReport>();
    }

    private static async Task<IResult> OfFieldAsync(string fieldId, LedgerReader reader, FieldClock times, CancellationToken cancellation)
    {
        var report = await reader.ReadAsync(cancellation).ConfigureAwait(false);

        // Deleted since the route was entered, and without a message ever.
        return report.Fields.FirstOrDefault(f => f.FieldId == fieldId) is { } field
            ? Results.Ok(field with { At = times.In(fieldId, field.At) })
            : Problem.Of(CommonProblems.NotFound);
    }

    private static async Task<IResult> OfGatewayAsync(HttpContext context, LedgerReader reader)
    {
        var report = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
        return Results.Ok(report);
    }
}
