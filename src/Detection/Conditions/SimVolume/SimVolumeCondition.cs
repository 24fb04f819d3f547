using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.SimVolume;

/// <summary>
/// What the SIM was billed against what the gateway saw, from the device and to it apart, over the newest hours. More from the device than was seen
/// went somewhere else: "mismatch". More to it than was seen, and nothing more from it, is a stranger whom nobody answers: "exposed".
/// A carrier bills IP and TCP as well; the gateway counts what TCP carries and adds the packets that go with it. What is usual of a device beyond
/// that is learnt slowly from hours in which nothing was wrong. Repeats and requests that broke off are on the wire, so they explain
/// themselves; what a device says about its retries explains nothing. Hours in which the gateway was down, or did not count, are left out.
/// A fact is judged when the traffic of its last minute has been told, at once where it comes late.
/// <code>
/// cell 0  arrival time of the last signal         cell 1  downtime of the gateway at that moment
/// cell 2  arrival time of the first message that no traffic was told for; 0 for none
/// cell 3  end of the first fact to be judged; 0 for none        cell 4  journal position of the newest fact
/// cell 5  stage of the last judgement + 1         cell 6  1 when it was over a limit by a share that is a guess
/// cell 7  usual ratio, a double                   cell 8  minutes it rests on      cell 9  minutes billed since it was learnt
/// cell 10 usual ratio of the first week, a double
/// then    the hours
/// </code>
/// </summary>
internal sealed class SimVolumeCondition(SimVolumeParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "sim-volume",
        [Scopes.Device],
        TakesMode: false,
        [
            new ParameterSpec("period", ParameterType.Duration, 3600, 7 * 86_400, 86_400),
            new ParameterSpec("percent", ParameterType.Percent, 0, 1000, 20),
            new ParameterSpec("floor", ParameterType.Bytes, 0, 1L << 30, 10_000),
            new ParameterSpec("inbound", ParameterType.Bytes, 0, 1L << 30, 100_000),
        ],
        input => new SimVolumeCondition(SimVolumeParameters.Of(input)))
    {
        Stages = ["exposed", "mismatch"],
    };

    /// <summary>IP and TCP with the time stamps most systems send are 52 bytes a packet on IPv4, and 60 without them on IPv6.</summary>
    public const int Header = 60;

    /// <summary>Bytes of TCP's load in a full packet on mobile networks.</summary>
    public const int Segment = 1400;

    private const int Own = 11;
    private const int ExposedStage = 0;
    private const int MismatchStage = 1;
    private const long Minute = 60_000;

    // Traffic is told by the minute, and takes a moment.
    private const long Grace = 2 * Minute;

    // Facts of a day may come a day later.
    private const int LateHours = 26;

    // What is usual is known after half a day; then each period moves it, by a seventh of the distance at most, in the end by a thirtieth.
    private const long KnownMinutes = 12 * 60;
    private const long WeekMinutes = 7 * 24 * 60;
    private const long MemoryMinutes = 30 * 24 * 60;
    private const double LeastUsual = 0.8;
    private const double MostUsual = 1.5;

    // What grows too slowly to be seen from one period to the next still ends at a tenth above what was usual in the first week.
    private const double MostGrowth = 1.1;

    public int Cells => Own + HourLedger.CellsFor(parameters.Hours + LateHours);

    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Sim or SignalKind.Traffic or SignalKind.Message or SignalKind.Tick;

    public int Stage(ReadOnlySpan<long> state) => (int)Math.Max(0, state[5] - 1);

    public long Due(ReadOnlySpan<long> state, long at, long downtime) => state[3] == 0 ? long.MaxValue : state[3] + Grace;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (signal.Kind == SignalKind.Message)
        {
            state[2] = state[2] == 0 ? signal.At : state[2];
            return Verdict.None;
        }

        var ledger = new HourLedger(state[Own..]);
        Watch(state, ledger, signal);
        if (signal.Traffic is { } traffic)
        {
            state[2] = 0;
            See(ledger, traffic, signal.At);
        }
        else if (signal.Sim is { } sim)
        {
            Bill(state, ledger, sim, signal);
        }

        return state[3] != 0 && signal.At >= state[3] + Grace ? Judge(state, signal.IsClean) : Verdict.None;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var sum = HourLedger.Sum(state[Own..], parameters.Hours);
        var usual = Usual(state);
        var (allowedUp, allowedDown) = Allowed(sum, usual);
        var isMismatch = Stage(state) == MismatchStage;
        var (billed, seen, allowed) = isMismatch ? (sum.BilledUp, sum.SeenUp, allowedUp) : (sum.BilledDown, sum.SeenDown, allowedDown);
        var percent = seen == 0 ? double.MaxValue : Math.Ceiling(Math.Max(0, ((billed - parameters.Floor) / (seen * usual)) - 1) * 100);
        var facts = new Dictionary<string, string>
        {
            ["billedUp"] = Facts.Whole(sum.BilledUp),
            ["billedDown"] = Facts.Whole(sum.BilledDown),
            ["seenUp"] = Facts.Whole(sum.SeenUp),
            ["seenDown"] = Facts.Whole(sum.SeenDown),
            ["allowedUp"] = Facts.Whole(allowedUp),
            ["allowedDown"] = Facts.Whole(allowedDown),
            ["unexplained"] = Facts.Whole(billed - seen),
            ["period"] = Facts.Duration(sum.Minutes * Minute),
        };
        if (state[8] >= KnownMinutes)
        {
            facts["usual"] = usual.ToString("0.00", CultureInfo.InvariantCulture);
        }

        return new Evidence
        {
            Metric = "sim-volume",
            Unit = "bytes",
            Measured = billed,
            ExpectedHigh = allowed,
            Origin = state[8] >= KnownMinutes ? "learnt" : "template",
            Events = [state[4]],
            Counterfactual = !isMismatch
                ? new Counterfactual("inbound", "at-least", billed - allowedDown + parameters.Inbound, "bytes")
                : percent <= 1000
                    ? new Counterfactual("percent", "at-least", percent, "percent")
                    : new Counterfactual("floor", "at-least", billed - allowedUp + parameters.Floor, "bytes"),
            Facts = facts,
        };
    }

    /// <summary>Hours in which the gateway was down since the last signal, or had messages that no traffic was told for, are void.</summary>
    private static void Watch(Span<long> state, in HourLedger ledger, in Signal signal)
    {
        var now = signal.At / HourLedger.Hour;
        ledger.Move(now);
        if (signal.Downtime != state[1] && state[0] != 0)
        {
            ledger.Void(state[0] / HourLedger.Hour, now);
        }

        if (state[2] != 0 && signal.At - state[2] > Grace + Minute)
        {
            ledger.Void(state[2] / HourLedger.Hour, now);
        }

        (state[0], state[1]) = (signal.At, signal.Downtime);
    }

    /// <summary>
    /// Adds the packets that a carrier bills with what TCP carried: full ones; a request or an answer ends in one that is not full, and is acknowledged
    /// by one; every second full one is acknowledged; a connection is opened, secured and closed with 6 packets from the device and 5 to it.
    /// </summary>
    private static void See(in HourLedger ledger, TrafficFactEvent traffic, long at)
    {
        var hour = Math.Min(traffic.From.ToUnixTimeMilliseconds(), at) / HourLedger.Hour;
        if (traffic.WireUp is not { } up || traffic.WireDown is not { } down)
        {
            ledger.Void(hour, hour);
            return;
        }

        var upPackets = (up / Segment) + (down / Segment / 2) + (2L * traffic.Requests) + (6L * traffic.Handshakes);
        var downPackets = (down / Segment) + (up / Segment / 2) + (2L * traffic.Requests) + (5L * traffic.Handshakes);
        ledger.AddSeen(hour, up + (upPackets * Header), down + (downPackets * Header));
    }

    private static void Bill(Span<long> state, in HourLedger ledger, SimFactEvent fact, in Signal signal)
    {
        var from = fact.From.ToUnixTimeMilliseconds() / Minute;
        var to = Math.Min(fact.To.ToUnixTimeMilliseconds(), signal.At) / Minute;
        if (from < 0 || to <= from || fact.To - fact.From < TimeSpan.FromMinutes(1) || (fact.UplinkBytes is null && fact.DownlinkBytes is null))
        {
            return;
        }

        var fresh = ledger.AddBilled(from, to, Math.Max(0, fact.UplinkBytes ?? 0), Math.Max(0, fact.DownlinkBytes ?? 0));
        if (fresh > 0)
        {
            state[3] = state[3] == 0 ? to * Minute : state[3];
            state[4] = signal.Position;
            state[9] += fresh;
        }
    }

    private Verdict Judge(Span<long> state, bool isClean)
    {
        state[3] = 0;
        var sum = HourLedger.Sum(state[Own..], parameters.Hours);
        if (sum.Minutes == 0 || sum.SeenUp + sum.SeenDown == 0)
        {
            return Verdict.None;
        }

        var (allowedUp, allowedDown) = Allowed(sum, Usual(state));
        var stage = sum.BilledUp > allowedUp ? MismatchStage : sum.BilledDown > allowedDown ? ExposedStage : -1;
        if (stage < 0)
        {
            (state[5], state[6]) = (0, 0);
            Learn(state, sum, isClean);
            return Verdict.Calm;
        }

        // A burst that has just left the period may have left a share of its bill behind; an hour later that is gone.
        state[9] = 0;
        if (sum.IsCut && state[5] <= stage && state[6] == 0)
        {
            state[6] = 1;
            return Verdict.None;
        }

        (state[5], state[6]) = (stage + 1, 1);
        return Verdict.Violation;
    }

    /// <summary>Learns from whole periods, which are over a limit before they are over when something is wrong, and never from one that is half way to it.</summary>
    private void Learn(Span<long> state, in Compared sum, bool isClean)
    {
        if (state[9] < (state[8] == 0 ? Math.Min(KnownMinutes, parameters.Hours * 60) : parameters.Hours * 60))
        {
            return;
        }

        var usual = state[8] == 0 ? MostUsual : BitConverter.Int64BitsToDouble(state[7]);
        var ratio = sum.SeenUp == 0 ? 0 : Math.Clamp((double)sum.BilledUp / sum.SeenUp, LeastUsual, MostUsual);
        if (isClean && sum.BilledUp > 0 && ratio > 0 && ratio <= usual * (200 + parameters.Percent) / 200)
        {
            usual = state[8] == 0 ? ratio : usual + ((ratio - usual) * Math.Min(state[9], WeekMinutes) / Math.Max(WeekMinutes, state[8]));
            var isFirstWeek = state[8] < WeekMinutes;
            usual = isFirstWeek ? usual : Math.Min(usual, BitConverter.Int64BitsToDouble(state[10]) * MostGrowth);
            state[7] = BitConverter.DoubleToInt64Bits(usual);
            state[10] = isFirstWeek ? state[7] : state[10];
            state[8] = Math.Min(state[8] + state[9], MemoryMinutes);
        }

        state[9] = 0;
    }

    private static double Usual(ReadOnlySpan<long> state) => state[8] >= KnownMinutes ? BitConverter.Int64BitsToDouble(state[7]) : 1;

    private (long Up, long Down) Allowed(in Compared sum, double usual)
    {
        var factor = usual * (100 + parameters.Percent) / 100;
        return ((long)(sum.SeenUp * factor) + parameters.Floor, (long)(sum.SeenDown * factor) + parameters.Inbound);
    }
}
