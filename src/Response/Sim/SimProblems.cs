using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;

namespace Sekisho.Response.Sim;

/// <summary>Problems of the routes about SIMs. Slugs are append-only.</summary>
internal static class SimProblems
{
    /// <summary>The field has no carrier.</summary>
    public static readonly ProblemType NoProvider = new("sim-no-provider", StatusCodes.Status409Conflict);

    /// <summary>A response keeps a SIM of the field off, and its undo needs the carrier.</summary>
    public static readonly ProblemType InUse = new("sim-provider-in-use", StatusCodes.Status409Conflict);

    /// <summary>The carrier did not do its part.</summary>
    public static readonly ProblemType Carrier = new("sim-carrier", StatusCodes.Status502BadGateway);

    /// <summary>The carrier has no such SIM.</summary>
    public static readonly ProblemType Unknown = new("sim-unknown", StatusCodes.Status409Conflict);

    /// <summary>The SIM is among those that nobody may switch off.</summary>
    public static readonly ProblemType Forbidden = new("sim-forbidden", StatusCodes.Status409Conflict);

    /// <summary>The SIM belongs to another field.</summary>
    public static readonly ProblemType Taken = new("sim-taken", StatusCodes.Status409Conflict);

    public static readonly IReadOnlyList<ProblemType> All = [NoProvider, InUse, Carrier, Unknown, Forbidden, Taken];
}
