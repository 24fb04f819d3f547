using Sekisho.Detection.Findings;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Rows of lane_delta: what a commit changed, in the order in which it changed. Numbers are zigzag LEB128, texts their length in UTF-8 as a
/// number and the bytes. Keys stand as they do in lane_subject, hashed and encrypted where they identify somebody.
/// <code>
/// byte    version, 1
/// then to the end of the row, for each subject:
/// byte    bits 0-1 kind: 0 part, 1 whole, 2 removed; bit 2: scope, area and field follow, else they are those of the entry before
/// text    scope  ┐
/// text    area   │ with bit 2
/// byte    1 when a field follows, 0 for the gateway
/// text    field  ┘
/// text    subject
/// n       length and bytes of the encrypted key, whole only; 0 when the subject is the key
/// n       length and bytes of the state, not when removed; <see cref="SubjectCodec"/>
/// </code>
/// One thread at a time.
/// </summary>
internal sealed class DeltaCodec(SubjectKeys keys)
{
    public const byte Version = 1;

    /// <summary>Most bytes of a row but for the last entry's names and key, unless a single state is larger.</summary>
    public const int MostBytes = 1 << 20;

    private const byte Kind = 3;
    private const byte Heading = 4;

    private readonly StateWriter _row = new();
    private readonly List<ReadOnlyMemory<byte>> _rows = [];

    /// <summary>Rows for these changes. The memory is valid until the next call.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Encode(IReadOnlyList<ChangedState> changes)
    {
        _rows.Clear();
        _row.Reset();
        var before = -1;
        for (var i = 0; i < changes.Count; i++)
        {
            var change = changes[i];
            if (before >= 0 && _row.Length + change.State.Length > MostBytes)
            {
                // The buffer is used again, so all rows but the last are copies. More than one is rare.
                _rows.Add(_row.Written.ToArray());
                _row.Reset();
                before = -1;
            }

            if (before < 0)
            {
                _row.Byte(Version);
            }

            Write(change, before >= 0 && IsSameHeading(change, changes[before]));
            before = i;
        }

        if (_row.Length > 0)
        {
            _rows.Add(_row.Written);
        }

        return _rows;
    }

    /// <summary>Reads a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="entry">Receives each change in order.</param>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    public static void Decode(ReadOnlySpan<byte> row, Action<StoredDelta> entry)
    {
        var reader = new StateReader(row);
        reader.Version(Version);
        StoredDelta? before = null;
        while (!reader.IsAtEnd)
        {
            var flags = reader.Byte();
            var kind = (ChangeKind)(flags & Kind);
            if (kind > ChangeKind.Removed || (flags & ~(Kind | Heading)) != 0 || ((flags & Heading) == 0 && before is null))
            {
                throw StateReader.Damaged();
            }

            var (scope, area, field) = (flags & Heading) != 0
                ? (reader.Text(), reader.Text(), ReadField(ref reader))
                : (before!.Id.Scope, before.Id.Area, before.FieldId);
            before = new StoredDelta
            {
                Id = new StoredId(scope, area, reader.Text()),
                FieldId = field,
                Kind = kind,
                Key = kind == ChangeKind.Whole && reader.Bytes() is { Length: > 0 } key ? key.ToArray() : null,
                State = kind == ChangeKind.Removed ? [] : reader.Bytes().ToArray(),
            };
            entry(before);
        }
    }

    private static string? ReadField(ref StateReader reader) => reader.Byte() switch
    {
        0 => null,
        1 => reader.Text(),
        _ => throw StateReader.Damaged(),
    };

    private static bool IsSameHeading(in ChangedState one, in ChangedState other) =>
        one.Id.Scope == other.Id.Scope && one.Id.FieldId == other.Id.FieldId && one.FieldId == other.FieldId;

    private void Write(in ChangedState change, bool sameHeading)
    {
        _row.Byte((byte)((byte)change.Kind | (sameHeading ? 0 : Heading)));
        if (!sameHeading)
        {
            _row.Text(change.Id.Scope);
            _row.Text(SubjectKeys.AreaOf(change.Id));
            _row.Byte((byte)(change.FieldId is null ? 0 : 1));
            if (change.FieldId is not null)
            {
                _row.Text(change.FieldId);
            }
        }

        _row.Text(keys.SubjectOf(change.Id));
        if (change.Kind == ChangeKind.Whole)
        {
            _row.Bytes(keys.KeyOf(change.Id));
        }

        if (change.Kind != ChangeKind.Removed)
        {
            _row.Bytes(change.State.Span);
        }
    }
}

/// <summary>The key of a subject in the tables.</summary>
internal readonly record struct StoredId(string Scope, string Area, string Subject);

/// <summary>A change as it stands in a row of lane_delta.</summary>
internal sealed record StoredDelta
{
    public required StoredId Id { get; init; }

    public required string? FieldId { get; init; }

    public required ChangeKind Kind { get; init; }

    public required byte[]? Key { get; init; }

    public required byte[] State { get; init; }
}
