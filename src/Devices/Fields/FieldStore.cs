using System.Collections.Frozen;
using Dapper;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Devices.Fields;

/// <summary>Fields, in the store and in memory. Reading: any thread; changes take the registry's turn.</summary>
internal sealed class FieldStore(Databases databases, PersonalData personal, Turns turns, IHistory history, TimeProvider clock)
{
    private volatile FrozenDictionary<string, FieldProfile> _fields = FrozenDictionary<string, FieldProfile>.Empty;

    public IReadOnlyCollection<FieldProfile> All => _fields.Values;

    public FieldProfile? Find(string fieldId) => _fields.GetValueOrDefault(fieldId);

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(
            "SELECT field_id AS FieldId, name AS Name, kind AS Kind, time_zone AS TimeZone, contact_point AS ContactPoint, language AS Language FROM field"), cancellation);
        _fields = rows.Select(r => new FieldProfile
        {
            FieldId = r.FieldId,
            Name = r.Name,
            Kind = r.Kind,
            TimeZone = r.TimeZone,
            ContactPoint = personal.Read("contact", r.FieldId, r.ContactPoint),
            Language = r.Language,
        }).ToFrozenDictionary(f => f.FieldId);
    }

    /// <summary>Makes a field; false when there is, or ever was, one of that identifier.</summary>
    public async Task<bool> CreateAsync(FieldProfile field, Caller caller, CancellationToken cancellation)
    {
        using var turn = await turns.RegistryAsync(cancellation);
        var now = clock.GetUtcNow();
        var made = await databases.State.WriteAsync(
            async t =>
            {
                var rows = await t.Connection!.ExecuteAsync(
                    """
                    INSERT INTO field (field_id, name, kind, time_zone, contact_point, language, created_at)
                    SELECT @FieldId, @Name, @Kind, @TimeZone, @contact, @Language, @createdAt
                    WHERE NOT EXISTS (SELECT 1 FROM deleted_field WHERE field_id = @FieldId)
                    ON CONFLICT (field_id) DO NOTHING
                    """,
                    new { field.FieldId, field.Name, field.Kind, field.TimeZone, contact = Contact(field), field.Language, createdAt = now.ToUnixTimeMilliseconds() },
                    t);
                if (rows == 1)
                {
                    history.Append(caller.Record(HistoryKinds.Operator, "field-created", now, field.FieldId, deviceId: null), t);
                }

                return rows == 1;
            },
            cancellation);
        if (made)
        {
            Keep(_fields.Values.Append(field));
        }

        return made;
    }

    /// <summary>Changes a field; false when it was deleted meanwhile.</summary>
    public async Task<bool> ChangeAsync(FieldProfile field, Caller caller, CancellationToken cancellation)
    {
        using var turn = await turns.RegistryAsync(cancellation);
        if (Find(field.FieldId) is null)
        {
            return false;
        }

        await databases.State.WriteAsync(
            async t =>
            {
                await t.Connection!.ExecuteAsync(
                    "UPDATE field SET name = @Name, time_zone = @TimeZone, contact_point = @contact, language = @Language WHERE field_id = @FieldId",
                    new { field.FieldId, field.Name, field.TimeZone, contact = Contact(field), field.Language },
                    t);
                history.Append(caller.Record(HistoryKinds.Operator, "field-changed", clock.GetUtcNow(), field.FieldId, deviceId: null), t);
            },
            cancellation);
        Keep(_fields.Values.Where(f => f.FieldId != field.FieldId).Append(field));
        return true;
    }

    /// <summary>Deletes a field without devices, and its product lines; false when it has some.</summary>
    public async Task<bool> DeleteAsync(string fieldId, Caller caller, CancellationToken cancellation)
    {
        using var turn = await turns.RegistryAsync(cancellation);
        var now = clock.GetUtcNow();
        var gone = await databases.State.WriteAsync(
            async t =>
            {
                var rows = await t.Connection!.ExecuteAsync(
                    "DELETE FROM field WHERE field_id = @fieldId AND NOT EXISTS (SELECT 1 FROM device WHERE field_id = @fieldId)", new { fieldId }, t);
                if (rows == 1)
                {
                    await t.Connection!.ExecuteAsync("INSERT INTO deleted_field (field_id, deleted_at) VALUES (@fieldId, @at)", new { fieldId, at = now.ToUnixTimeMilliseconds() }, t);
                    history.Append(caller.Record(HistoryKinds.Operator, "field-deleted", now, fieldId, deviceId: null), t);
                }

                return rows == 1;
            },
            cancellation);
        if (gone)
        {
            Keep(_fields.Values.Where(f => f.FieldId != fieldId));
        }

        return gone;
    }

    private byte[] Contact(FieldProfile field) => personal.Protect("contact", field.FieldId, field.ContactPoint);

    private void Keep(IEnumerable<FieldProfile> fields) => _fields = fields.ToFrozenDictionary(f => f.FieldId);

    private sealed class Row
    {
        public required string FieldId { get; init; }

        public required string Name { get; init; }

        public required string Kind { get; init; }

        public required string TimeZone { get; init; }

        public required byte[] ContactPoint { get; init; }

        public required string Language { get; init; }
    }
}
