namespace Sekisho.Response.Sim.Carriers;

/// <summary>
/// What a carrier lets its customers do with their SIMs. One instance per field and configuration. There is no call that ends a SIM's contract,
/// and there must never be one. All calls throw <see cref="CarrierException"/> when the carrier does not do its part. Any thread.
/// </summary>
internal interface ISimProvider : IDisposable
{
    /// <summary>Name in facts and logs: lower-case letters, digits and hyphens.</summary>
    string Name { get; }

    /// <summary>False when the carrier has no such order (<see cref="SimStates.Active"/>, <see cref="SimStates.Inactive"/>, <see cref="SimStates.Suspended"/>).</summary>
    bool Offers(string state);

    /// <summary>Signs in and asks for as little as there is, to try the connection.</summary>
    Task TryAsync(CancellationToken cancellation);

    /// <summary>The carrier's own identifier of a SIM; null when it has no such SIM.</summary>
    Task<string?> FindAsync(SimName name, CancellationToken cancellation);

    /// <summary>How the SIM is; null when the carrier has no such SIM (any more).</summary>
    Task<SimStatus?> StatusAsync(string simId, CancellationToken cancellation);

    /// <summary>
    /// Orders a state: suspended (the network refuses the SIM for good, the modem gives up), inactive (refused for now, the modem keeps trying)
    /// or active. The carrier may take its time: returns when the order is taken, not when it shows.
    /// </summary>
    Task OrderAsync(string simId, string state, CancellationToken cancellation);

    /// <summary>Bytes by the carrier's own periods that begin in [from, to); null when the carrier does not tell traffic.</summary>
    Task<IReadOnlyList<SimTraffic>?> TrafficAsync(string simId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation);
}

/// <summary>How a person names a SIM.</summary>
/// <param name="Kind">One of <see cref="SimNames"/>.</param>
/// <param name="Value">As printed, digits only for ICCID and IMSI.</param>
internal sealed record SimName(string Kind, string Value)
{
    /// <summary>The last four characters, for those who may know that there is one.</summary>
    public static string Mask(string value) => value.Length <= 8 ? "***" : "***" + value[^4..];
}

/// <summary>Stable names of the ways to name a SIM.</summary>
internal static class SimNames
{
    public const string SimId = "sim-id";
    public const string Iccid = "iccid";
    public const string Imsi = "imsi";

    public static readonly IReadOnlyList<string> All = [SimId, Iccid, Imsi];

    /// <summary>ICCID: 18 to 22 digits (ITU-T E.118 with padding); IMSI: 6 to 15 digits (ITU-T E.212); a carrier's identifier: what a URL segment takes.</summary>
    public static bool IsName(string kind, string value) => kind switch
    {
        Iccid => value.Length is >= 18 and <= 22 && value.All(char.IsAsciiDigit),
        Imsi => value.Length is >= 6 and <= 15 && value.All(char.IsAsciiDigit),
        SimId => IsSimId(value),
        _ => false,
    };

    public static bool IsSimId(string value) => value.Length is > 0 and <= 64 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

/// <summary>Stable names of a SIM's states, of all carriers.</summary>
internal static class SimStates
{
    /// <summary>Delivered, never used; the first use makes it active.</summary>
    public const string Ready = "ready";

    public const string Active = "active";

    /// <summary>Refused for now.</summary>
    public const string Inactive = "inactive";

    /// <summary>Kept for later at a low fee; the first use makes it active.</summary>
    public const string Standby = "standby";

    /// <summary>Refused for good, until somebody activates it.</summary>
    public const string Suspended = "suspended";

    /// <summary>The contract has ended.</summary>
    public const string Terminated = "terminated";

    public static readonly IReadOnlyList<string> All = [Ready, Active, Inactive, Standby, Suspended, Terminated];

    /// <summary>How much of the SIM is off: 0 not, 1 for now, 2 for good.</summary>
    public static int Weight(string state) => state switch
    {
        Inactive => 1,
        Suspended or Terminated => 2,
        _ => 0,
    };
}

/// <summary>A SIM as its carrier tells it.</summary>
/// <param name="SimId">The carrier's identifier.</param>
/// <param name="State">One of <see cref="SimStates"/>.</param>
/// <param name="Names">Everything it is called: identifier, ICCIDs, IMSIs.</param>
/// <param name="IsOnline">Attached to the network; null when not told.</param>
/// <param name="Address">Address of the session; null when there is none or it is not told.</param>
/// <param name="Cell">Cell as far as it makes a name of a place; null when not told.</param>
internal sealed record SimStatus(string SimId, string State, IReadOnlyList<string> Names, bool? IsOnline, string? Address, string? Cell);

/// <summary>Bytes of one of the carrier's periods.</summary>
/// <param name="At">Its begin.</param>
/// <param name="Up">From the SIM.</param>
/// <param name="Down">To the SIM.</param>
/// <param name="Until">Its end, where the carrier tells the whole of what was asked for; null for one of its usual short periods.</param>
internal sealed record SimTraffic(DateTimeOffset At, long Up, long Down, DateTimeOffset? Until = null);

/// <summary>Why a carrier did not do its part. The message is for people and holds neither addresses nor secrets nor what the carrier wrote.</summary>
internal sealed class CarrierException(string kind, string message, TimeSpan? retryAfter = null) : IOException(message)
{
    /// <summary>One of <see cref="CarrierFaults"/>.</summary>
    public string Kind => kind;

    /// <summary>When the carrier said to come back.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>Stable names of a carrier's faults; each has a text sim.fault.NAME.</summary>
internal static class CarrierFaults
{
    /// <summary>It does not accept the credentials, or they may not do this.</summary>
    public const string Denied = "denied";

    /// <summary>It said that it gets too much (429).</summary>
    public const string Busy = "busy";

    /// <summary>Not reached, no answer in time, or 5xx.</summary>
    public const string Down = "down";

    /// <summary>It answered something that its contract does not have.</summary>
    public const string Nonsense = "nonsense";

    /// <summary>It refuses this order (4xx).</summary>
    public const string Refused = "refused";

    public static readonly IReadOnlyList<string> All = [Denied, Busy, Down, Nonsense, Refused];
}
