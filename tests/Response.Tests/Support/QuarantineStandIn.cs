using System.Collections.Concurrent;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Tests.Support;

/// <summary>What Distribution would keep back. Any thread.</summary>
internal sealed class QuarantineStandIn : ITrafficQuarantine
{
    /// <summary>Orders by device and holder.</summary>
    public ConcurrentDictionary<(string Device, string Holder), QuarantineOrder> Held { get; } = new();

    /// <summary>What ended: device, whether it let go, who.</summary>
    public ConcurrentQueue<(string Device, bool Forward, string Actor)> Ended { get; } = new();

    public int Queued { get; set; }

    public Task HoldAsync(QuarantineOrder order, CancellationToken cancellation)
    {
        Held[(order.DeviceId, order.Holder)] = order;
        return Task.CompletedTask;
    }

    public Task<bool> EndAsync(string deviceId, string holder, bool forward, string actor, string correlationId, CancellationToken cancellation)
    {
        if (Held.TryRemove((deviceId, holder), out _) && Of(deviceId) is null)
        {
            Ended.Enqueue((deviceId, forward, actor));
        }

        return Task.FromResult(Of(deviceId) is null);
    }

    public Quarantine? Of(string deviceId) => Held.Where(h => h.Key.Device == deviceId).Select(h => h.Value.Until).Order().ToList() is { Count: > 0 } ends ? new Quarantine(ends[^1], 7) : null;

    public Task<(int Messages, bool More)> QueuedAsync(string fieldId, string deviceId, CancellationToken cancellation) => Task.FromResult((Queued, false));
}
