namespace Sekisho.Benchmarks.Sensor;

/// <summary>A goal and what was measured; <see cref="Met"/> is null where what it is compared with is not there.</summary>
internal sealed record Goal(string What, double Wanted, double? Measured, bool AtMost = false)
{
    public bool? Met => Measured is { } value ? (AtMost ? value <= Wanted : value >= Wanted) : null;
}

/// <summary>What the sensor has to reach, offline as ratios within one run.</summary>
internal static class Goals
{
    public const string Iot = "iot";
    public const string Real = "real";
    public const string Synthetic = "synth100k";

    public static readonly IReadOnlyList<string> Loads = [Iot, Real, Synthetic];

    private const double Usual = 3;
    private const double ManyFlows = 12;
    private const double OfFloor = 0.5;
    private const double FlowBytes = 256;

    public static IReadOnlyList<Goal> Of(OfflineResult result, string? load)
    {
        var goals = new List<Goal> { new("bytes per flow", FlowBytes, result.BytesPerFlow, AtMost: true), new("totals are those of the floor", 1, result.TotalsAgree is { } agree ? (agree ? 1 : 0) : null) };
        if (load is not null)
        {
            // The better of the two has the smaller ratio.
            double?[] peers = [result.Row(Peers.SoftflowdIPv6)?.Ratio, result.Row(Peers.Nfpcapd)?.Ratio];
            goals.Add(new("times the better of softflowd -6 and nfpcapd", load == Synthetic ? ManyFlows : Usual, peers.Min()));
            goals.Add(new("observing, of the C floor", OfFloor, result.Row(Peers.Floor)?.Ratio));
        }

        return goals;
    }
}
