using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Emergency;

/// <summary>The tables emergency and emergency_plan. Any thread.</summary>
internal sealed class LockdownStore(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    private const string Columns = "id AS Id, field_id AS FieldId, version AS Version, started_at AS StartedAt, ended_at AS EndedAt, document AS Document";

    private readonly ColumnCipher _cipher = new(key, "response-emergency");

    public Task<Lockdown?> FindAsync(string fieldId, string id, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (await c.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM emergency WHERE id = @id AND field_id = @fieldId", new { id, fieldId })) is { } row ? Read(row) : null, cancellation);

    /// <summary>Those of a field, newest first, at most 200.</summary>
    public Task<IReadOnlyList<Lockdown>> ListAsync(string fieldId, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<Lockdown>)[.. (await c.QueryAsync<Row>(
            $"SELECT {Columns} FROM emergency WHERE field_id = @fieldId ORDER BY started_at DESC, id LIMIT 200", new { fieldId })).Select(Read)],
        cancellation);

    /// <summary>Adds one, with what belongs to it in its transaction.</summary>
    public Task AddAsync(Lockdown lockdown, Action<DbTransaction> along, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            await t.Connection!.ExecuteAsync(
                "INSERT INTO emergency (id, field_id, version, started_at, ended_at, document) VALUES (@Id, @FieldId, @Version, @StartedAt, @EndedAt, @Document)", ToRow(lockdown), t);
            along(t);
        },
        cancellation);

    /// <summary>Changes one; <paramref name="change"/> decides on it as it is, again when somebody else was faster; null leaves it.</summary>
    public Task<Lockdown?> ChangeAsync(string fieldId, string id, Func<Lockdown, Lockdown?> change, Action<Lockdown, DbTransaction> along, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            while (await t.Connection!.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM emergency WHERE id = @id AND field_id = @fieldId", new { id, fieldId }, t) is { } row && change(Read(row)) is { } next)
            {
                var saved = next with { Version = row.Version + 1 };
                if (await t.Connection!.ExecuteAsync(
                    "UPDATE emergency SET version = @Version, ended_at = @EndedAt, document = @Document WHERE id = @Id AND version = @Version - 1", ToRow(saved), t) == 1)
                {
                    along(saved, t);
                    return saved;
                }
            }

            return null;
        },
        cancellation);

    public Task<EmergencyPlan> PlanAsync(string fieldId, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => await c.QuerySingleOrDefaultAsync<byte[]>("SELECT document FROM emergency_plan WHERE field_id = @fieldId", new { fieldId }) is { } document
            ? JsonSerializer.Deserialize<EmergencyPlan>(_cipher.UnprotectText(document, "emergency-plan/" + fieldId))!
            : new EmergencyPlan([]),
        cancellation);

    public Task SetPlanAsync(string fieldId, EmergencyPlan plan, CancellationToken cancellation) => databases.State.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "INSERT INTO emergency_plan (field_id, document, changed_at) VALUES (@fieldId, @document, @at) ON CONFLICT (field_id) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at",
            new { fieldId, document = _cipher.Protect(JsonSerializer.Serialize(plan), "emergency-plan/" + fieldId), at = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            t),
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private static string Context(string id) => "emergency/" + id;

    private Lockdown Read(Row row) => new(
        row.Id,
        row.FieldId,
        row.Version,
        DateTimeOffset.FromUnixTimeMilliseconds(row.StartedAt),
        row.EndedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
        JsonSerializer.Deserialize<LockdownDetails>(_cipher.UnprotectText(row.Document, Context(row.Id)))!);

    private Row ToRow(Lockdown lockdown) => new()
    {
        Id = lockdown.Id,
        FieldId = lockdown.FieldId,
        Version = lockdown.Version,
        StartedAt = lockdown.StartedAt.ToUnixTimeMilliseconds(),
        EndedAt = lockdown.EndedAt?.ToUnixTimeMilliseconds(),
        Document = _cipher.Protect(JsonSerializer.Serialize(lockdown.Details), Context(lockdown.Id)),
    };

    private sealed class Row
    {
        public string Id { get; set; } = "";

        public string FieldId { get; set; } = "";

        public long Version { get; set; }

        public long StartedAt { get; set; }

        public long? EndedAt { get; set; }

        public byte[] Document { get; set; } = [];
    }
}
