using System.Collections.Concurrent;
using System.Data.Common;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Sim;

/// <summary>When each device last sent, since the gateway started: a person who is about to switch a SIM off wants to know. Any thread.</summary>
internal sealed class LastReadings : ILaneCommitPart
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _last = new(StringComparer.Ordinal);

    public DateTimeOffset? Of(string deviceId) => _last.TryGetValue(deviceId, out var at) ? at : null;

    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        // Nothing to store.
    }

    public void Committed(LaneBatch batch)
    {
        foreach (var chunk in batch.Chunks)
        {
            foreach (var message in chunk.Messages)
            {
                _last[message.DeviceId] = message.ArrivedAt;
            }
        }
    }
}
