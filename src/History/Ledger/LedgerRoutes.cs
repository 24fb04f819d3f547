using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
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
            .Produces<FieldLedger>();
        routes.Ops.MapGet("/ledger", OfGatewayAsync)
            .Watches("ledger")
            .WithName("getGatewayLedger").WithTags("History")
            .WithSummary("What became of every message of the gateway, and the residue, which is 0 unless messages were lost.")
            .Produces<LedgerReport>();
    }

    private static async Task<IResult> OfFieldAsync(string fieldId, LedgerReader reader, FieldClock times, CancellationToken cancellation)
    {
        var report = await reader.ReadAsync(cancellation).ConfigureAwait(false);
        var field = report.Fields.First(f => f.FieldId == fieldId);
        return Results.Ok(field with { At = times.In(fieldId, field.At) });
    }

    private static async Task<IResult> OfGatewayAsync(HttpContext context, LedgerReader reader)
    {
        var report = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
        return Results.Ok(report);
    }
}
