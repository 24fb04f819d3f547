using System.Globalization;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Puts stored states together: rows of lane_subject, then deltas in their order. A whole state or a removal makes void what was before it;
/// a delta up to the position of the subject's row is in the row already. One thread at a time.
/// </summary>
internal sealed class StateLoader(SubjectKeys keys)
{
    private readonly Dictionary<StoredId, SubjectRow> _rows = [];
    private readonly Dictionary<StoredId, List<(long Position, StoredDelta Delta)>> _deltas = [];

    /// <summary>What the seal of a row of lane_subject is bound to.</summary>
    public static string StateContext(in StoredId id) => $"{id.Scope}\n{id.Area}\n{id.Subject}";

    /// <summary>What the seal of a row of lane_delta is bound to.</summary>
    public static string DeltaContext(long position, long part) => string.Create(CultureInfo.InvariantCulture, $"{position}\n{part}");

    public void Add(in SubjectRow row) => _rows.Add(row.Id, row);

    /// <summary>Adds a row of lane_delta; to be called in their order, after all rows of subjects.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    /// <exception cref="Storage.StorageException">They do not fit the master key, or stood elsewhere.</exception>
    public void Add(long position, long part, ReadOnlySpan<byte> data) => DeltaCodec.Decode(keys.Open(data, DeltaContext(position, part)), delta => Add(position, delta));

    /// <summary>All subjects.</summary>
    /// <param name="book">The plans in force.</param>
    /// <exception cref="InvalidDataException">A state is damaged or of another version, or lacks what it builds upon.</exception>
    public IEnumerable<LoadedSubject> All(PlanBook book)
    {
        foreach (var row in _rows.Values)
        {
            if (!_deltas.ContainsKey(row.Id))
            {
                yield return Load(row.Id, row, [], book);
            }
        }

        foreach (var (id, deltas) in _deltas)
        {
            var row = _rows.TryGetValue(id, out var known) ? known : (SubjectRow?)null;

            // One that was removed still matters while its row is there to be taken out.
            if (row is not null || deltas[^1].Delta.Kind != ChangeKind.Removed)
            {
                yield return Load(id, row, deltas, book);
            }
        }
    }

    private void Add(long position, StoredDelta delta)
    {
        if (_rows.TryGetValue(delta.Id, out var row) && position <= row.Delta)
        {
            return;
        }

        if (!_deltas.TryGetValue(delta.Id, out var deltas))
        {
            _deltas.Add(delta.Id, deltas = []);
        }

        if (delta.Kind != ChangeKind.Part)
        {
            deltas.Clear();
        }

        deltas.Add((position, delta));
    }

    private LoadedSubject Load(StoredId id, SubjectRow? row, List<(long Position, StoredDelta Delta)> deltas, PlanBook book)
    {
        var whole = deltas.Count > 0 && deltas[0].Delta.Kind != ChangeKind.Part ? deltas[0].Delta : null;
        var key = whole?.Key ?? row?.Key;
        var fieldId = deltas.Count > 0 ? deltas[^1].Delta.FieldId : row?.FieldId;
        var subject = new Subject(new SubjectId(id.Scope, id.Area.Length > 0 ? id.Area : null, keys.Read(id.Subject, key)), fieldId);
        var since = deltas.Count > 0 ? deltas[0].Position : 0;
        if (whole?.Kind == ChangeKind.Removed && deltas.Count == 1)
        {
            subject.Removed = true;
            return new LoadedSubject(subject, since, []);
        }

        var state = StoredState.Read(whole?.State ?? (row is { } stored ? keys.Open(stored.State.Span, StateContext(id)) : null) ?? throw new InvalidDataException("A lane state lacks what it builds upon: the data was changed outside Sekisho. Restore it from a backup."));
        foreach (var (_, delta) in deltas.Skip(whole is null ? 0 : 1))
        {
            state.Apply(delta.State);
        }

        subject.Adopt(book.For(fieldId).Of(id.Scope) ?? ScopePlan.Empty, []);
        var raised = new List<ulong>();
        state.Fill(subject, raised);
        return new LoadedSubject(subject, since, raised);
    }
}

/// <summary>A subject as it was stored.</summary>
/// <param name="Subject">The subject.</param>
/// <param name="Since">Position of the first delta that its row lacks; 0 when it lacks none.</param>
/// <param name="Raised">Identities of raised conditions that are planned no more.</param>
internal readonly record struct LoadedSubject(Subject Subject, long Since, List<ulong> Raised);
