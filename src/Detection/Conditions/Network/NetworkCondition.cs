using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Network;

/// <summary>
/// From which networks a device or a user authenticates and sends. Networks are /24 of IPv4 and /48 of IPv6. They are learnt first; those
/// that the field names as its own, and the one in which the carrier says the SIM is, are never foreign. Three stages:
/// <para>
/// A new network is told once and is one of its own from then on, unless an exception is wanted on record (the claim is the network). A subject
/// that finds new ones again and again roams: to it a network means nothing. What the carrier confirms later is taken back.
/// </para>
/// <para>
/// Distant: it authenticates from two networks within an hour that are far apart and not both its own. Nobody knows where addresses are, so far
/// apart means another /16 of IPv4 or another /32 of IPv6: providers and schools hold at least that much in one piece as a rule, whereas two homes,
/// or a home and a school, mostly lie in two. Addresses of different families are not compared (one line has both), nor private ones, nor those of
/// a device whose carrier tells its address. A second sender that must wait counts: its credentials were right.
/// </para>
/// <para>
/// Suspected theft: after failed attempts, a success from a foreign network with a new client at an hour at which it is not heard or nobody is
/// expected. What alarmed does not become usual before half a day has gone and nothing is raised.
/// </para>
/// <code>
/// cell 0  time of the first clean sight     cell 1  clean sights
/// cell 2  stage of the last violation + 1   cell 3  what it measured: networks known before, milliseconds apart, or failed attempts
/// cell 4  until then an alarm is not over   cell 5  new networks of about a month       cell 6  time of their last halving
/// cell 7  failed attempts since the last success        cell 8  time of the last of them
/// cell 9  new network that the carrier may confirm; 0 for none         cell 10 journal position of the success that was too far away
/// cell 11 quarter of an hour whose hour was taken last
/// cell 12-15, 16-19  last success over IPv4, IPv6: region, network (-1 for one that is never foreign), time, journal position
/// then    networks, usual use
/// </code>
/// </summary>
internal sealed class NetworkCondition(NetworkParameters parameters, TimeZoneInfo zone) : ICondition
{
    /// <summary>Reason: the carrier says that the SIM has an address there.</summary>
    public const string CarrierConfirmed = "carrier-confirmed";

    public static readonly ConditionKind Kind = new(
        "network",
        [Scopes.Device, Scopes.User],
        TakesMode: false,
        NetworkParameters.Specs,
        input => new NetworkCondition(NetworkParameters.Of(input), input.Zone))
    {
        Stages = ["new-network", "distant", "suspected-theft"],
        Reasons = [CarrierConfirmed],
    };

    /// <summary>So many new networks in about a month make a subject a roaming one.</summary>
    public const int RoamingAfter = 8;

    private const int Lasts = 12;
    private const int LastCells = 4;
    private const int Networks = Lasts + (2 * LastCells);
    private const int Use = Networks + NetworkSet.Cells;

    private const int NewStage = 0;
    private const int DistantStage = 1;
    private const int TheftStage = 2;

    private const long Hour = 3_600_000;
    private const long Quarter = Hour / 4; // zones differ by no less
    private const long Halving = 30 * 24 * Hour;
    private const long UsualAfter = 12 * Hour;
    private const long Lasting = 6 * Hour;

    // For so long what the carrier said of the address is worth something.
    private const long CarrierMemory = 48 * Hour;

    public int Cells => Use + UsualUse.Cells;

    public long QuietAfter => Lasting;

    public bool Concerns(in Signal signal) => signal.Kind switch
    {
        SignalKind.Message or SignalKind.Sim => true,
        SignalKind.Authentication => signal.What is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed,
        SignalKind.Refusal => signal.What is RefusalReasons.WrongSecret or RefusalReasons.Pending,
        _ => false,
    };

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal))
        {
            return Verdict.None;
        }

        if (signal.Kind == SignalKind.Sim)
        {
            return Told(state, signal);
        }

        if (signal is { Kind: SignalKind.Refusal, What: RefusalReasons.WrongSecret })
        {
            state[7] = Failed(state, signal.At) + signal.Count;
            state[8] = signal.At;
            return Verdict.None;
        }

        return signal.Source.Network == 0 ? Verdict.None : Seen(state, signal);
    }

    public int Stage(ReadOnlySpan<long> state) => (int)state[2] - 1;

    public string Reason(ReadOnlySpan<long> state) => CarrierConfirmed;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var (stage, measured) = (Stage(state), state[3]);
        var facts = new Dictionary<string, string>
        {
            ["network"] = signal.Source.NetworkText ?? "",
            ["known"] = Facts.Whole(measured),
            ["event"] = signal.Kind == SignalKind.Message ? "message" : "authentication",
            ["at"] = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(signal.At), zone).ToString("HH:mm", CultureInfo.InvariantCulture),
        };
        var evidence = new Evidence
        {
            Metric = "networks",
            Unit = "count",
            Measured = measured,
            Origin = !parameters.Networks.IsEmpty ? "template" : "learnt",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("learnFor", "at-least", Math.Floor((signal.At - state[0]) / 1000.0) + 1, "s"),
            Claim = signal.Source.NetworkText,
            Facts = facts,
        };
        switch (stage)
        {
            case DistantStage:
                facts["apart"] = Facts.Duration(measured / 1000 * 1000);
                facts["within"] = Facts.Duration(parameters.WithinMs);
                return evidence with
                {
                    Metric = "apart",
                    Unit = "s",
                    Measured = measured / 1000.0,
                    ExpectedLow = parameters.WithinMs / 1000.0,
                    Events = [state[10], signal.Position],
                    Counterfactual = new Counterfactual("distantWithin", "at-most", Math.Floor(measured / 1000.0), "s"),
                };
            case TheftStage:
                facts["failures"] = Facts.Whole(measured);
                return evidence with
                {
                    Metric = "failures",
                    ExpectedHigh = parameters.Failures - 1,
                    Counterfactual = new Counterfactual("failures", "at-least", measured + 1, "count"),
                };
            default:
                return evidence;
        }
    }

    private static ReadOnlySpan<long> LastOf(ReadOnlySpan<long> state, in Signal signal) =>
        state.Slice(signal.Source.IsIPv4 ? Lasts : Lasts + LastCells, LastCells);

    private static bool IsSuccess(in Signal signal) => signal.Kind == SignalKind.Authentication;

    private static bool TellsAddress(in Signal signal) => signal.Facts.SimNetwork != 0 && signal.At - signal.Facts.SimAddressAt <= CarrierMemory;

    private Verdict Seen(Span<long> state, in Signal signal)
    {
        var networks = new NetworkSet(state[Networks..]);
        var key = (long)signal.Source.Network;
        var isOwn = parameters.Networks.Contains(signal.Source) || (TellsAddress(signal) && signal.Facts.SimNetwork == signal.Source.Network);
        var isPeaceful = signal.IsClean && signal.Kind != SignalKind.Refusal;
        var standing = isOwn ? Standing.Usual : networks.Of(key, signal.At, isPeaceful);
        var isLearnt = state[1] >= parameters.Sights && signal.At - state[0] >= parameters.LearnMs;
        var stage = -1;
        if ((isLearnt || !parameters.Networks.IsEmpty) && CountNew(state, standing, signal.At) < RoamingAfter)
        {
            stage = IsTheft(state, signal, standing, isLearnt) ? TheftStage
                : IsDistant(state, signal, standing) ? DistantStage
                : standing == Standing.Unknown ? NewStage
                : -1;
        }

        Learn(state, signal, isOwn, standing, stage, isPeaceful && stage < DistantStage, isLearnt || !parameters.Networks.IsEmpty);
        if (stage < 0)
        {
            // What the carrier may still confirm stays open for it.
            return standing == Standing.Usual && signal.At >= state[4] && state[9] == 0 ? Verdict.Calm : Verdict.None;
        }

        (state[2], state[4]) = (stage + 1, stage == NewStage ? state[4] : signal.At + Lasting);
        return Verdict.Violation;
    }

    /// <summary>The carrier told where the SIM is.</summary>
    private static Verdict Told(Span<long> state, in Signal signal)
    {
        if (state[9] == 0 || signal.Facts.SimNetwork != (ulong)state[9])
        {
            return Verdict.None;
        }

        (state[5], state[9]) = (Math.Max(0, state[5] - 1), 0);
        return state[2] == NewStage + 1 ? Verdict.Retract : Verdict.None;
    }

    /// <summary>Failed attempts shortly before.</summary>
    private long Failed(ReadOnlySpan<long> state, long at) => at - state[8] <= parameters.WithinMs ? state[7] : 0;

    /// <summary>How many new networks it had in about a month before this one.</summary>
    private static long CountNew(Span<long> state, Standing standing, long at)
    {
        if (at - state[6] >= Halving)
        {
            (state[5], state[6]) = (state[5] / 2, at);
        }

        var before = state[5];
        state[5] += standing == Standing.Unknown ? 1 : 0;
        return before;
    }

    private bool IsTheft(Span<long> state, in Signal signal, Standing standing, bool isLearnt)
    {
        if (!IsSuccess(signal) || standing == Standing.Usual || Failed(state, signal.At) < parameters.Failures)
        {
            return false;
        }

        var use = new UsualUse(state[Use..]);
        if (!use.IsNewClient(signal.Client) || !(parameters.Night.Contains(signal.At) || (isLearnt && use.IsQuietHour(Local(signal.At)))))
        {
            return false;
        }

        state[3] = state[7];
        return true;
    }

    private long Local(long at) => at + (long)zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(at)).TotalMilliseconds;

    private bool IsDistant(Span<long> state, in Signal signal, Standing standing)
    {
        var last = LastOf(state, signal);
        var region = parameters.RegionOf(signal.Source);
        if (signal.Kind == SignalKind.Message || region == 0 || last[0] == 0 || last[0] == region || signal.At - last[2] > parameters.WithinMs || TellsAddress(signal)
            || (standing == Standing.Usual && (last[1] == -1 || new NetworkSet(state[Networks..]).Of(last[1], signal.At, mayLearn: false) == Standing.Usual)))
        {
            return false;
        }

        (state[3], state[10]) = (signal.At - last[2], last[3]);
        return true;
    }

    // A sender that must wait teaches nothing, nor does what alarms.
    private void Learn(Span<long> state, in Signal signal, bool isOwn, Standing standing, int stage, bool mayLearn, bool isSpeaking)
    {
        var key = (long)signal.Source.Network;
        var use = new UsualUse(state[Use..]);
        var networks = new NetworkSet(state[Networks..]);
        if (stage == NewStage)
        {
            (state[3], state[9]) = (networks.Usual(signal.At), TellsAddress(signal) ? key : 0);
        }

        if (!isOwn && (mayLearn || isSpeaking))
        {
            networks.Take(key, signal.At, mayLearn ? 0 : signal.At + UsualAfter, mayLearn);
        }

        if (mayLearn)
        {
            state[0] = state[1]++ == 0 ? signal.At : state[0];
        }

        if (mayLearn && standing != Standing.Seen && signal.At / Quarter != state[11])
        {
            state[11] = signal.At / Quarter;
            use.TakeHour(Local(signal.At));
        }

        if (!IsSuccess(signal))
        {
            return;
        }

        if (mayLearn && standing != Standing.Seen)
        {
            use.TakeClient(signal.Client, signal.At);
        }

        state[7] = 0;
        var last = state.Slice(signal.Source.IsIPv4 ? Lasts : Lasts + LastCells, LastCells);
        (last[0], last[1], last[2], last[3]) = (parameters.RegionOf(signal.Source), isOwn ? -1 : key, signal.At, signal.Position);
    }
}
