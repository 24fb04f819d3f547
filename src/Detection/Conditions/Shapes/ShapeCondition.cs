using System.Globalization;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Shapes;

/// <summary>
/// The form of messages, learnt: which values stand where and of what type. Once so many messages brought nothing new, a value at a new place or
/// of a new type is found, once: it is known from then on, because a device that was updated sends it again and again. A device whose messages
/// bring new places until there is no room for them may have names that are data (sensors by their number): the object with most of them, if it has
/// <see cref="LeastOfMap"/>, is a map, all its values stand at one place from then on, and the form is learnt anew. Where no object has so many,
/// or the <see cref="Maps"/> that are kept were not enough, the device has no form and is never judged. Stored messages have a form like
/// others; they are judged, but teach nobody. An update often brings several kinds of messages: what else is new in the time of learning after a
/// finding, a day at most, is part of it and only remembered. When it brings more than there is room for, so that new ones do not end, the form is
/// another and is learnt anew.
/// <code>
/// cell 0  clean messages          cell 1  arrival of the first
/// cell 2  shapes learnt; -1 when they were too many
/// cell 3  new shapes remembered since  cell 4  new ones in the last message
/// cell 5  clean messages since the last shape was learnt, that one included
/// cell 6  arrival of the message that was found last; 0 before
/// cell 7  messages that brought new ones, one soon after the other     cell 10  messages since the last of them
/// cell 8  new ones of the last message that were remembered     cell 9  those of them that the room was too small for
/// then    places of objects that are maps
/// then    the shapes learnt, in the room left beside them the first found, then the last <see cref="Later"/> found
/// then    the places of the objects that the shapes learnt stand in
/// </code>
/// </summary>
internal sealed class ShapeCondition(int messages, long learnMs, int most) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "shape",
        [Scopes.Device],
        TakesMode: false,
        [
            new ParameterSpec("messages", ParameterType.Count, 10, 1_000_000, 200),
            new ParameterSpec("learn", ParameterType.Duration, 0, 366 * 86_400, 7 * 86_400),
            new ParameterSpec("most", ParameterType.Count, 8, 512, 96),
        ],
        input => new ShapeCondition(input.Whole("messages"), input.Milliseconds("learn"), input.Whole("most")));

    /// <summary>So many values of different names or types make an object a map, where room is short.</summary>
    public const int LeastOfMap = 12;

    /// <summary>Most maps kept.</summary>
    public const int Maps = 8;

    private const int Own = 11;
    private const int First = Own + Maps;

    // What is found after the time of learning is remembered apart, so that nobody can push out what was learnt.
    private const int Later = 16;

    // So many messages that bring something new, one soon after the other, are another form.
    private const int Restless = 16;

    private const int LongestPlace = 256;
    private const long Endless = 1_000_000_000;
    private const long Day = 86_400_000;

    private readonly long _settleMs = Math.Min(learnMs, Day);

    public int Cells => First + most + Later + most;

    /// <summary>An hour: long enough that one message in between does not hide a series.</summary>
    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message && !signal.Payload.IsEmpty;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || state[2] < 0)
        {
            return Verdict.None;
        }

        state[4] = 0;
        state[8..10].Clear();
        var isLearning = state[5] < messages || signal.At - state[1] < learnMs;
        if (isLearning && !signal.IsClean)
        {
            return Verdict.None;
        }

        Span<ulong> room = stackalloc ulong[ShapeWalk.Room];
        var walk = new ShapeWalk(signal.Payload, room, state.Slice(Own, Maps));
        while (walk.Next())
        {
            if (Find(state, walk.Shape) < 0 && !Take(state, walk, isLearning))
            {
                return Verdict.None;
            }
        }

        if (signal.IsClean)
        {
            state[1] = state[0] == 0 ? signal.At : state[1];
            (state[0], state[5]) = (Math.Min(state[0] + 1, Endless), Math.Min(state[5] + 1, Endless));
        }

        return isLearning ? Verdict.None : state[4] > 0 ? Brought(state, signal.At) : BroughtNothing(state);
    }

    private Verdict BroughtNothing(Span<long> state)
    {
        state[10] = Math.Min(state[10] + 1, messages);
        state[7] = state[10] == messages ? 0 : state[7];
        return Verdict.Calm;
    }

    private Verdict Brought(Span<long> state, long at)
    {
        (state[7], state[10]) = (state[7] + 1, 0);
        if (state[6] == 0 || at - state[6] >= _settleMs)
        {
            state[6] = at;
            return Verdict.Violation;
        }

        if (state[7] >= Restless)
        {
            state.Clear();
        }

        return Verdict.Calm;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var (place, type) = FirstNew(state, signal);
        return new Evidence
        {
            Metric = "shape",
            Unit = "count",
            Measured = state[4],
            ExpectedHigh = 0,
            Origin = "learnt",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("messages", "at-least", state[0] + 1, "count"),
            Claim = place,
            Facts = new Dictionary<string, string>
            {
                ["pointer"] = place,
                ["type"] = type,
                ["shapes"] = Facts.Whole(state[2]),
                ["messages"] = Facts.Whole(state[0]),
                ["since"] = DateTimeOffset.FromUnixTimeMilliseconds(state[1]).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            },
        };
    }

    private int Find(ReadOnlySpan<long> state, long shape)
    {
        var learnt = state.Slice(First, (int)Math.Min(state[2] + state[3], most)).IndexOf(shape);
        return learnt >= 0 ? learnt : state.Slice(First + most, Later).IndexOf(shape);
    }

    /// <returns>False when there was no more room to learn.</returns>
    private bool Take(Span<long> state, in ShapeWalk walk, bool isLearning)
    {
        var shape = walk.Shape;
        if (!isLearning)
        {
            // Of one message only so many are remembered; the others are found again in the next.
            state[4]++;
            if (state[2] + state[3] < most || state[9]++ < Later)
            {
                state[8]++;
                state[PlaceOf(state, state[3]++)] = shape;
            }

            return true;
        }

        if (state[2] == most)
        {
            state[2] = TryCollapse(state) ? 0 : -1;
            return false;
        }

        state[5] = 0;
        state[First + most + Later + (int)state[2]] = walk.Parent;
        state[First + (int)state[2]++] = shape;
        return true;
    }

    /// <summary>Makes the object with most values a map.</summary>
    private bool TryCollapse(Span<long> state)
    {
        var parents = state.Slice(First + most + Later, most);
        var (widest, width) = (0L, 0);
        foreach (var parent in parents)
        {
            var count = parents.Count(parent);
            (widest, width) = count > width ? (parent, count) : (widest, width);
        }

        var free = state.Slice(Own, Maps).IndexOf(0);
        if (free < 0 || width < LeastOfMap)
        {
            return false;
        }

        state[Own + free] = widest;
        state[First..].Clear();
        state[5] = 0;
        return true;
    }

    private int PlaceOf(ReadOnlySpan<long> state, long number) =>
        state[2] + number < most ? First + (int)(state[2] + number) : First + most + (int)((state[2] + number - most) % Later);

    /// <summary>The first value in the message that the step has just taken for new.</summary>
    private (string Place, string Type) FirstNew(ReadOnlySpan<long> state, in Signal signal)
    {
        Span<ulong> room = stackalloc ulong[ShapeWalk.Room];
        var walk = new ShapeWalk(signal.Payload, room, state.Slice(Own, Maps), new string[ShapeWalk.Room]);
        while (walk.Next())
        {
            for (var i = 1; i <= state[8]; i++)
            {
                if (state[PlaceOf(state, state[3] - i)] == walk.Shape)
                {
                    return (walk.Place.Length <= LongestPlace ? walk.Place : walk.Place[..LongestPlace] + "…", walk.Type);
                }
            }
        }

        return ("/", "");
    }
}
