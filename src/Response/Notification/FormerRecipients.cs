using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Notification;

/// <summary>
/// The table notification_former: who was a recipient before each change, written with it, so that whoever is removed can be told. Null as field stands for the gateway itself. Any thread.
/// </summary>
internal sealed class FormerRecipients(MasterKey key, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    private readonly ColumnCipher _cipher = new(key, "response-notification-former");

    /// <summary>Remembers them in the transaction that replaces them.</summary>
    public void Keep(string? fieldId, IReadOnlyList<Recipient> recipients, DbTransaction transaction)
    {
        var now = clock.GetUtcNow();
        transaction.Connection!.Execute("DELETE FROM notification_former WHERE at < @before", new { before = (now - Kept).ToUnixTimeMilliseconds() }, transaction);
        if (recipients.Count > 0)
        {
            transaction.Connection!.Execute(
                "INSERT INTO notification_former (id, field_id, at, document) VALUES (@id, @field, @at, @document)",
                new
                {
                    id = Guid.NewGuid().ToString("N"),
                    field = fieldId ?? "",
                    at = now.ToUnixTimeMilliseconds(),
                    document = _cipher.Protect(JsonSerializer.Serialize(recipients), Context(fieldId)),
                },
                transaction);
        }
    }

    /// <summary>Addresses of those who were recipients before some change since a time.</summary>
    public IReadOnlyList<string> Since(string? fieldId, DateTimeOffset since, DbTransaction transaction) =>
    [
        .. transaction.Connection!.Query<byte[]>(
                "SELECT document FROM notification_former WHERE field_id = @field AND at >= @since", new { field = fieldId ?? "", since = since.ToUnixTimeMilliseconds() }, transaction)
            .SelectMany(d => JsonSerializer.Deserialize<List<Recipient>>(_cipher.UnprotectText(d, Context(fieldId)))!)
            .Select(r => r.Address).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase),
    ];

    public void Dispose() => _cipher.Dispose();

    private static string Context(string? fieldId) => "notification-former/" + fieldId;
}
