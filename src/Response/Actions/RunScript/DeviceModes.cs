using System.Collections.Concurrent;
using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>The operating mode that each device last named, since the gateway started: scripts decide by it. Any thread.</summary>
internal sealed class DeviceModes : ILaneCommitPart
{
    private readonly ConcurrentDictionary<string, string> _last = new(StringComparer.Ordinal);

    public string? Of(string deviceId) => _last.GetValueOrDefault(deviceId);

    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        // Nothing to store: a mode is heard again with the next message.
    }

    public void Committed(LaneBatch batch)
    {
        // A stored reading tells a mode that may be long gone.
        foreach (var message in batch.Chunks.Where(c => !c.Backlog).SelectMany(c => c.Messages))
        {
            if (message.Mode is { } mode)
            {
                _last[message.DeviceId] = mode;
            }
        }

        foreach (var gone in batch.Facts.OfType<DeviceChangedEvent>().Where(d => d.State == DeviceChangedEvent.Deleted))
        {
            _last.TryRemove(gone.DeviceId, out _);
        }
    }
}
