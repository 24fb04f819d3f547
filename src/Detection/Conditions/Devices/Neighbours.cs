using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Devices;

/// <summary>
/// Who was heard at a place, and when: the last <see cref="Most"/> devices, pairs of identifier hash and arrival time. Kept like a condition's
/// state of the place, written by <see cref="Watch"/>. One lane at a time.
/// </summary>
internal readonly struct Neighbours(long[]? cells, int offset)
{
    public const int Most = 48;

    public bool IsEmpty => cells is null;

    /// <summary>How many devices other than this one were ever heard there lately enough to be remembered, and how many of them since a moment.</summary>
    public (int Known, int Heard) Since(long moment, string deviceId)
    {
        if (cells is null)
        {
            return default;
        }

        var self = (long)StableHash.Of("device", deviceId);
        var (known, heard) = (0, 0);
        for (var i = 0; i < 2 * Most; i += 2)
        {
            var at = cells[offset + i + 1];
            if (at != 0 && cells[offset + i] != self)
            {
                known++;
                heard += at >= moment ? 1 : 0;
            }
        }

        return (known, heard);
    }

    /// <summary>Of the devices other than this one that were heard from a moment on, how many were heard since a later one, and how many fell silent between the two.</summary>
    public (int Heard, int Silent) Split(long from, long since, string deviceId)
    {
        if (cells is null)
        {
            return default;
        }

        var self = (long)StableHash.Of("device", deviceId);
        var (heard, silent) = (0, 0);
        for (var i = 0; i < 2 * Most; i += 2)
        {
            var at = cells[offset + i + 1];
            if (at < from || at == 0 || cells[offset + i] == self)
            {
                continue;
            }

            (heard, silent) = at >= since ? (heard + 1, silent) : (heard, silent + 1);
        }

        return (heard, silent);
    }

    /// <summary>Keeps the table in a place's plan. Never says anything.</summary>
    internal sealed class Watch : ICondition
    {
        public int Cells => 2 * Most;

        public long QuietAfter => 0;

        public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Duplicate && signal.DeviceId is not null;

        public Verdict Step(Span<long> state, in Signal signal)
        {
            if (!Concerns(signal))
            {
                return Verdict.None;
            }

            var id = (long)StableHash.Of("device", signal.DeviceId!);
            var slot = 0;
            for (var i = 0; i < state.Length; i += 2)
            {
                if (state[i] == id)
                {
                    slot = i;
                    break;
                }

                slot = state[i + 1] < state[slot + 1] ? i : slot;
            }

            (state[slot], state[slot + 1]) = (id, signal.At);
            return Verdict.None;
        }

        public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => throw new InvalidOperationException("Neighbours claim nothing.");
    }
}
