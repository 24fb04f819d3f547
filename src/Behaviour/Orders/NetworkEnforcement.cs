using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Devices;
using Sekisho.Wire.Orders;

namespace Sekisho.Behaviour.Orders;

/// <summary>Measures against devices, as Response orders them. Any thread.</summary>
internal sealed class NetworkEnforcement(MeasureStore store, IntervalStore seen, SensorBook book, OrderSignal signal, IDeviceDirectory directory, IDeviceMacs macs, TimeProvider clock) : INetworkEnforcement
{
    /// <summary>An enforcer that has not asked for so long is away.</summary>
    public static readonly TimeSpan OnlineFor = TimeSpan.FromSeconds(45);

    private const int MostSeen = 8;
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);

    public async Task<NetworkIdentity?> FindAsync(string deviceId, CancellationToken cancellation)
    {
        if (directory.Device(deviceId) is not { } device)
        {
            return null;
        }

        var link = await store.LinkAsync(deviceId, cancellation);
        var mac = link is null ? macs.MacOf(deviceId) : link.Mac;
        var addresses = link?.Addresses.ToList() ?? [];
        if (mac is not null && addresses.Count == 0 && NetworkNames.Mac(mac) is { } number)
        {
            addresses = await SeenAsync(device.FieldId, number, cancellation);
        }

        return mac is null && addresses.Count == 0 ? null : new NetworkIdentity(mac is null ? [] : [mac], addresses);
    }

    public async Task<int> OnlineAsync(string fieldId, CancellationToken cancellation) => (await OnlineNamesAsync(fieldId, cancellation)).Count;

    public async Task<NetworkOutcome> RestrictAsync(NetworkMeasure measure, TimeSpan wait, string correlationId, CancellationToken cancellation)
    {
        if ((await OnlineNamesAsync(measure.FieldId, cancellation)).Count == 0)
        {
            return new(NetworkOutcomeKind.NobodyOnline);
        }

        var now = clock.GetUtcNow();
        var body = new MeasureBody(
            measure.Reachable is null ? Measures.Block : Measures.Quarantine,
            [.. measure.Identity.Macs.Take(NetworkOrderCodec.MostMacs)],
            [.. measure.Identity.Addresses.Take(NetworkOrderCodec.MostAddresses)],
            [.. (measure.Reachable ?? []).Take(NetworkOrderCodec.MostServices).Select(r => FormattableString.Invariant($"{r.Protocol} {r.Address} {r.Port}"))]);
        await store.WriteAsync(t => store.PutAsync(new Measure(measure.Id, measure.FieldId, measure.DeviceId, now, measure.ExpiresAt, null, body), t), cancellation);
        signal.Wake();
        var outcome = new NetworkOutcome(NetworkOutcomeKind.Unanswered);
        try
        {
            outcome = await ConfirmedAsync(measure, now, now + wait, cancellation);
            return outcome;
        }
        finally
        {
            if (outcome.Kind != NetworkOutcomeKind.InForce)
            {
                await WithdrawAsync(measure.Id);
            }
        }
    }

    public async Task<bool> LiftAsync(string measureId, TimeSpan wait, string correlationId, CancellationToken cancellation)
    {
        await WithdrawAsync(measureId);
        var until = clock.GetUtcNow() + wait;
        while (true)
        {
            var next = signal.Next;
            var now = clock.GetUtcNow();
            if (!(await store.OrdersOfAsync(measureId, cancellation)).Any(o => o.MayHold(now)))
            {
                return true;
            }

            if (now >= until)
            {
                return false;
            }

            await SoonAsync(next, cancellation);
        }
    }

    // The world may have changed already, so it is taken back whatever became of the caller.
    private async Task WithdrawAsync(string measureId)
    {
        await store.WriteAsync(t => MeasureStore.LiftAsync(measureId, clock.GetUtcNow(), t), CancellationToken.None);
        signal.Wake();
    }

    private async Task<NetworkOutcome> ConfirmedAsync(NetworkMeasure measure, DateTimeOffset orderedAt, DateTimeOffset until, CancellationToken cancellation)
    {
        while (true)
        {
            var next = signal.Next;
            var orders = (await store.OrdersOfAsync(measure.Id, cancellation)).Where(o => !o.IsLift && o.IssuedAt >= orderedAt).ToList();
            if (orders.Any(o => o.Outcome == Outcomes.Applied))
            {
                return new(NetworkOutcomeKind.InForce);
            }

            var online = await OnlineNamesAsync(measure.FieldId, cancellation);
            if (online.Count == 0)
            {
                return new(NetworkOutcomeKind.NobodyOnline);
            }

            if (online.All(s => orders.Any(o => o.SensorId == s && o.Outcome == Outcomes.Refused)))
            {
                return new(NetworkOutcomeKind.Refused, orders[^1].Cause);
            }

            if (clock.GetUtcNow() >= until)
            {
                return new(NetworkOutcomeKind.Unanswered);
            }

            await SoonAsync(next, cancellation);
        }
    }

    private async Task SoonAsync(Task next, CancellationToken cancellation)
    {
        await Task.WhenAny(next, Task.Delay(s_lookEvery, clock, cancellation));
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task<IReadOnlyList<string>> OnlineNamesAsync(string fieldId, CancellationToken cancellation)
    {
        var from = clock.GetUtcNow() - OnlineFor;
        return [.. (await store.EnforcersAsync(fieldId, cancellation)).Where(e => e.Value >= from).Select(e => e.Key)];
    }

    /// <summary>
    /// The addresses that sensors of the field saw the MAC use, newest last: only those of the site, and none that another device uses as well. A device
    /// may put any address into what it sends, and must not have others blocked with it.
    /// </summary>
    private async Task<List<string>> SeenAsync(string fieldId, ulong mac, CancellationToken cancellation)
    {
        var own = new List<string>();
        var others = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sensor in book.Of(fieldId))
        {
            foreach (var device in await seen.DevicesAsync(sensor.Sensor.Id, cancellation))
            {
                if (device.Identity.Mac == mac && device.Identity.BehindRouter is null)
                {
                    own.AddRange(device.Identity.Addresses);
                }
                else
                {
                    others.UnionWith(device.Identity.BehindRouter is { } address ? [address] : device.Identity.Addresses);
                }
            }
        }

        return [.. own.Where(a => !others.Contains(a) && NetworkNames.Address(a) is { } address && NetworkNames.OfSite(address)).Distinct(StringComparer.Ordinal).TakeLast(MostSeen)];
    }
}
