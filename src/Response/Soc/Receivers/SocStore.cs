using System.Text.Json;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Soc.Receivers;

/// <summary>How far a receiver has taken the history.</summary>
internal sealed record SocProgress(string ReceiverId, long Position, long Sent, long Skipped, long Untold);

/// <summary>What a field says of itself. Sector is empty for none.</summary>
internal sealed record SocField(string FieldId, string Sector, bool Shared);

/// <summary>The tables of receivers, their progress, and fields. Any thread.</summary>
internal sealed class SocStore(Databases databases, MasterKey key, IHistory history, TimeProvider clock) : IDisposable
{
    private const string Progress = "SELECT receiver_id AS ReceiverId, position AS Position, sent AS Sent, skipped AS Skipped, untold AS Untold FROM soc_progress";
    private readonly ColumnCipher _cipher = new(key, "response-soc");

    /// <summary>All receivers, or those of one field ('' for the gateway's).</summary>
    public async Task<IReadOnlyList<SocReceiver>> ListAsync(string? only, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Id, byte[] Document)>($"SELECT id, document FROM soc_receiver {(only is null ? "" : "WHERE field_id = @only")} ORDER BY id", new { only }), cancellation);
        return [.. rows.Select(r => Open(r.Id, r.Document))];
    }

    /// <summary>One of the field's (null: the gateway's); null when there is none.</summary>
    public async Task<SocReceiver?> FindAsync(string? fieldId, string id, CancellationToken cancellation)
    {
        var document = await databases.State.ReadAsync(
            c => c.QuerySingleOrDefaultAsync<byte[]>("SELECT document FROM soc_receiver WHERE id = @id AND field_id = @field", new { id, field = fieldId ?? "" }), cancellation);
        return document is null ? null : Open(id, document);
    }

    /// <summary>The field's receiver that reports back by this name; null when there is none.</summary>
    public async Task<SocReceiver?> ReporterAsync(string? fieldId, string name, CancellationToken cancellation)
    {
        var row = await databases.State.ReadAsync(
            c => c.QuerySingleOrDefaultAsync<(string Id, byte[] Document)?>("SELECT id, document FROM soc_receiver WHERE field_id = @field AND reports_as = @name", new { field = fieldId ?? "", name }), cancellation);
        return row is { } found ? Open(found.Id, found.Document) : null;
    }

    /// <summary>Adds or replaces a receiver. A new one gets what happens from <paramref name="start"/> on.</summary>
    /// <returns>False when another one of the field reports by the same name.</returns>
    public Task<bool> SaveAsync(SocReceiver receiver, long start, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var values = new
            {
                receiver.Id,
                field = receiver.FieldId ?? "",
                receiver.ReportsAs,
                document = _cipher.Protect(JsonSerializer.Serialize(receiver), Context(receiver.Id)),
                at = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                start,
            };
            if (receiver.ReportsAs is not null
                && await t.Connection!.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM soc_receiver WHERE field_id = @field AND reports_as = @ReportsAs AND id <> @Id", values, t) > 0)
            {
                return false;
            }

            await t.Connection!.ExecuteAsync(
                "INSERT INTO soc_receiver (id, field_id, reports_as, document, changed_at) VALUES (@Id, @field, @ReportsAs, @document, @at) " +
                "ON CONFLICT (id) DO UPDATE SET reports_as = excluded.reports_as, document = excluded.document, changed_at = excluded.changed_at",
                values,
                t);
            await t.Connection!.ExecuteAsync(
                "INSERT INTO soc_progress (receiver_id, position, sent, skipped, untold, claimed_until) VALUES (@Id, @start, 0, 0, 0, 0) ON CONFLICT (receiver_id) DO NOTHING", values, t);
            return true;
        },
        cancellation);

    /// <summary>Forgets a receiver; what it reported back stays.</summary>
    public Task<bool> DeleteAsync(string? fieldId, string id, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var gone = await t.Connection!.ExecuteAsync("DELETE FROM soc_receiver WHERE id = @id AND field_id = @field", new { id, field = fieldId ?? "" }, t) > 0;
            if (gone)
            {
                await t.Connection!.ExecuteAsync("DELETE FROM soc_progress WHERE receiver_id = @id", new { id }, t);
            }

            return gone;
        },
        cancellation);

    public Task<SocProgress?> ProgressAsync(string id, CancellationToken cancellation) =>
        databases.State.ReadAsync(c => c.QuerySingleOrDefaultAsync<SocProgress>(Progress + " WHERE receiver_id = @id", new { id }), cancellation);

    /// <summary>Takes the receiver for a node, or keeps it, until a moment; only one node sends to it.</summary>
    /// <returns>Null when another node has it, or it is gone.</returns>
    public Task<SocProgress?> ClaimAsync(string id, string node, TimeSpan during, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var now = clock.GetUtcNow();
            var taken = await t.Connection!.ExecuteAsync(
                "UPDATE soc_progress SET claimed_by = @node, claimed_until = @until WHERE receiver_id = @id AND (claimed_by = @node OR claimed_by IS NULL OR claimed_until < @now)",
                new { id, node, now = now.ToUnixTimeMilliseconds(), until = (now + during).ToUnixTimeMilliseconds() },
                t);
            return taken == 0 ? null : await t.Connection!.QuerySingleAsync<SocProgress>(Progress + " WHERE receiver_id = @id", new { id }, t);
        },
        cancellation);

    /// <summary>Lets others have what this node held.</summary>
    public Task FreeAsync(string id, string node, CancellationToken cancellation) => databases.State.WriteAsync(
        t => t.Connection!.ExecuteAsync("UPDATE soc_progress SET claimed_by = NULL, claimed_until = 0 WHERE receiver_id = @id AND claimed_by = @node", new { id, node }, t), cancellation);

    /// <summary>The receiver took everything up to a position, and was told of that many skipped records.</summary>
    public Task AdvanceAsync(string id, long position, long sent, long told, CancellationToken cancellation) => databases.State.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE soc_progress SET position = CASE WHEN position < @position THEN @position ELSE position END, sent = sent + @sent, untold = untold - @told WHERE receiver_id = @id",
            new { id, position, sent, told },
            t),
        cancellation);

    /// <summary>Gives the oldest records up for a receiver, and says so in the history.</summary>
    public Task SkipAsync(SocReceiver receiver, HistoryExcess excess, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var moved = await t.Connection!.ExecuteAsync(
                "UPDATE soc_progress SET position = @Through, skipped = skipped + @Records, untold = untold + @Records WHERE receiver_id = @Id AND position < @Through",
                new { receiver.Id, excess.Through, excess.Records },
                t);
            if (moved > 0)
            {
                history.Append(
                    new HistoryRecord
                    {
                        At = clock.GetUtcNow(),
                        Kind = HistoryKinds.Operator,
                        What = "soc-skipped",
                        FieldId = receiver.FieldId,
                        Actor = "gateway",
                        CorrelationId = "",
                        Subject = receiver.Id,
                        Details = JsonSerializer.Serialize(new { records = excess.Records, state = "skipped" }),
                    },
                    t);
            }
        },
        cancellation);

    /// <summary>What fields say of themselves.</summary>
    public async Task<IReadOnlyDictionary<string, SocField>> FieldsAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<(string Id, string Sector, long Shared)>("SELECT field_id, sector, shared FROM soc_field"), cancellation);
        return rows.ToDictionary(r => r.Id, r => new SocField(r.Id, r.Sector, r.Shared != 0), StringComparer.Ordinal);
    }

    public Task SaveFieldAsync(SocField field, CancellationToken cancellation) => databases.State.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "INSERT INTO soc_field (field_id, sector, shared, changed_at) VALUES (@FieldId, @Sector, @shared, @at) " +
            "ON CONFLICT (field_id) DO UPDATE SET sector = excluded.sector, shared = excluded.shared, changed_at = excluded.changed_at",
            new { field.FieldId, field.Sector, shared = field.Shared ? 1L : 0L, at = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            t),
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private SocReceiver Open(string id, byte[] document) => JsonSerializer.Deserialize<SocReceiver>(_cipher.UnprotectText(document, Context(id)))!;

    private static string Context(string id) => "soc/" + id;
}
