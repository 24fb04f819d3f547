using System.Collections.Concurrent;

namespace Sekisho.Distribution.Limits;

/// <summary>
/// Decides who may send now. A device is judged by its own buckets before anything that all share is touched, so that a noisy one only ever
/// spends its own. Any thread.
/// </summary>
internal sealed class Admission(LimitSettings settings, FieldLimits fields, Restrictions restrictions, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Device> _devices = new(StringComparer.Ordinal);
    private readonly long _start = clock.GetTimestamp();
    private readonly Lock _turn = new(); // guards _all
    private TokenBucket _all;
    private int _underWay;

    /// <summary>Takes a place for a request of anybody.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _underWay) <= settings.Requests)
        {
            return true;
        }

        Interlocked.Decrement(ref _underWay);
        return false;
    }

    /// <summary>Gives the place back.</summary>
    public void Leave() => Interlocked.Decrement(ref _underWay);

    /// <summary>Takes a place for a request of a device, before its body is read.</summary>
    /// <returns>How long to wait; zero when it may go on and must be left again.</returns>
    public TimeSpan Enter(string deviceId, string fieldId)
    {
        var device = _devices.GetOrAdd(deviceId, static _ => new Device());
        var limits = LimitsOf(deviceId, fieldId);
        lock (device)
        {
            if (device.UnderWay >= settings.RequestsPerDevice)
            {
                return TimeSpan.FromSeconds(1);
            }

            // Before the body is read nobody knows whether it is live or late: one token in either bucket is enough.
            var now = Now();
            var wait = Math.Min(
                device.Live.Wait(1, limits.MessagesPerSecond, limits.Burst, now),
                device.Late.Wait(1, limits.BacklogPerSecond, limits.BacklogBurst, now));
            device.UnderWay += wait > 0 ? 0 : 1;
            return TimeSpan.FromSeconds(wait);
        }
    }

    /// <summary>Gives the device's place back.</summary>
    public void Leave(string deviceId)
    {
        if (_devices.TryGetValue(deviceId, out var device))
        {
            lock (device)
            {
                // Zero when the device was forgotten meanwhile.
                device.UnderWay = Math.Max(0, device.UnderWay - 1);
            }
        }
    }

    /// <summary>Takes tokens for the messages of one request, all or none.</summary>
    /// <returns>How long to wait; zero when they were taken.</returns>
    public TimeSpan Take(string deviceId, string fieldId, int live, int late)
    {
        var device = _devices.GetOrAdd(deviceId, static _ => new Device());
        var limits = LimitsOf(deviceId, fieldId);
        var now = Now();
        lock (device)
        {
            var wait = Math.Max(
                live == 0 ? 0 : device.Live.Wait(live, limits.MessagesPerSecond, limits.Burst, now),
                late == 0 ? 0 : device.Late.Wait(late, limits.BacklogPerSecond, limits.BacklogBurst, now));
            if (wait > 0)
            {
                return TimeSpan.FromSeconds(wait);
            }

            lock (_turn)
            {
                wait = _all.Wait(live + late, settings.MessagesPerSecond, settings.MessagesPerSecond, now);
                if (wait > 0)
                {
                    return TimeSpan.FromSeconds(wait);
                }

                _all.Take(live + late);
            }

            device.Live.Take(live);
            device.Late.Take(late);
            return TimeSpan.Zero;
        }
    }

    /// <summary>The device is gone.</summary>
    public void Forget(string deviceId) => _devices.TryRemove(deviceId, out _);

    // A restricted device sends at most a minute's worth at once.
    private DeviceLimits LimitsOf(string deviceId, string fieldId)
    {
        var limits = fields.Of(fieldId);
        return restrictions.Of(deviceId) is not { } perMinute ? limits : new DeviceLimits(
            Math.Min(limits.MessagesPerSecond, perMinute / 60),
            Math.Min(limits.Burst, (int)Math.Max(1, perMinute)),
            Math.Min(limits.BacklogPerSecond, perMinute / 60),
            Math.Min(limits.BacklogBurst, (int)Math.Max(1, perMinute)));
    }

    private double Now() => clock.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Locked by itself; the lock guards all of it and is taken before the one on what all share.</summary>
    private sealed class Device
    {
        public TokenBucket Live;
        public TokenBucket Late;
        public int UnderWay;
    }
}
