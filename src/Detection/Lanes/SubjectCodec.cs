namespace Sekisho.Detection.Lanes;

/// <summary>
/// A subject's state in bytes. Numbers are zigzag LEB128 unless said otherwise.
/// <code>
/// whole
/// byte    version, 1
/// 4 × n   timeline: last arrival, last event, gap from, gap to
/// n, utf8 length and bytes of the correlation id
/// n       conditions; each: 8 bytes identity (little endian), n cells, each cell n
/// n       duplicate window, oldest first; each 8 bytes (little endian)
///
/// part: what changed since the state before it
/// byte    version, 1
/// 4 × n   timeline
/// n, utf8 length and bytes of the correlation id
/// n       runs of changed cells; each: n cells since the end of the run before, n cells, each cell n;
///         cells count through all conditions in the order of the whole state
/// n       identifiers added to the duplicate window, oldest first; each 8 bytes (little endian)
/// </code>
/// </summary>
internal static class SubjectCodec
{
    public const byte WholeVersion = 1;
    public const byte PartVersion = 1;

    // Fewer unchanged cells between two changed ones cost less as they are than a run of their own.
    private const int Bridge = 2;

    public static byte[] Encode(Subject subject)
    {
        var writer = new StateWriter();
        Whole(subject, writer);
        return writer.Written.ToArray();
    }

    public static void Whole(Subject subject, StateWriter writer)
    {
        writer.Byte(WholeVersion);
        Shared(subject, writer);
        writer.Number(subject.Plan.Conditions.Length);
        foreach (var condition in subject.Plan.Conditions)
        {
            writer.Fixed(condition.Identity);
            var state = subject.StateOf(condition);
            writer.Number(state.Length);
            writer.Numbers(state);
        }

        Newest(subject.Duplicates, subject.Duplicates.Count, writer);
    }

    /// <summary>What changed.</summary>
    /// <param name="subject">The subject as it is.</param>
    /// <param name="before">Its cells as they were.</param>
    /// <param name="writer">Receives the bytes.</param>
    public static void Part(Subject subject, ReadOnlySpan<long> before, StateWriter writer)
    {
        writer.Byte(PartVersion);
        Shared(subject, writer);
        ReadOnlySpan<long> now = subject.Cells;
        var runs = 0;
        for (var at = 0; NextRun(before, now, ref at, out _); runs++)
        {
        }

        writer.Number(runs);
        var end = 0;
        for (var at = 0; NextRun(before, now, ref at, out var from); end = at)
        {
            writer.Number(from - end);
            writer.Number(at - from);
            writer.Numbers(now[from..at]);
        }

        Newest(subject.Duplicates, subject.Duplicates.Fresh, writer);
    }

    /// <summary>Fills a fresh subject.</summary>
    /// <param name="subject">The subject, its plan adopted before.</param>
    /// <param name="data">What <see cref="Encode"/> made.</param>
    /// <param name="raised">Receives the identities of raised conditions whose state found no place.</param>
    /// <exception cref="InvalidDataException">The bytes are cut short or of another version.</exception>
    public static void Decode(Subject subject, ReadOnlySpan<byte> data, List<ulong> raised) => StoredState.Read(data).Fill(subject, raised);

    private static void Shared(Subject subject, StateWriter writer)
    {
        var timeline = subject.Timeline;
        writer.Numbers([timeline.LastArrival, timeline.LastEvent, timeline.GapFrom, timeline.GapTo]);
        writer.Text(subject.CorrelationId);
    }

    private static void Newest(in DuplicateWindow window, int count, StateWriter writer)
    {
        writer.Number(count);
        for (var i = window.Count - count; i < window.Count; i++)
        {
            writer.Fixed(window[i]);
        }
    }

    /// <summary>Finds the next run of changed cells from <paramref name="at"/> on and moves it to the run's end.</summary>
    private static bool NextRun(ReadOnlySpan<long> before, ReadOnlySpan<long> now, ref int at, out int from)
    {
        from = at + before[at..].CommonPrefixLength(now[at..]);
        if (from == now.Length)
        {
            return false;
        }

        at = from + 1;
        for (var i = at; i < now.Length && i <= at + Bridge; i++)
        {
            at = before[i] != now[i] ? i + 1 : at;
        }

        return true;
    }
}
