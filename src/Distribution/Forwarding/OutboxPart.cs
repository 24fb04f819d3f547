using System.Data.Common;
using Sekisho.Distribution.Flow;
using Sekisho.Distribution.Limits;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Forwarding;

/// <summary>
/// Distribution's share of a lane batch: one outbox row per chunk. A field without a destination, or with none on purpose, drops with a reason at
/// once. One thread at a time, as the port says.
/// </summary>
internal sealed class OutboxPart(OutboxStore outbox, DestinationCatalog destinations, Forwarder forwarder, TrafficCounters traffic, Admission admission, FlowCatalog flows, TimeProvider clock)
    : ILaneCommitPart
{
    /// <summary>Reason of messages of a field that has no destination.</summary>
    public const string NoDestination = "no-destination";

    /// <summary>Reason of messages of a field that forwards nothing on purpose.</summary>
    public const string OnPurpose = "destination-none";

    /// <summary>Reason of messages of a field whose forwarding is switched off.</summary>
    public const string SwitchedOff = "forwarding-off";

    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        foreach (var chunk in batch.Chunks)
        {
            var reason = DropReason(chunk.FieldId);
            outbox.Add(
                new OutboxRow(
                    chunk.Id,
                    0,
                    chunk.Messages.Count,
                    chunk.FieldId,
                    chunk.Backlog ? 1 : 0,
                    reason is null ? LedgerStates.Queued : LedgerStates.Dropped,
                    Size(chunk),
                    chunk.Messages[0].ArrivedAt.ToUnixTimeMilliseconds(),
                    0,
                    reason,
                    reason is null ? null : clock.GetUtcNow().ToUnixTimeMilliseconds()),
                transaction);
        }
    }

    public void Committed(LaneBatch batch)
    {
        foreach (var chunk in batch.Chunks)
        {
            if (DropReason(chunk.FieldId) is null)
            {
                forwarder.Queued(chunk.FieldId, chunk.Messages.Count, Size(chunk));
            }
        }

        foreach (var message in batch.Duplicates)
        {
            traffic.Repeated(message.DeviceId, message.Size);
            DistributionMetrics.RepeatedMessages.Add(1);
            DistributionMetrics.RepeatedBytes.Add(message.Size);
        }

        foreach (var fact in batch.Facts)
        {
            if (fact is DeviceChangedEvent { State: "deleted" } gone)
            {
                traffic.Forget(gone.DeviceId);
                admission.Forget(gone.DeviceId);
            }
        }
    }

    private string? DropReason(string fieldId) => !flows.Of(fieldId).Forwarding ? SwitchedOff : destinations.Of(fieldId) switch
    {
        null => NoDestination,
        { Destination.Kind: Destination.None } => OnPurpose,
        _ => null,
    };

    private static long Size(MessageChunk chunk)
    {
        long bytes = 0;
        foreach (var message in chunk.Messages)
        {
            bytes += message.Payload.Length;
        }

        return bytes;
    }
}
