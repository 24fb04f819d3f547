using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Actions.Ticket;

/// <summary>The table ticket_desk, and which responses share a ticket. Null as field stands for the gateway itself. Any thread.</summary>
internal sealed class TicketStore(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    // Responses to findings of the same incident.
    private const string Siblings =
        "FROM lease l JOIN incident_finding f ON f.finding_id = l.finding_id WHERE l.action = 'open-ticket' AND l.id <> @leaseId " +
        "AND f.incident_id = (SELECT incident_id FROM incident_finding WHERE finding_id = @findingId)";

    private readonly ColumnCipher _cipher = new(key, "response-ticket");

    public Task<TicketDesk?> FindAsync(string? fieldId, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => await c.QuerySingleOrDefaultAsync<byte[]>("SELECT document FROM ticket_desk WHERE field_id = @field", new { field = fieldId ?? "" }) is { } document
            ? JsonSerializer.Deserialize<TicketDesk>(_cipher.UnprotectText(document, Context(fieldId)))
            : null,
        cancellation);

    public Task ReplaceAsync(TicketDesk desk, CancellationToken cancellation) => databases.State.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "INSERT INTO ticket_desk (field_id, document, changed_at) VALUES (@field, @document, @at) ON CONFLICT (field_id) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at",
            new { field = desk.FieldId ?? "", document = _cipher.Protect(JsonSerializer.Serialize(desk), Context(desk.FieldId)), at = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            t),
        cancellation);

    public Task<bool> DeleteAsync(string? fieldId, CancellationToken cancellation) => databases.State.WriteAsync(
        async t => await t.Connection!.ExecuteAsync("DELETE FROM ticket_desk WHERE field_id = @field", new { field = fieldId ?? "" }, t) > 0, cancellation);

    /// <summary>Responses that opened, or share, a ticket for the same incident that nobody closed, newest first, at most so many.</summary>
    public Task<IReadOnlyList<string>> OpenAsync(string leaseId, string findingId, int most, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<string>)(await c.QueryAsync<string>(
            $"SELECT l.id {Siblings} AND l.state = 'done' AND l.undo_asked_at IS NULL ORDER BY l.ended_at DESC, l.id LIMIT @most", new { leaseId, findingId, most })).AsList(),
        cancellation);

    /// <summary>Whether an older response is about to open a ticket for the same incident.</summary>
    public Task<bool> IsOpeningAsync(string leaseId, string findingId, DateTimeOffset createdAt, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => await c.ExecuteScalarAsync<long>(
            $"SELECT COUNT(*) {Siblings} AND l.state IN ('due', 'running') AND (l.created_at < @at OR (l.created_at = @at AND l.id < @leaseId))",
            new { leaseId, findingId, at = createdAt.ToUnixTimeMilliseconds() }) > 0,
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private static string Context(string? fieldId) => "ticket-desk/" + fieldId;
}
