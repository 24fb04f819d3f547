using Sekisho.Detection.Conditions.Devices;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Sources;

/// <summary>Parameters of "shared-source".</summary>
/// <param name="Devices">So many devices that have moved to one address are too many.</param>
/// <param name="WindowMs">Within this time, milliseconds.</param>
/// <param name="LearnMs">An address that has been shared for so long is an uplink, milliseconds.</param>
/// <param name="Networks">Uplinks that the field knows.</param>
internal sealed record SharedSourceParameters(int Devices, long WindowMs, long LearnMs, NetworkList Networks);

/// <summary>
/// Devices that had addresses of their own are all at one within a short time, and that is no uplink that anybody knows: somebody speaks for
/// all of them, or carries them through a machine of the own.
/// <para>
/// An uplink is what the field names; an address at which as many devices have begun (a school, a factory behind NAT); one at which devices have
/// stayed together for a while, without a pause of half of it, and then all of its network. Devices of one gateway unit are one, and so are devices
/// that come from one former address: a household whose router has a new one has moved, nobody else. What the SIM has as its address is no move at
/// all.
/// </para>
/// <code>
/// cell 0       number of devices at the last violation    cell 1  place of the next move
/// then         uplinks: hash of an address or a network, time of the last sight; the one unseen for longest makes room
/// then         shared addresses that are no uplink yet: hash, since when, last sight of another device than before, hash of that device
/// then         moves: hash of the device or its unit, hash of the address, of the one before (0 for none), arrival
/// </code>
/// </summary>
internal sealed class SharedSourceCondition(SharedSourceParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "shared-source",
        [Scopes.Field],
        TakesMode: false,
        [
            new ParameterSpec("devices", ParameterType.Count, 2, 32, 3),
            new ParameterSpec("window", ParameterType.Duration, 60, 7 * 86_400, 3600),
            new ParameterSpec("learn", ParameterType.Duration, 3600, 90 * 86_400, 7 * 86_400),
            new ParameterSpec("networks", ParameterType.Networks, 0, 64, ParameterValue.Of(Array.Empty<string>())),
        ],
        input => new SharedSourceCondition(new SharedSourceParameters(
            input.Whole("devices"), input.Milliseconds("window"), input.Milliseconds("learn"), new NetworkList(input.List("networks")))));

    /// <summary>Uplinks kept.</summary>
    public const int Uplinks = 64;

    /// <summary>Shared addresses kept that are no uplink yet.</summary>
    public const int Candidates = 16;

    /// <summary>Moves kept.</summary>
    public const int Moves = 128;

    private const int UplinksFrom = 2;
    private const int CandidatesFrom = UplinksFrom + (2 * Uplinks);
    private const int MovesFrom = CandidatesFrom + (4 * Candidates);

    public int Cells => MovesFrom + (4 * Moves);

    public long QuietAfter => parameters.WindowMs;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message && signal.DeviceId is not null && signal.Source.Hash != 0;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || signal.Facts.SimAddress == signal.Source.Hash)
        {
            return Verdict.None;
        }

        if (signal.Facts.LastSource == signal.Source.Hash)
        {
            Stay(state, signal);
            return Verdict.None;
        }

        if (parameters.Networks.Contains(signal.Source) || IsUplink(state, signal))
        {
            return Verdict.None;
        }

        Note(state, signal);
        var (moved, begun) = Count(state, signal);
        if (begun >= parameters.Devices)
        {
            Learn(state, (long)signal.Source.Hash, signal.At);
            return Verdict.None;
        }

        if (moved < parameters.Devices || !IsNew(state, signal))
        {
            return Verdict.None;
        }

        state[0] = moved;
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
    {
        Metric = "moved-devices",
        Unit = "count",
        Measured = state[0],
        ExpectedHigh = parameters.Devices - 1,
        Origin = "template",
        Events = [signal.Position],
        Counterfactual = new Counterfactual("devices", "at-least", state[0] + 1, "count"),
        Claim = signal.Source.NetworkText,
        Facts = new Dictionary<string, string> { ["source"] = signal.Source.NetworkText ?? "", ["window"] = Facts.Duration(parameters.WindowMs), ["limit"] = Facts.Whole(parameters.Devices) },
    };

    private static bool IsUplink(Span<long> state, in Signal signal)
    {
        for (var i = UplinksFrom; i < CandidatesFrom; i += 2)
        {
            if (state[i] == (long)signal.Source.Hash || (state[i] == (long)signal.Source.Network && state[i] != 0))
            {
                state[i + 1] = signal.At;
                return true;
            }
        }

        return false;
    }

    /// <summary>Keeps where the device came from; one that goes back and forth has one place.</summary>
    private static void Note(Span<long> state, in Signal signal)
    {
        var device = DeviceOf(signal);
        var address = (long)signal.Source.Hash;
        for (var i = MovesFrom; i < state.Length; i += 4)
        {
            if (state[i] == device && state[i + 1] == address)
            {
                state[i + 3] = signal.At;
                return;
            }
        }

        var slot = MovesFrom + (4 * (int)state[1]);
        (state[slot], state[slot + 1], state[slot + 2], state[slot + 3]) = (device, address, (long)signal.Facts.LastSource, signal.At);
        state[1] = (state[1] + 1) % Moves;
    }

    /// <summary>Devices that moved to the address within the window, from different places; and devices that began there.</summary>
    private (int Moved, int Begun) Count(ReadOnlySpan<long> state, in Signal signal)
    {
        var (moved, begun) = (0, 0);
        for (var i = MovesFrom; i < state.Length; i += 4)
        {
            if (state[i] == 0 || state[i + 1] != (long)signal.Source.Hash)
            {
                continue;
            }

            if (state[i + 2] == 0)
            {
                begun++;
            }
            else if (IsRecent(state, i, signal.At))
            {
                moved += IsFirstFrom(state, i, signal.At) ? 1 : 0;
            }
        }

        return (moved, begun);
    }

    private bool IsRecent(ReadOnlySpan<long> state, int move, long at) => at - state[move + 3] <= parameters.WindowMs;

    /// <summary>True when no recent move to the same address before this one came from the same former address.</summary>
    private bool IsFirstFrom(ReadOnlySpan<long> state, int move, long at)
    {
        for (var i = MovesFrom; i < move; i += 4)
        {
            if (state[i + 1] == state[move + 1] && state[i + 2] == state[move + 2] && IsRecent(state, i, at))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A device is where it was: when that is a shared address, it goes on being one.</summary>
    private void Stay(Span<long> state, in Signal signal)
    {
        for (var i = CandidatesFrom; i < MovesFrom; i += 4)
        {
            if (state[i] == (long)signal.Source.Hash)
            {
                Last(state, i, signal);
                return;
            }
        }
    }

    /// <summary>False when the address has been shared for so long that it, and its network, is an uplink.</summary>
    private bool IsNew(Span<long> state, in Signal signal)
    {
        var (address, slot) = ((long)signal.Source.Hash, CandidatesFrom);
        for (var i = CandidatesFrom; i < MovesFrom; i += 4)
        {
            if (state[i] == address)
            {
                return !Last(state, i, signal);
            }

            slot = state[i + 2] < state[slot + 2] ? i : slot;
        }

        (state[slot], state[slot + 1], state[slot + 2], state[slot + 3]) = (address, signal.At, signal.At, DeviceOf(signal));
        return true;
    }

    /// <summary>Notes a device at a shared address. One device alone does not share it, and after a pause it begins anew.</summary>
    /// <returns>True when the address has become an uplink.</returns>
    private bool Last(Span<long> state, int candidate, in Signal signal)
    {
        var device = DeviceOf(signal);
        if (signal.At - state[candidate + 2] > parameters.LearnMs / 2)
        {
            (state[candidate + 1], state[candidate + 2], state[candidate + 3]) = (signal.At, signal.At, device);
            return false;
        }

        if (device == state[candidate + 3])
        {
            return false;
        }

        (state[candidate + 2], state[candidate + 3]) = (signal.At, device);
        if (signal.At - state[candidate + 1] < parameters.LearnMs)
        {
            return false;
        }

        state.Slice(candidate, 4).Clear();
        Learn(state, (long)signal.Source.Network, signal.At);
        return true;
    }

    private static long DeviceOf(in Signal signal) => (long)StableHash.Of("device", signal.ParentId ?? signal.DeviceId!);

    private static void Learn(Span<long> state, long uplink, long at)
    {
        var slot = UplinksFrom;
        for (var i = UplinksFrom; i < CandidatesFrom; i += 2)
        {
            if (state[i] == uplink)
            {
                slot = i;
                break;
            }

            slot = state[i + 1] < state[slot + 1] ? i : slot;
        }

        (state[slot], state[slot + 1]) = (uplink, at);
    }
}
