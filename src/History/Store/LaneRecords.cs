using System.Data.Common;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;
using Sekisho.History.Ledger;

namespace Sekisho.History.Store;

/// <summary>
/// History's part in the commit of a lane batch: chunks and what is due of their index, the other events for replays, accepted and repeated messages in the ledger, refusals and repeats
/// as records. One thread at a time.
/// </summary>
internal sealed class LaneRecords(ChunkWriter chunks, EventBlocks events, RecentChunks recent, IHistory history, IFlowSwitches flows) : ILaneCommitPart
{
    /// <summary>Message and correlation ids listed in the record of a repeat; the count beside them is complete.</summary>
    private const int Listed = 16;

    /// <inheritdoc/>
    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(batch);
        chunks.Write(batch.Chunks, transaction);
        events.Write(batch, transaction);
        foreach (var fact in batch.Facts)
        {
            if (fact is RefusalEvent refusal && IsLogged(refusal.FieldId))
            {
                history.Append(Record(refusal), transaction);
            }
            else if (fact is AuthenticationEvent { Outcome: AuthenticationOutcomes.Suspended } attempt)
            {
                // The other outcomes change the device and are recorded with the change.
                history.Append(Record(attempt), transaction);
            }
        }

        foreach (var repeats in batch.Duplicates.GroupBy(m => m.DeviceId))
        {
            if (IsLogged(repeats.First().FieldId))
            {
                history.Append(Record([.. repeats]), transaction);
            }
        }

        // The ledger's rows are shared with the outbox: they are changed last, to be held shortly, and in one order, so that no two
        // transactions wait for each other.
        foreach (var (field, messages) in Counts(batch.Chunks.Select(c => (c.FieldId, c.Messages.Count))))
        {
            LedgerBook.Add(field, LedgerBook.Accepted, messages, transaction);
        }

        foreach (var (field, messages) in Counts(batch.Duplicates.Select(m => (m.FieldId, 1))))
        {
            LedgerBook.Add(field, LedgerBook.Duplicates, messages, transaction);
        }
    }

    /// <inheritdoc/>
    public void Committed(LaneBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        chunks.Committed();
        foreach (var chunk in batch.Chunks)
        {
            recent.Add(chunk);
        }
    }

    private bool IsLogged(string? fieldId) => fieldId is null || flows.Of(fieldId).Logging;

    private static SortedDictionary<string, int> Counts(IEnumerable<(string Field, int Messages)> parts)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (field, messages) in parts)
        {
            counts[field] = counts.GetValueOrDefault(field) + messages;
        }

        return counts;
    }

    private static HistoryRecord Record(RefusalEvent refusal) => new()
    {
        At = refusal.ArrivedAt,
        Kind = HistoryKinds.Refusal,
        What = refusal.Reason,
        FieldId = refusal.FieldId,
        DeviceId = refusal.DeviceId,

        // The address identifies the sender, so it stands in the encrypted details only.
        Actor = "source",
        CorrelationId = refusal.CorrelationId,
        Details = JsonSerializer.Serialize(new { refusal.Source, refusal.Count, refusal.Bytes, refusal.Detail }, JsonSerializerOptions.Web),
    };

    private static HistoryRecord Record(AuthenticationEvent attempt) => new()
    {
        At = attempt.ArrivedAt,
        Kind = HistoryKinds.Authentication,
        What = attempt.Outcome,
        FieldId = attempt.FieldId,
        DeviceId = attempt.DeviceId,
        Actor = attempt.DeviceId,
        CorrelationId = attempt.CorrelationId,
        Details = JsonSerializer.Serialize(new { attempt.Source, attempt.Client }, JsonSerializerOptions.Web),
    };

    private static HistoryRecord Record(List<MessageEvent> repeats) => new()
    {
        At = repeats[^1].ArrivedAt,
        Kind = HistoryKinds.DataIn,
        What = "repeat",
        FieldId = repeats[0].FieldId,
        DeviceId = repeats[0].DeviceId,
        Actor = repeats[0].DeviceId,
        CorrelationId = repeats[^1].CorrelationId,
        Details = JsonSerializer.Serialize(
            new
            {
                Messages = repeats.Count,
                Bytes = repeats.Sum(m => (long)m.Size),
                Sources = repeats.Select(m => m.Source).Distinct().Take(Listed),
                MessageIds = repeats.Select(m => m.MessageId).Distinct().Take(Listed),
                CorrelationIds = repeats.Select(m => m.CorrelationId).Distinct().Take(Listed),
            },
            JsonSerializerOptions.Web),
    };
}
