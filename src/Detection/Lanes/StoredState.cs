using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// A state as it was stored, whatever is planned now: a whole one, and parts laid upon it. Only then it is matched with the plan, because a
/// part may end what the state before it raised. One thread at a time.
/// </summary>
internal sealed class StoredState
{
    private Timeline _timeline;
    private string _correlationId = "";
    private (ulong Identity, int Cells)[] _conditions = [];
    private long[] _cells = [];
    private DuplicateWindow _duplicates;

    /// <summary>Reads a whole state.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    public static StoredState Read(ReadOnlySpan<byte> data)
    {
        var reader = new StateReader(data);
        reader.Version(SubjectCodec.WholeVersion);
        var state = new StoredState();
        state.ReadShared(ref reader);
        state._conditions = new (ulong, int)[reader.Length()];
        var cells = new List<long>();
        foreach (ref var condition in state._conditions.AsSpan())
        {
            condition = (reader.Fixed(), reader.Length());
            for (var i = condition.Cells; i > 0; i--)
            {
                cells.Add(reader.Number());
            }
        }

        state._cells = [.. cells];
        state.ReadDuplicates(ref reader);
        return state;
    }

    /// <summary>Lays a part upon it.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged, of another version or do not fit this state.</exception>
    public void Apply(ReadOnlySpan<byte> part)
    {
        var reader = new StateReader(part);
        reader.Version(SubjectCodec.PartVersion);
        ReadShared(ref reader);
        var at = 0;
        for (var runs = reader.Length(); runs > 0; runs--)
        {
            at += reader.Length(atMost: _cells.Length - at);
            for (var cells = reader.Length(atMost: _cells.Length - at); cells > 0; cells--)
            {
                _cells[at++] = reader.Number();
            }
        }

        ReadDuplicates(ref reader);
    }

    /// <summary>Fills a fresh subject. It is written whole at its next change unless the plan has exactly the conditions of this state.</summary>
    /// <param name="subject">The subject, its plan adopted before.</param>
    /// <param name="raised">Receives the identities of raised conditions that are no longer planned, or planned with another length.</param>
    public void Fill(Subject subject, List<ulong> raised)
    {
        subject.Timeline = _timeline;
        subject.CorrelationId = _correlationId;
        subject.Duplicates = _duplicates;
        subject.Duplicates.Settle();
        var planned = subject.Plan.Conditions;
        subject.Whole = planned.Length != _conditions.Length;
        var at = 0;
        for (var i = 0; i < _conditions.Length; i++)
        {
            var (identity, length) = _conditions[i];
            var state = _cells.AsSpan(at, length);
            at += length;
            var heir = Array.FindIndex(planned, c => c.Identity == identity && c.Judged.Cells == length);
            subject.Whole |= heir != i;
            if (heir >= 0)
            {
                state.CopyTo(subject.StateOf(planned[heir]));
            }
            else if (length > 0 && Judged.IsRaised(state))
            {
                raised.Add(identity);
            }
        }
    }

    private void ReadShared(ref StateReader reader)
    {
        _timeline = new Timeline { LastArrival = reader.Number(), LastEvent = reader.Number(), GapFrom = reader.Number(), GapTo = reader.Number() };
        _correlationId = reader.Text();
    }

    private void ReadDuplicates(ref StateReader reader)
    {
        for (var left = reader.Length(); left > 0; left--)
        {
            _duplicates.Add(reader.Fixed());
        }

        reader.End();
    }
}
