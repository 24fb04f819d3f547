using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>The table webhook. Null as field stands for the gateway itself. Any thread.</summary>
internal sealed class HookStore(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "response-webhook");

    /// <summary>Those of a field, oldest first.</summary>
    public Task<IReadOnlyList<Hook>> ListAsync(string? fieldId, CancellationToken cancellation) =>
        databases.State.ReadAsync(async c => Open(await c.QueryAsync<(string, byte[])>("SELECT id, document FROM webhook WHERE field_id = @field ORDER BY made_at, id", new { field = fieldId ?? "" })), cancellation);

    /// <summary>The same in the caller's transaction.</summary>
    public IReadOnlyList<Hook> List(string? fieldId, DbTransaction transaction) =>
        Open(transaction.Connection!.Query<(string, byte[])>("SELECT id, document FROM webhook WHERE field_id = @field ORDER BY made_at, id", new { field = fieldId ?? "" }, transaction));

    /// <summary>One of a field; null when there is none.</summary>
    public async Task<Hook?> FindAsync(string? fieldId, string id, CancellationToken cancellation) => (await ListAsync(fieldId, cancellation)).FirstOrDefault(h => h.Id == id);

    /// <summary>Adds or replaces one.</summary>
    /// <returns>False when it would be one too many.</returns>
    public Task<bool> SaveAsync(Hook hook, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var values = new
            {
                hook.Id,
                field = hook.FieldId ?? "",
                document = _cipher.Protect(JsonSerializer.Serialize(hook), Context(hook.Id)),
                at = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                most = Hook.Most,
            };
            return await t.Connection!.ExecuteAsync("UPDATE webhook SET document = @document WHERE id = @Id AND field_id = @field", values, t) > 0
                || await t.Connection!.ExecuteAsync(
                    "INSERT INTO webhook (id, field_id, document, made_at) SELECT @Id, @field, @document, @at WHERE (SELECT COUNT(*) FROM webhook WHERE field_id = @field) < @most", values, t) > 0;
        },
        cancellation);

    /// <summary>Forgets one with its secrets.</summary>
    public Task<bool> DeleteAsync(string? fieldId, string id, CancellationToken cancellation) => databases.State.WriteAsync(
        async t => await t.Connection!.ExecuteAsync("DELETE FROM webhook WHERE id = @id AND field_id = @field", new { id, field = fieldId ?? "" }, t) > 0, cancellation);

    public void Dispose() => _cipher.Dispose();

    private IReadOnlyList<Hook> Open(IEnumerable<(string Id, byte[] Document)> rows) =>
        [.. rows.Select(r => JsonSerializer.Deserialize<Hook>(_cipher.UnprotectText(r.Document, Context(r.Id)))!)];

    private static string Context(string id) => "webhook/" + id;
}
