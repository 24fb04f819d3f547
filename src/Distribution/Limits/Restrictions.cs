using System.Collections.Immutable;
using Dapper;
using Microsoft.Extensions.Hosting;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Distribution.Limits;

/// <summary>Devices that may send less than their field allows. A lookup takes no lock.</summary>
internal sealed class Restrictions(Databases databases, TimeProvider clock) : ITrafficRestrictions, IHostedService
{
    private ImmutableDictionary<string, ImmutableArray<Restriction>> _byDevice = ImmutableDictionary<string, ImmutableArray<Restriction>>.Empty.WithComparers(StringComparer.Ordinal);

    public double? Of(string deviceId)
    {
        if (!Volatile.Read(ref _byDevice).TryGetValue(deviceId, out var held))
        {
            return null;
        }

        double? lowest = null;
        var now = clock.GetUtcNow();
        foreach (var one in held)
        {
            if (one.Until > now && !(lowest <= one.PerMinute))
            {
                lowest = one.PerMinute;
            }
        }

        return lowest;
    }

    public async Task RestrictAsync(string deviceId, string holder, double messagesPerMinute, DateTimeOffset until, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(messagesPerMinute);
        await databases.State.WriteAsync(
            t => t.Connection!.ExecuteAsync(
                "INSERT INTO restriction (device_id, holder, per_minute, until) VALUES (@deviceId, @holder, @messagesPerMinute, @until) " +
                "ON CONFLICT (device_id, holder) DO UPDATE SET per_minute = excluded.per_minute, until = excluded.until",
                new { deviceId, holder, messagesPerMinute, until = until.ToUnixTimeMilliseconds() },
                t),
            cancellation).ConfigureAwait(false);
        var added = new Restriction(holder, messagesPerMinute, until);
        ImmutableInterlocked.AddOrUpdate(ref _byDevice, deviceId, [added], (_, held) => [.. held.Where(h => h.Holder != holder && h.Until > clock.GetUtcNow()), added]);
    }

    public async Task LiftAsync(string deviceId, string holder, CancellationToken cancellation)
    {
        // Those that have ended by themselves go with it.
        await databases.State.WriteAsync(
            t => t.Connection!.ExecuteAsync(
                "DELETE FROM restriction WHERE (device_id = @deviceId AND holder = @holder) OR until <= @now", new { deviceId, holder, now = clock.GetUtcNow().ToUnixTimeMilliseconds() }, t),
            cancellation).ConfigureAwait(false);
        ImmutableInterlocked.AddOrUpdate(ref _byDevice, deviceId, [], (_, held) => [.. held.Where(h => h.Holder != holder)]);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Device, string Holder, double PerMinute, long Until)>(
                "SELECT device_id, holder, per_minute, until FROM restriction WHERE until > @now", new { now = clock.GetUtcNow().ToUnixTimeMilliseconds() }),
            cancellationToken).ConfigureAwait(false);
        _byDevice = rows
            .GroupBy(r => r.Device, StringComparer.Ordinal)
            .ToImmutableDictionary(g => g.Key, g => g.Select(r => new Restriction(r.Holder, r.PerMinute, DateTimeOffset.FromUnixTimeMilliseconds(r.Until))).ToImmutableArray(), StringComparer.Ordinal);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private sealed record Restriction(string Holder, double PerMinute, DateTimeOffset Until);
}
