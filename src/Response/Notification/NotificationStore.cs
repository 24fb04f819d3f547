using System.Data.Common;
using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Notification;

/// <summary>The table notification. Null as field stands for the gateway itself. Any thread.</summary>
internal sealed class NotificationStore(Databases databases, MasterKey key, FormerRecipients former, TimeProvider clock) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "response-notification");

    public Task<NotificationSettings?> FindAsync(string? fieldId, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => await c.QuerySingleOrDefaultAsync<byte[]>("SELECT document FROM notification WHERE field_id = @field", new { field = fieldId ?? "" }) is { } document
            ? JsonSerializer.Deserialize<NotificationSettings>(_cipher.UnprotectText(document, Context(fieldId)))
            : null,
        cancellation);

    /// <summary>The same in the caller's transaction.</summary>
    public NotificationSettings? Find(string? fieldId, DbTransaction transaction) =>
        transaction.Connection!.QuerySingleOrDefault<byte[]>("SELECT document FROM notification WHERE field_id = @field", new { field = fieldId ?? "" }, transaction) is { } document
            ? JsonSerializer.Deserialize<NotificationSettings>(_cipher.UnprotectText(document, Context(fieldId)))
            : null;

    /// <summary>Replaces recipients and webhook. A webhook keeps its secret unless a new one is asked for.</summary>
    /// <returns>What is in force, and the webhook's secret when it is new.</returns>
    public Task<(NotificationSettings Settings, string? NewSecret)> ReplaceAsync(
        string? fieldId, IReadOnlyList<Recipient> recipients, NotificationTimes times, string? webhookUrl, bool newSecret, CancellationToken cancellation) =>
        databases.State.WriteAsync(
            async t =>
            {
                var before = await t.Connection!.QuerySingleOrDefaultAsync<byte[]>("SELECT document FROM notification WHERE field_id = @field", new { field = fieldId ?? "" }, t);
                var present = before is null ? null : JsonSerializer.Deserialize<NotificationSettings>(_cipher.UnprotectText(before, Context(fieldId)))!;
                former.Keep(fieldId, present?.Recipients ?? [], t);
                var secret = present?.Webhook?.Secret;
                var fresh = webhookUrl is not null && (newSecret || secret is null) ? "whsec_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) : null;
                var settings = new NotificationSettings(recipients, webhookUrl is null ? null : new Webhook(webhookUrl, fresh ?? secret!)) { Times = times };
                await t.Connection!.ExecuteAsync(
                    "INSERT INTO notification (field_id, document, changed_at) VALUES (@field, @document, @at) ON CONFLICT (field_id) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at",
                    new
                    {
                        field = fieldId ?? "",
                        document = _cipher.Protect(JsonSerializer.Serialize(settings), Context(fieldId)),
                        at = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                    },
                    t);
                return (settings, fresh);
            },
            cancellation);

    public void Dispose() => _cipher.Dispose();

    private static string Context(string? fieldId) => "notification/" + fieldId;
}
