using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Operations;

namespace Sekisho.Distribution.Flow;

/// <summary>Reads and sets which steps of the flow a field has switched on.</summary>
internal static class FlowRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/flow", (string fieldId, FlowCatalog flows) => TypedResults.Ok(Shown(fieldId, flows)))
            .Reads("flow").WithName("ReadFlow").WithTags("Distribution")
            .WithSummary("Reads which steps of the flow are on: sampling, statistics, validation, forwarding, logging.")
            .Produces<FlowView>();

        routes.Field.MapPut("/flow", PutAsync)
            .Administers("flow", "flow.change").WithName("ChangeFlow").WithTags("Distribution")
            .WithSummary("Switches steps of the flow on or off; a switch that is left out is on. It holds for the next message.")
            .Produces<FlowView>().ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> PutAsync(string fieldId, FlowChange change, FlowCatalog flows, CancellationToken cancellation)
    {
        var switches = new FlowSwitches(change.Sampling ?? true, change.Statistics ?? true, change.Validation ?? true, change.Forwarding ?? true, change.Logging ?? true);
        return await flows.ReplaceAsync(fieldId, switches, change.Version, cancellation).ConfigureAwait(false) is null
            ? Problem.Of(CommonProblems.Conflict)
            : TypedResults.Ok(Shown(fieldId, flows));
    }

    private static FlowView Shown(string fieldId, FlowCatalog flows)
    {
        var (now, version) = flows.Written(fieldId) ?? (FlowSwitches.Default, 0);
        return new FlowView(version, now.Sampling, now.Statistics, now.Validation, now.Forwarding, now.Logging);
    }
}

/// <summary>The switches in force. Version 0 means the default.</summary>
internal sealed record FlowView(long Version, bool Sampling, bool Statistics, bool Validation, bool Forwarding, bool Logging);

/// <summary>The switches to set, whole. Version, when given, must be the one in force.</summary>
internal sealed record FlowChange(bool? Sampling, bool? Statistics, bool? Validation, bool? Forwarding, bool? Logging, long? Version);
