using Microsoft.Extensions.Hosting;
using Sekisho.Distribution.Limits;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Refusals;

/// <summary>
/// Adds refused requests up per source, device, reason and second, so that a flood costs a bounded number of events. Any thread.
/// </summary>
internal sealed class RefusalCounts(IEventJournal journal, TrafficCounters traffic, TimeProvider clock) : IRefusals, IHostedService, IDisposable
{
    /// <summary>
    /// Keys per second; what comes from further sources is counted under <see cref="Other"/>. Devices that proved who they are have as many of their
    /// own, so that strangers from many addresses cannot hide what a device does.
    /// </summary>
    public const int MaxKeys = 256;

    /// <summary>Source that stands for all that did not fit.</summary>
    public const string Other = "other";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Lock _turn = new(); // guards _counts and _ofDevices
    private Dictionary<Key, Sum> _counts = [];
    private int _ofDevices; // keys of devices among _counts
    private ITimer? _timer;
    private int _busy; // 0 or 1, interlocked

    public void Count(Refusal refusal)
    {
        DistributionMetrics.RefusedRequests.Add(1, new KeyValuePair<string, object?>("reason", refusal.Reason));
        DistributionMetrics.RefusedBytes.Add(refusal.Bytes);
        if (refusal.DeviceId is { } device)
        {
            traffic.Refused(device, refusal.Bytes);
        }

        lock (_turn)
        {
            Add(
                new Key(refusal.Source, refusal.DeviceId, refusal.Reason),
                new Sum(refusal.FieldId, 1, refusal.Bytes, refusal.Detail, refusal.CorrelationId));
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = clock.CreateTimer(_ => _ = FlushAsync(), null, Interval, Interval);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
        }

        await FlushAsync().ConfigureAwait(false);
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>Hands the sums to the journal; what it cannot take is added to the next second's.</summary>
    internal async Task FlushAsync()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            return;
        }

        Dictionary<Key, Sum> counts;
        lock (_turn)
        {
            (counts, _counts, _ofDevices) = (_counts, [], 0);
        }

        try
        {
            if (counts.Count > 0)
            {
                var now = clock.GetUtcNow();
                await journal.AppendAsync([.. counts.Select(c => Event(c.Key, c.Value, now))], CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (JournalUnavailableException)
        {
            lock (_turn)
            {
                foreach (var (key, sum) in counts)
                {
                    Add(key, sum);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private void Add(Key key, Sum sum)
    {
        var ofOneKind = key.DeviceId is null ? _counts.Count - _ofDevices : _ofDevices;
        if (ofOneKind >= MaxKeys && !_counts.ContainsKey(key))
        {
            (key, sum) = (new Key(Other, null, key.Reason), sum with { FieldId = null });
        }

        if (_counts.TryGetValue(key, out var before))
        {
            sum = sum with { Count = (int)Math.Min(int.MaxValue, (long)before.Count + sum.Count), Bytes = before.Bytes + sum.Bytes, Detail = sum.Detail ?? before.Detail };
        }
        else if (key.DeviceId is not null)
        {
            _ofDevices++;
        }

        _counts[key] = sum;
    }

    private static RefusalEvent Event(Key key, Sum sum, DateTimeOffset now) => new()
    {
        ArrivedAt = now,
        CorrelationId = sum.CorrelationId,
        Reason = key.Reason,
        Source = key.Source,
        DeviceId = key.DeviceId,
        FieldId = sum.FieldId,
        Count = sum.Count,
        Bytes = sum.Bytes,
        Detail = sum.Detail,
    };

    private readonly record struct Key(string Source, string? DeviceId, string Reason);

    private readonly record struct Sum(string? FieldId, int Count, long Bytes, string? Detail, string CorrelationId);
}
