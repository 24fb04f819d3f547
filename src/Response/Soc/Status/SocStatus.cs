using System.Text.Json;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Soc.Status;

/// <summary>What a receiver says it made of an event.</summary>
/// <param name="FieldId">Whose finding or response it is; null for the gateway's. The receiver may be the gateway's all the same.</param>
/// <param name="EventId">The finding or the response.</param>
/// <param name="FindingId">The finding, also behind a response; null for none.</param>
/// <param name="DeviceId">Device concerned.</param>
/// <param name="Status">One of <see cref="SocStatuses"/>.</param>
/// <param name="CaseId">The receiver's own number.</param>
/// <param name="Note">What its people say.</param>
internal sealed record SocReport(string? FieldId, string EventId, string? FindingId, string? DeviceId, string Status, string? CaseId, string? Note);

/// <summary>A report as it is kept.</summary>
internal sealed record KeptReport(string EventId, string? FindingId, string ReceiverId, string Receiver, string Status, string? CaseId, string? Note, DateTimeOffset At);

/// <summary>Stable names of what a receiver reports.</summary>
internal static class SocStatuses
{
    public const string Acknowledged = "acknowledged";
    public const string Closed = "closed";
    public const string FalseAlarm = "false-alarm";

    public static readonly IReadOnlyList<string> All = [Acknowledged, Closed, FalseAlarm];
}

/// <summary>The table soc_status. Cases, notes and names are encrypted. Any thread.</summary>
internal sealed class SocStatusStore(Databases databases, MasterKey key, IHistory history, TimeProvider clock) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "response-soc-status");

    /// <summary>Keeps a report with its record. One that says the same as the last of the receiver about the event is a repeat and changes nothing.</summary>
    /// <returns>True when it was new.</returns>
    public Task<bool> AddAsync(SocReceiver receiver, SocReport report, string correlationId, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var last = await t.Connection!.QueryFirstOrDefaultAsync<(long Number, string Status, byte[] Details)?>(
                "SELECT number, status, details FROM soc_status WHERE receiver_id = @receiver AND event_id = @EventId ORDER BY number DESC LIMIT 1", new { receiver = receiver.Id, report.EventId }, t);
            var details = new Details(receiver.Name, report.CaseId, report.Note);
            if (last is { } same && same.Status == report.Status && Open(same.Details, report.EventId) is var before && before.CaseId == details.CaseId && before.Note == details.Note)
            {
                return false;
            }

            var now = clock.GetUtcNow();
            await t.Connection!.ExecuteAsync(
                "INSERT INTO soc_status (receiver_id, event_id, number, field_id, finding_id, status, at, details) VALUES (@receiver, @EventId, @number, @field, @FindingId, @Status, @at, @details)",
                new
                {
                    receiver = receiver.Id,
                    report.EventId,
                    number = (last?.Number ?? 0) + 1,
                    field = report.FieldId ?? "",
                    report.FindingId,
                    report.Status,
                    at = now.ToUnixTimeMilliseconds(),
                    details = _cipher.Protect(JsonSerializer.Serialize(details), Context(report.EventId)),
                },
                t);
            history.Append(
                new HistoryRecord
                {
                    At = now,
                    Kind = report.EventId == report.FindingId ? HistoryKinds.Detection : HistoryKinds.Response,
                    What = "soc-" + report.Status,
                    FieldId = report.FieldId,
                    DeviceId = report.DeviceId,
                    Actor = receiver.Actor,
                    CorrelationId = correlationId,
                    Subject = report.EventId,
                    Details = JsonSerializer.Serialize(new { state = report.Status, receiver = receiver.Id, @case = report.CaseId, note = report.Note }),
                },
                t);
            return true;
        },
        cancellation);

    /// <summary>What was reported in a field (null: of the gateway) about a finding and its responses, or about everything; newest first.</summary>
    public async Task<IReadOnlyList<KeptReport>> ListAsync(string? fieldId, string? findingId, int limit, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string EventId, string? FindingId, string Receiver, string Status, long At, byte[] Details)>(
                $"SELECT event_id, finding_id, receiver_id, status, at, details FROM soc_status WHERE field_id = @field {(findingId is null ? "" : "AND finding_id = @findingId")} ORDER BY at DESC, number DESC LIMIT @limit",
                new { field = fieldId ?? "", findingId, limit }),
            cancellation);
        return [.. rows.Select(r =>
        {
            var details = Open(r.Details, r.EventId);
            return new KeptReport(r.EventId, r.FindingId, r.Receiver, details.Receiver, r.Status, details.CaseId, details.Note, DateTimeOffset.FromUnixTimeMilliseconds(r.At));
        })];
    }

    public void Dispose() => _cipher.Dispose();

    private Details Open(byte[] details, string eventId) => JsonSerializer.Deserialize<Details>(_cipher.UnprotectText(details, Context(eventId)))!;

    private static string Context(string eventId) => "soc-status/" + eventId;

    private sealed record Details(string Receiver, string? CaseId, string? Note);
}
