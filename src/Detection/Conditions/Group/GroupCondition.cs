using Sekisho.Detection.Conditions.Silence;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Conditions.Group;

/// <summary>
/// Many devices of a place, a gateway unit, a kind or a field that fall silent at once: one event, whatever it is (a power cut, a cell that is
/// down, a network that is closed off). While it lasts the silence of the single devices is held back. Judged at ticks.
/// <para>
/// Followed are the <see cref="Most"/> devices with the smallest hashes, which is a fair sample when there are more; counts are scaled up. "At
/// once" means that there is a moment after which none of them was heard though each was due soon: the last message of each lies before it by
/// no more than one and a half of its own distances and the tolerance. Whoever was heard after that moment counts as there. An event that
/// comes at this hour again and again (a school that closes) is usual and not reported, for as long as it usually takes.
/// </para>
/// <code>
/// cell 0      downtime of the gateway so far
/// cell 1      the moment of the event, 0 while there is none     cell 2   when it ended
/// cell 3, 4   last messages of those in it: first, last          cell 5   sampled devices in it, the most so far
/// cell 6, 7   at the last look: devices silent, devices known    cell 8   how long it usually lasts + 1
/// cell 9      journal position of the last message
/// then        habits, then per device: hash, arrival of its last message, usual distance (milliseconds)
/// </code>
/// </summary>
internal sealed class GroupCondition(GroupParameters parameters, TimeZoneInfo zone) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "group",
        [Scopes.Place, Scopes.Parent, Scopes.Kind, Scopes.Field],
        TakesMode: false,
        [
            new ParameterSpec("share", ParameterType.Percent, 1, 100, 50),
            new ParameterSpec("devices", ParameterType.Count, 2, 100_000, 5),
            new ParameterSpec("silent", ParameterType.Duration, 10, 30 * 86_400, 600),
            new ParameterSpec("within", ParameterType.Duration, 0, 86_400, 120),
            new ParameterSpec("habit", ParameterType.Count, 0, Habits.Most, 5),
        ],
        input => new GroupCondition(
            new GroupParameters(input.Whole("share"), input.Whole("devices"), input.Milliseconds("silent"), input.Milliseconds("within"), input.Whole("habit")), input.Zone));

    /// <summary>Devices followed.</summary>
    public const int Most = 64;

    private const int Own = 10;
    private const int Table = Own + Habits.Most;
    private const int Width = 3;
    private const long Minute = 60_000;

    // Who was not heard for so long is no member any more.
    private const long Gone = 30 * 86_400_000L;

    public int Cells => Table + (Most * Width);

    public long QuietAfter => long.MaxValue;

    /// <summary>The event that the state tells of.</summary>
    public static Outage Of(ReadOnlySpan<long> state) => new(state[3], state[4], state[1] != 0 ? 0 : state[2]);

    public bool Concerns(in Signal signal) =>
        signal.Kind == SignalKind.Tick || (signal.DeviceId is not null && signal.Kind is SignalKind.Message or SignalKind.Duplicate or SignalKind.Device);

    public Verdict Step(Span<long> state, in Signal signal)
    {
        switch (signal.Kind)
        {
            case SignalKind.Message or SignalKind.Duplicate when signal.DeviceId is not null:
                Shift(state, signal.Downtime);
                Heard(state, signal);
                state[9] = signal.Position;
                return Verdict.None;
            case SignalKind.Device when signal.DeviceId is not null && signal.What is LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray or LifecycleStates.Retired or Domain.Events.DeviceChangedEvent.Deleted:
                var slot = Find(state[Table..], HashOf(signal.DeviceId!));
                if (slot >= 0)
                {
                    state.Slice(Table + slot, Width).Clear();
                }

                return Verdict.None;
            case SignalKind.Tick when signal.At / Minute != signal.TickBefore / Minute:
                Shift(state, signal.Downtime);
                return Ticked(state, signal.At);
            default:
                return Verdict.None;
        }
    }

    public long Due(ReadOnlySpan<long> state, long at, long downtime) => Known(state[Table..]) >= Math.Min(parameters.Least, Most) || state[1] != 0 ? ((at / Minute) + 1) * Minute : long.MaxValue;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var (silent, known) = (state[6], state[7]);
        var percent = (int)(100 * silent / Math.Max(1, known));
        return new Evidence
        {
            Metric = "silent-devices",
            Unit = "count",
            Measured = silent,
            ExpectedHigh = Math.Max(parameters.Least, Math.Ceiling(known * parameters.SharePercent / 100.0)) - 1,
            Origin = "template",
            Events = [state[9]],
            Counterfactual = percent < 100 ? new Counterfactual("share", "at-least", percent + 1, "percent") : new Counterfactual("devices", "at-least", silent + 1, "count"),
            Facts = new Dictionary<string, string>
            {
                ["silent"] = Facts.Whole(silent),
                ["known"] = Facts.Whole(known),
                ["percent"] = Facts.Whole(percent),
                ["limit"] = Facts.Whole(parameters.SharePercent),
                ["since"] = Facts.Duration((signal.At - state[1]) / 1000 * 1000),
            },
        };
    }

    private Verdict Ticked(Span<long> state, long at)
    {
        var table = state[Table..];
        if (state[1] != 0)
        {
            return Lasts(state, table, at);
        }

        var moment = Moment(table, at, out var silent, out var there);
        if (silent == 0)
        {
            return Verdict.None;
        }

        var scale = Scale(table);
        (state[6], state[7]) = ((long)Math.Round(silent * scale), (long)Math.Round((silent + there) * scale));
        if (state[6] < parameters.Least || 100 * silent < parameters.SharePercent * (silent + there))
        {
            return Verdict.None;
        }

        (state[1], state[2], state[5]) = (moment, 0, silent);
        (state[3], state[4]) = Span(table, moment, at);
        state[8] = 1 + (parameters.Habit == 0 ? 0 : Habits.Usual(state[Own..Table], moment, 0, parameters.Habit, zone));
        return Judge(state, at);
    }

    /// <summary>It lasts while more than half of those that were silent still are.</summary>
    private Verdict Lasts(Span<long> state, ReadOnlySpan<long> table, long at)
    {
        var silent = 0;
        for (var i = 0; i < table.Length; i += Width)
        {
            silent += IsSilent(table, i, at) && table[i + 1] >= state[3] && table[i + 1] <= state[4] ? 1 : 0;
        }

        if (2 * silent > state[5])
        {
            state[5] = Math.Max(state[5], silent);
            state[6] = Math.Max(state[6], (long)Math.Round(silent * Scale(table)));
            state[7] = Math.Max(state[6], state[7]);
            return Judge(state, at);
        }

        new Habits(state[Own..Table]).Add(state[1], at - state[1], 0);
        (state[1], state[2]) = (0, at);
        return Verdict.Calm;
    }

    private static Verdict Judge(ReadOnlySpan<long> state, long at) => at - state[1] < (state[8] - 1) * 11 / 10 ? Verdict.None : Verdict.Violation;

    /// <summary>The moment at which most fell silent at once.</summary>
    private long Moment(ReadOnlySpan<long> table, long at, out int silent, out int there)
    {
        var (best, overdue) = (0L, 0);
        (silent, there) = (0, 0);
        for (var i = 0; i < table.Length; i += Width)
        {
            overdue += IsSilent(table, i, at) ? 1 : 0;
        }

        if (overdue * Scale(table) < parameters.Least)
        {
            return 0;
        }

        for (var i = 0; i < table.Length; i += Width)
        {
            if (!IsSilent(table, i, at))
            {
                continue;
            }

            var (moment, gone, heard) = (table[i + 1], 0, 0);
            for (var j = 0; j < table.Length; j += Width)
            {
                if (table[j] == 0)
                {
                    continue;
                }

                if (table[j + 1] > moment)
                {
                    heard++;
                }
                else if (IsSilent(table, j, at) && moment - table[j + 1] <= Spread(table, j))
                {
                    gone++;
                }
            }

            // Of equal ones the latest, because fewer were heard after it.
            if (gone > silent || (gone == silent && moment > best))
            {
                (best, silent, there) = (moment, gone, heard);
            }
        }

        return best;
    }

    /// <summary>From when to when those in the event were heard last. Whoever was heard soon after its moment and is silent since is in it, too.</summary>
    private (long From, long To) Span(ReadOnlySpan<long> table, long moment, long at)
    {
        var (first, spread, count) = (moment, 0L, 0);
        for (var i = 0; i < table.Length; i += Width)
        {
            if (IsSilent(table, i, at) && table[i + 1] <= moment && moment - table[i + 1] <= Spread(table, i))
            {
                (first, spread, count) = (Math.Min(first, table[i + 1]), spread + Spread(table, i), count + 1);
            }
        }

        return (first, moment + (spread / Math.Max(1, count)));
    }

    private bool IsSilent(ReadOnlySpan<long> table, int i, long at) => table[i] != 0 && at - table[i + 1] >= Math.Max(parameters.SilentMs, 2 * table[i + 2]) && at - table[i + 1] < Gone;

    private long Spread(ReadOnlySpan<long> table, int i) => (table[i + 2] * 3 / 2) + parameters.WithinMs;

    private static void Heard(Span<long> state, in Signal signal)
    {
        var table = state[Table..];
        var hash = HashOf(signal.DeviceId!);
        var slot = Find(table, hash);
        if (slot < 0)
        {
            slot = Room(table, hash, signal.At);
            if (slot < 0)
            {
                return;
            }

            (table[slot], table[slot + 1], table[slot + 2]) = (hash, signal.At, 0);
            return;
        }

        var distance = signal.At - table[slot + 1];
        var wasPartOfEvent = state[3] != 0 && table[slot + 1] >= state[3] && table[slot + 1] <= state[4];
        if (!signal.Backlog && distance > 0)
        {
            // The longer distances decide, and are forgotten slowly: a car that sends every five minutes on a trip and every six hours beside it is not
            // silent when the trip is over. One odd distance is not believed whole, least of all one that an event explains.
            var usual = table[slot + 2];
            table[slot + 2] = usual == 0 ? distance : distance >= usual ? Math.Min(distance, (wasPartOfEvent ? 2 : 8) * usual) : usual - ((usual - distance) / 32);
        }

        table[slot + 1] = signal.At;
    }

    private static int Find(ReadOnlySpan<long> table, long hash)
    {
        for (var i = 0; i < table.Length; i += Width)
        {
            if (table[i] == hash)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A slot that is free or whose device is gone, else that of the greatest hash when that is greater than this one.</summary>
    private static int Room(ReadOnlySpan<long> table, long hash, long at)
    {
        var greatest = 0;
        for (var i = 0; i < table.Length; i += Width)
        {
            if (table[i] == 0 || at - table[i + 1] >= Gone)
            {
                return i;
            }

            greatest = table[i] > table[greatest] ? i : greatest;
        }

        return table[greatest] > hash ? greatest : -1;
    }

    private static int Known(ReadOnlySpan<long> table)
    {
        var known = 0;
        for (var i = 0; i < table.Length; i += Width)
        {
            known += table[i] != 0 ? 1 : 0;
        }

        return known;
    }

    /// <summary>Devices that one of the sample stands for: with all slots taken, the greatest of so many smallest hashes tells how dense they lie.</summary>
    private static double Scale(ReadOnlySpan<long> table)
    {
        var greatest = 0L;
        for (var i = 0; i < table.Length; i += Width)
        {
            if (table[i] == 0)
            {
                return 1;
            }

            greatest = Math.Max(greatest, table[i]);
        }

        return Math.Max(1, (Most - 1) / (greatest / (double)long.MaxValue) / Most);
    }

    // Time in which the gateway was down is nobody's silence.
    private static void Shift(Span<long> state, long downtime)
    {
        var more = downtime - state[0];
        if (more == 0)
        {
            return;
        }

        for (var i = Table; i < state.Length; i += Width)
        {
            state[i + 1] += state[i] != 0 ? more : 0;
        }

        if (state[1] != 0)
        {
            (state[1], state[3], state[4]) = (state[1] + more, state[3] + more, state[4] + more);
        }

        state[0] = downtime;
    }

    // A sample by order needs all bits to count.
    private static long HashOf(string deviceId) => Math.Max(1, (long)(StableHash.Mix(StableHash.Of("device", deviceId)) >> 1));
}
