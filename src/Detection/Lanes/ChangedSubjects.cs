using Sekisho.Detection.Findings;

namespace Sekisho.Detection.Lanes;

/// <summary>What <see cref="ChangedSubjects"/> notes at a subject.</summary>
internal struct ChangeMarks
{
    /// <summary>Stretch in which it changed last.</summary>
    public long ChangedIn;

    /// <summary>Stretch in which its cells were copied last.</summary>
    public long CopiedIn;

    /// <summary>Where the copy begins.</summary>
    public int CopiedAt;

    /// <summary>Journal position of the first commit whose change is not in the table of subjects yet; 0 when there is none.</summary>
    public long Since;
}

/// <summary>How a change is written.</summary>
internal enum ChangeKind : byte
{
    /// <summary>What changed since the state before it.</summary>
    Part = 0,

    /// <summary>The whole state.</summary>
    Whole = 1,

    /// <summary>The subject is gone.</summary>
    Removed = 2,
}

/// <summary>A changed state, encoded as its kind says; empty when the subject is gone.</summary>
internal readonly record struct ChangedState(SubjectId Id, string? FieldId, int Lane, ChangeKind Kind, ReadOnlyMemory<byte> State);

/// <summary>What a commit writes of the lanes' states. The memory is valid until the next stretch.</summary>
/// <param name="Deltas">Every state that the stretch changed; empty when <paramref name="Settled"/> holds them all.</param>
/// <param name="Settled">Whole states for the table of subjects, and those to take out of it.</param>
/// <param name="Done">Deltas up to this journal position are needed no more.</param>
internal sealed record StateChanges(IReadOnlyList<ChangedState> Deltas, IReadOnlyList<ChangedState> Settled, long Done)
{
    public static readonly StateChanges None = new([], [], 0);
}

/// <summary>
/// Which subjects a stretch changes and how they were before; and which are still to be settled, that is, written whole into the table of
/// subjects: some at each commit, those that wait longest first, so that no commit is long and the deltas stay few. One lane at a time.
/// </summary>
internal sealed class ChangedSubjects(LaneSettings? settings)
{
    // 16 MiB. Past that, changes are written whole.
    private const int MostCopied = 1 << 21;

    private const int FirstCopied = 1 << 12;

    // Room that so many stretches in a row needed less than a quarter of is given back.
    private const int StretchesWithRoom = 16;

    private readonly List<Subject> _changed = [];
    private readonly Queue<Subject> _unsettled = new();
    private readonly StateWriter _bytes = new();
    private readonly List<(Subject Subject, ChangeKind Kind, int From, int To)> _written = [];
    private long[] _copies = new long[FirstCopied];
    private int _copied;
    private int _roomy;
    private long _stretch = 1; // from 1, so that a fresh subject has not been touched in any

    public bool IsEmpty => _changed.Count == 0;

    /// <summary>Takes in a subject with changes that stand in deltas only; in the order of <paramref name="since"/>.</summary>
    public void Unsettled(Subject subject, long since)
    {
        subject.Marks.Since = since;
        _unsettled.Enqueue(subject);
    }

    /// <summary>To be called before the cells of a subject may change.</summary>
    public void Remember(Subject subject)
    {
        if (settings is null || subject.Marks.CopiedIn == _stretch)
        {
            return;
        }

        subject.Marks.CopiedIn = _stretch;
        var cells = subject.Cells;
        if (subject.Whole || _copied + cells.Length > MostCopied)
        {
            subject.Whole = true;
            return;
        }

        if (_copied + cells.Length > _copies.Length)
        {
            Array.Resize(ref _copies, Math.Max(_copies.Length * 2, _copied + cells.Length));
        }

        cells.CopyTo(_copies, _copied);
        subject.Marks.CopiedAt = _copied;
        _copied += cells.Length;
    }

    /// <summary>The subject changes, or is about to.</summary>
    public void Touch(Subject subject)
    {
        if (settings is not null && subject.Marks.ChangedIn != _stretch)
        {
            subject.Marks.ChangedIn = _stretch;
            _changed.Add(subject);
            Remember(subject);
        }
    }

    /// <summary>The subject may have changed since it was remembered.</summary>
    public void Compare(Subject subject)
    {
        if (settings is not null && !subject.Whole && !Copy(subject).SequenceEqual(subject.Cells))
        {
            Touch(subject);
        }
    }

    /// <summary>Ends the stretch.</summary>
    /// <param name="position">Journal position of its last event.</param>
    public StateChanges Finish(long position)
    {
        if (settings is null)
        {
            return StateChanges.None;
        }

        foreach (var subject in _changed)
        {
            if (subject.Marks.Since == 0)
            {
                Unsettled(subject, position);
            }
        }

        _bytes.Reset();
        _written.Clear();
        var settle = Math.Min(_unsettled.Count, Math.Max(settings.SettleSubjects, _unsettled.Count / settings.SettleCommits));

        // When all of them can be settled at once, nothing is left for deltas.
        var deltas = settle < _unsettled.Count ? _changed.Count : 0;
        for (var i = 0; i < deltas; i++)
        {
            var subject = _changed[i];
            Write(subject, subject.Removed ? ChangeKind.Removed : subject.Whole ? ChangeKind.Whole : ChangeKind.Part);
        }

        foreach (var subject in _changed)
        {
            subject.Whole = false;
            subject.Duplicates.Settle();
        }

        for (var i = 0; i < settle; i++)
        {
            var subject = _unsettled.Dequeue();
            subject.Marks.Since = 0;
            Write(subject, subject.Removed ? ChangeKind.Removed : ChangeKind.Whole);
        }

        var done = _unsettled.TryPeek(out var oldest) ? oldest.Marks.Since - 1 : position;
        var bytes = _bytes.Written;
        var states = _written.ConvertAll(w => new ChangedState(w.Subject.Id, w.Subject.FieldId, w.Subject.Lane, w.Kind, bytes[w.From..w.To]));
        _changed.Clear();
        _roomy = _copied < _copies.Length / 4 ? _roomy + 1 : 0;
        if (_roomy >= StretchesWithRoom && _copies.Length > FirstCopied)
        {
            (_copies, _roomy) = (new long[Math.Max(FirstCopied, _copies.Length / 4)], 0);
        }

        _copied = 0;
        _stretch++;
        return new StateChanges(states.GetRange(0, deltas), states.GetRange(deltas, settle), done);
    }

    private ReadOnlySpan<long> Copy(Subject subject) => _copies.AsSpan(subject.Marks.CopiedAt, subject.Cells.Length);

    private void Write(Subject subject, ChangeKind kind)
    {
        var from = _bytes.Length;
        switch (kind)
        {
            case ChangeKind.Part:
                SubjectCodec.Part(subject, Copy(subject), _bytes);
                break;
            case ChangeKind.Whole:
                SubjectCodec.Whole(subject, _bytes);
                break;
            default:
                break;
        }

        _written.Add((subject, kind, from, _bytes.Length));
    }
}
