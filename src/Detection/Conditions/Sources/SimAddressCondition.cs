using Sekisho.Detection.Conditions.Devices;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Sources;

/// <summary>Parameters of "sim-address".</summary>
/// <param name="ByNetwork">True to compare networks (/24, /48) only: for carriers whose gateways share a pool of addresses.</param>
/// <param name="GraceMs">So long after a new source the carrier's word may still come, milliseconds.</param>
/// <param name="FreshMs">Older words of the carrier say nothing, milliseconds.</param>
/// <param name="Shared">Networks behind which SIMs may appear: NAT and VPN of the carrier or the customer.</param>
internal sealed record SimAddressParameters(bool ByNetwork, long GraceMs, long FreshMs, NetworkList Shared);

/// <summary>
/// A device sends or authenticates from an address that is not the one its SIM has. The carrier tells addresses now and then, so a device
/// may have its new one before the carrier has said so: what differs is found when the carrier contradicts it afterwards, or when the carrier's word
/// has not come within one and a half of its usual distances and the grace. When it comes later and confirms the source, the finding is taken back.
/// Who changes the address from message to message wins no time: what counts is since when sources differ from the address that the carrier stays with.
/// Nothing is said while the carrier has told no address, a private one, or one of the other family.
/// <code>
/// cell 0  hash of the source that differs (its network where networks are compared); 0 for none                cell 1  since when
/// cell 2  journal position of the first event from elsewhere
/// cell 3  when the carrier told an address last         cell 4  usual distance of that, milliseconds
/// cell 5  family of the SIM's address: 4, 6, 0 when it does not compare                   cell 6  1 when the carrier contradicts
/// cell 7  since when sources differ                     cell 8  hash of the address (or network) that the carrier told last
/// cell 9  arrival of the last event from elsewhere      cell 10 1 when the SIM's own address was seen since
/// </code>
/// </summary>
internal sealed class SimAddressCondition(SimAddressParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "sim-address",
        [Scopes.Device],
        TakesMode: false,
        [
            ParameterSpec.Choice("compare", "address", "address", "network"),
            new ParameterSpec("grace", ParameterType.Duration, 0, 86_400, 300),
            new ParameterSpec("fresh", ParameterType.Duration, 60, 90 * 86_400, 7 * 86_400),
            new ParameterSpec("shared", ParameterType.Networks, 0, 64, ParameterValue.Of(Array.Empty<string>())),
        ],
        input => new SimAddressCondition(new SimAddressParameters(
            input.Text("compare") == "network", input.Milliseconds("grace"), input.Milliseconds("fresh"), new NetworkList(input.List("shared")))))
    {
        Reasons = [Network.NetworkCondition.CarrierConfirmed],
    };

    private const long Hour = 3_600_000;

    public int Cells => 11;

    public long QuietAfter => 6 * Hour;

    public bool Concerns(in Signal signal) => signal.Kind switch
    {
        SignalKind.Message or SignalKind.Duplicate => true,
        SignalKind.Authentication => signal.What is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed,
        SignalKind.Sim => signal.Sim?.Address is not null,
        _ => false,
    };

    public Verdict Step(Span<long> state, in Signal signal) => !Concerns(signal) ? Verdict.None : signal.Kind == SignalKind.Sim ? Told(state, signal) : Seen(state, signal);

    public string Reason(ReadOnlySpan<long> state) => Network.NetworkCondition.CarrierConfirmed;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
    {
        Metric = "source-age",
        Unit = "s",
        Measured = Math.Max(0, signal.At - state[7]) / 1000.0,
        ExpectedHigh = Grace(state) / 1000.0,
        Origin = Grace(state) > parameters.GraceMs ? "learnt" : "template",
        Events = [state[2], signal.Position],
        Counterfactual = new Counterfactual("grace", "at-least", Math.Floor(Math.Max(0, signal.At - state[7]) / 1000.0) + 1, "s"),
        Claim = signal.Source.NetworkText,
        Facts = new Dictionary<string, string>
        {
            ["source"] = signal.Source.NetworkText ?? "",
            ["told"] = Facts.Duration((signal.At - state[3]) / 1000 * 1000),
            ["since"] = Facts.Duration(Math.Max(0, signal.At - state[7]) / 1000 * 1000),
            ["carrier"] = state[6] == 1 ? "contradicts" : "silent",
        },
    };

    private Verdict Seen(Span<long> state, in Signal signal)
    {
        if (signal.Source.Bits == 0 || signal.Facts.SimAddress == 0 || state[5] == 0 || state[5] != (signal.Source.IsIPv4 ? 4 : 6) || signal.At - state[3] > parameters.FreshMs)
        {
            return Verdict.None;
        }

        if (IsOwn(signal.Source, signal.Facts))
        {
            // The device itself goes on beside who speaks for it: that ends nothing before the other has been silent for a while.
            state[10] = 1;
            state[0] = signal.At - state[9] > 2 * Grace(state) ? 0 : state[0];
            return state[0] == 0 ? Verdict.Calm : Verdict.None;
        }

        if (state[10] == 1 && state[0] != (long)(parameters.ByNetwork ? signal.Source.Network : signal.Source.Hash))
        {
            // It was at home, and is somewhere new.
            state[0] = 0;
        }

        (state[9], state[10]) = (signal.At, 0);
        if (state[0] == 0)
        {
            (state[2], state[6], state[7]) = (signal.Position, 0, signal.At);
        }

        var source = (long)(parameters.ByNetwork ? signal.Source.Network : signal.Source.Hash);
        if (state[0] != source)
        {
            (state[0], state[1]) = (source, signal.At);
        }

        return state[6] == 1 || signal.At - state[7] >= Grace(state) ? Verdict.Violation : Verdict.None;
    }

    private Verdict Told(Span<long> state, in Signal signal)
    {
        // A word that comes after a later one says nothing of where the SIM is.
        if (signal.EventAt < signal.Facts.SimAddressAt)
        {
            return Verdict.None;
        }

        var distance = signal.At - state[3];
        if (state[3] != 0 && distance > 0)
        {
            state[4] = state[4] == 0 ? distance : state[4] + ((Math.Min(distance, 4 * state[4]) - state[4]) / 4);
        }

        state[3] = signal.At;
        var address = SourceKey.Of(signal.Sim!.Address!);
        state[5] = address.Bits == 0 || NetworkList.Private.Contains(address) ? 0 : address.IsIPv4 ? 4 : 6;
        var told = (long)(parameters.ByNetwork ? signal.Facts.SimNetwork : signal.Facts.SimAddress);
        var hasMoved = told != state[8];
        state[8] = told;
        if (state[0] == 0)
        {
            return Verdict.None;
        }

        if (told == state[0])
        {
            state[0] = 0;
            return Verdict.Retract;
        }

        // A SIM that gets address after address is followed: only the source of now waits for the carrier's word.
        if (hasMoved)
        {
            (state[6], state[7]) = (0, state[1]);
        }

        // What the carrier says of a time after the source was seen contradicts it; it is found with the next message from elsewhere.
        state[6] = signal.EventAt > state[7] && state[5] != 0 ? 1 : state[6];
        return Verdict.None;
    }

    private bool IsOwn(in SourceKey source, in DeviceFacts facts) =>
        (parameters.ByNetwork ? source.Network == facts.SimNetwork : source.Hash == facts.SimAddress) || parameters.Shared.Contains(source);

    private long Grace(ReadOnlySpan<long> state) => Math.Max(parameters.GraceMs, state[4] * 3 / 2);
}
