using Sekisho.Api.Problems;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.History;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Intake;

/// <summary>What became of an upload.</summary>
/// <param name="UpTo">Highest interval that the gateway has now.</param>
/// <param name="Refused">Why nothing of it was taken; null when something was.</param>
/// <param name="Fault">What about the bytes is wrong; null when they can be read.</param>
internal readonly record struct IntakeOutcome(long UpTo, ProblemType? Refused, string? Fault);

/// <summary>Takes uploads: each interval once, all of an upload in one transaction or nothing. Any thread.</summary>
internal sealed class IntervalIntake(SensorStore sensors, SensorBook book, IntervalStore store, Sealed secrets, IHistory history, TimeProvider clock)
{
    /// <summary>What the gateway puts up with: an upload of the largest intervals is read one interval after the other, so this bounds the memory of each.</summary>
    public static readonly WireLimits Limits = WireLimits.Default;

    public async Task<IntakeOutcome> TakeAsync(KnownCertificate shown, byte[] certificateHash, byte[] body, string correlationId, CancellationToken cancellation)
    {
        var entry = shown.Entry;
        await entry.Turn.WaitAsync(cancellation);
        try
        {
            // It may have been shut out, or its certificate replaced, while this upload waited.
            var before = entry.Sensor;
            if (entry.Gone || book.Certificate(certificateHash) is null)
            {
                return new(before.LastSequence, SensorProblems.Unknown, null);
            }

            if (before.State == SensorStates.Revoked)
            {
                return new(before.LastSequence, SensorProblems.Revoked, null);
            }

            var now = clock.GetUtcNow();
            var upload = Read(before, body, now, out var fault);
            if (upload is null)
            {
                return new(before.LastSequence, null, fault);
            }

            if (upload.Intervals.Count == 0)
            {
                return new(before.LastSequence, SensorProblems.Repeated, null);
            }

            var after = before with { LastSequence = upload.Intervals[^1].Sequence, LastSeen = now, Missed = before.Missed + upload.Missed, Status = upload.Status };
            var others = book.CertifiedUntil(entry) <= shown.NotAfter;
            await sensors.WriteAsync(
                async t =>
                {
                    await store.AddAsync(after.Id, upload.Intervals, now, t);
                    await store.PutAsync(after.Id, upload.Devices.Values, t);
                    await sensors.PutAsync(after, t);
                    if (others)
                    {
                        await SensorStore.DropCertificatesAsync(after.Id, certificateHash, t);
                    }

                    AlarmRecords.Append(history, before, after, now, correlationId, t);
                },
                cancellation);
            entry.Sensor = after;
            if (others)
            {
                book.DropCertificates(entry, certificateHash);
            }

            return new(after.LastSequence, null, null);
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    private Upload? Read(Sensor sensor, byte[] body, DateTimeOffset now, out string? fault)
    {
        if (!IntervalBatch.TryDecode(body, Limits, out var places, out fault))
        {
            return null;
        }

        var upload = new Upload { Status = sensor.Status };
        var last = sensor.LastSequence;
        long inBatch = 0;
        foreach (var place in places)
        {
            if (!IntervalCodec.TryDecode(body.AsSpan(place), Limits, out var interval, out fault))
            {
                return null;
            }

            if (interval.Sequence <= inBatch)
            {
                fault = "the numbers of its intervals do not rise";
                return null;
            }

            inBatch = interval.Sequence;
            if (interval.Sequence <= last)
            {
                continue;
            }

            upload.Missed += interval.Sequence - last - 1;
            last = interval.Sequence;
            upload.Intervals.Add((interval.Sequence, body[place]));
            upload.Status = new SensorStatus(interval.Start, interval.Length, interval.State, Alarms.After(upload.Status, interval.State, now));
            foreach (var device in interval.Devices)
            {
                Note(upload, device);
            }
        }

        return upload;
    }

    private void Note(Upload upload, DeviceFeatures device)
    {
        var id = (device.Mac, device.BehindRouter);
        var first = upload.Devices.TryGetValue(id, out var before) ? Math.Min(before.FirstSeen, device.FirstSeen) : device.FirstSeen;
        upload.Devices[id] = new SeenDevice(
            before?.Key ?? secrets.Device(device.Mac, device.BehindRouter),
            first,
            device.LastSeen,
            new DeviceIdentity(device.Mac, device.BehindRouter.IsNone ? null : device.BehindRouter.ToString(), [.. device.Addresses.Select(a => a.ToString())]));
    }

    private sealed class Upload
    {
        public List<(long Sequence, byte[] Message)> Intervals { get; } = [];

        public Dictionary<(ulong, NetAddress), SeenDevice> Devices { get; } = [];

        public long Missed { get; set; }

        public SensorStatus? Status { get; set; }
    }
}
