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
        Interlocked.Increment(ref counts.Requests);
        Interlocked.Add(ref counts.AcceptedMessages, messages);
        Interlocked.Add(ref counts.AcceptedBytes, bytes);
    }

    /// <summary>A request that is no message: for commands, or an answer to one.</summary>
    public void Asked(string deviceId) => Interlocked.Increment(ref Of(deviceId).Requests);

    public void Repeated(string deviceId, long bytes)
    {
        var counts = Of(deviceId);
        Interlocked.Increment(ref counts.RepeatedMessages);
        Interlocked.Add(ref counts.RepeatedBytes, bytes);
    }

    public void Refused(string deviceId, long bytes)
    {
        var counts = Of(deviceId);
        Interlocked.Increment(ref counts.Requests);
        Interlocked.Increment(ref counts.RefusedRequests);
        Interlocked.Add(ref counts.RefusedBytes, bytes);
    }

    /// <summary>Bytes of a connection below TLS, and handshakes on it.</summary>
    public void Wire(string deviceId, long up, long down, int handshakes)
    {
        var counts = Of(deviceId);
        Interlocked.Add(ref counts.WireUp, up);
        Interlocked.Add(ref counts.WireDown, down);
        Interlocked.Add(ref counts.Handshakes, handshakes);
    }

    /// <summary>What changed since it was last reported, by device.</summary>
    public IEnumerable<TrafficSince> Unreported()
    {
        foreach (var (deviceId, counts) in _devices)
        {
            var now = Now(deviceId, counts);
            var since = now.Less(counts.Told);
            if (since.Requests + since.RepeatedMessages + since.Handshakes + since.WireUp + since.WireDown > 0)
            {
                yield return since;
            }
        }
    }

    /// <summary>It was reported. One thread at a time.</summary>
    public void Reported(in TrafficSince since)
    {
        if (_devices.TryGetValue(since.DeviceId, out var counts))
        {
            counts.Told = counts.Told.Plus(since);
        }
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
            Interlocked.Read(ref c.RefusedBytes),
            Interlocked.Read(ref c.WireUp),
            Interlocked.Read(ref c.WireDown))
        : new DeviceTraffic(deviceId, 0, 0, 0, 0, 0, 0, 0, 0);

    private static TrafficSince Now(string deviceId, Counts c) => new(
        deviceId,
        Interlocked.Read(ref c.AcceptedBytes),
        Interlocked.Read(ref c.RepeatedBytes),
        Interlocked.Read(ref c.RefusedBytes),
        Interlocked.Read(ref c.Requests),
        Interlocked.Read(ref c.RepeatedMessages),
        Interlocked.Read(ref c.Handshakes),
        Interlocked.Read(ref c.WireUp),
        Interlocked.Read(ref c.WireDown),
        HasWire: Interlocked.Read(ref c.Handshakes) > 0);

    private Counts Of(string deviceId) => _devices.GetOrAdd(deviceId, static _ => new Counts());

    private sealed class Counts
    {
        public long AcceptedMessages;
        public long AcceptedBytes;
        public long RepeatedMessages;
        public long RepeatedBytes;
        public long RefusedRequests;
        public long RefusedBytes;
        public long Requests;
        public long Handshakes;
        public long WireUp;
        public long WireDown;

        /// <summary>What was reported so far; only the reporter touches it.</summary>
        public TrafficSince Told;
    }
}

/// <summary>A device's traffic since it was last reported. HasWire is true when its connections are counted.</summary>
internal readonly record struct TrafficSince(
    string DeviceId, long AcceptedBytes, long RepeatedBytes, long RefusedBytes, long Requests, long RepeatedMessages, long Handshakes, long WireUp, long WireDown, bool HasWire)
{
    public TrafficSince Less(in TrafficSince other) => Plus(other, -1);

    public TrafficSince Plus(in TrafficSince other) => Plus(other, 1);

    private TrafficSince Plus(in TrafficSince other, int sign) => new(
        DeviceId ?? other.DeviceId,
        AcceptedBytes + (sign * other.AcceptedBytes),
        RepeatedBytes + (sign * other.RepeatedBytes),
        RefusedBytes + (sign * other.RefusedBytes),
        Requests + (sign * other.Requests),
        RepeatedMessages + (sign * other.RepeatedMessages),
        Handshakes + (sign * other.Handshakes),
        WireUp + (sign * other.WireUp),
        WireDown + (sign * other.WireDown),
        HasWire);
}

/// <summary>
/// Traffic of a device since the gateway started. Repeated messages are among the accepted ones. What was on the line from the device and to it counts everything
/// that its connections carried, in bytes below TLS and without the headers of TCP and IP: also tokens, commands and refused requests.
/// </summary>
internal sealed record DeviceTraffic(
    string DeviceId, long AcceptedMessages, long AcceptedBytes, long RepeatedMessages, long RepeatedBytes, long RefusedRequests, long RefusedBytes, long WireUp, long WireDown);
