using System.Collections.Concurrent;

namespace Sekisho.Distribution.Limits;

/// <summary>
/// What each device sent since the gateway started; refused and repeated apart from accepted. Any thread. Only devices that proved who they are
/// are counted, so there are never more entries than devices.
/// </summary>
internal sealed class TrafficCounters
{
    private readonly ConcurrentDictionary<string, Counts> _devices = new(StringComparer.Ordinal);

    public void Accepted(string deviceId, int messages, long bytes)
    {
        var counts = Of(deviceId);
        Interlocked.Add(ref counts.AcceptedMessages, messages);
        Interlocked.Add(ref counts.AcceptedBytes, bytes);
    }

    public void Repeated(string deviceId, long bytes)
    {
        var counts = Of(deviceId);
        Interlocked.Increment(ref counts.RepeatedMessages);
        Interlocked.Add(ref counts.RepeatedBytes, bytes);
    }

    public void Refused(string deviceId, long bytes)
    {
        var counts = Of(deviceId);
        Interlocked.Increment(ref counts.RefusedRequests);
        Interlocked.Add(ref counts.RefusedBytes, bytes);
    }

    public void Forget(string deviceId) => _devices.TryRemove(deviceId, out _);

    public DeviceTraffic Read(string deviceId) => _devices.TryGetValue(deviceId, out var c)
        ? new DeviceTraffic(
            deviceId,
            Interlocked.Read(ref c.AcceptedMessages),
            Interlocked.Read(ref c.AcceptedBytes),
            Interlocked.Read(ref c.RepeatedMessages),
            Interlocked.Read(ref c.RepeatedBytes),
            Interlocked.Read(ref c.RefusedRequests),
            Interlocked.Read(ref c.RefusedBytes))
        : new DeviceTraffic(deviceId, 0, 0, 0, 0, 0, 0);

    private Counts Of(string deviceId) => _devices.GetOrAdd(deviceId, static _ => new Counts());

    private sealed class Counts
    {
        public long AcceptedMessages;
        public long AcceptedBytes;
        public long RepeatedMessages;
        public long RepeatedBytes;
        public long RefusedRequests;
        public long RefusedBytes;
    }
}

/// <summary>Traffic of a device since the gateway started. Repeated messages are among the accepted ones.</summary>
internal sealed record DeviceTraffic(
    string DeviceId, long AcceptedMessages, long AcceptedBytes, long RepeatedMessages, long RepeatedBytes, long RefusedRequests, long RefusedBytes);
