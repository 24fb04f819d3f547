using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Sekisho.Behaviour.Sensors;
using Sekisho.Storage;

namespace Sekisho.Behaviour.Intake;

/// <summary>A device as a sensor saw it.</summary>
/// <param name="Key">What tables and routes know it by.</param>
/// <param name="FirstSeen">Milliseconds since 1970 by the sensor's clock.</param>
/// <param name="LastSeen">See <paramref name="FirstSeen"/>.</param>
/// <param name="Identity">Its MAC and addresses.</param>
internal sealed record SeenDevice(byte[] Key, long FirstSeen, long LastSeen, DeviceIdentity Identity);

/// <summary>What identifies a device on the wire; sealed in the store.</summary>
/// <param name="Mac">The low 48 bits; of the router for a device behind one.</param>
/// <param name="BehindRouter">The address behind a router that it is known by; null for a device of the segment.</param>
/// <param name="Addresses">Addresses it used as a source, newest last.</param>
internal sealed record DeviceIdentity(ulong Mac, string? BehindRouter, IReadOnlyList<string> Addresses);

/// <summary>Intervals and devices in the store, sealed. Any thread.</summary>
internal sealed class IntervalStore(Databases databases, Sealed secrets, SensorSettings settings)
{
    public async Task AddAsync(string sensorId, IReadOnlyList<(long Sequence, byte[] Message)> intervals, DateTimeOffset receivedAt, DbTransaction transaction)
    {
        await transaction.Connection!.ExecuteAsync(
            "INSERT INTO sensor_interval (sensor_id, sequence, received_at, data) VALUES (@sensorId, @sequence, @receivedAt, @data)",
            intervals.Select(i => new { sensorId, sequence = i.Sequence, receivedAt = receivedAt.ToUnixTimeMilliseconds(), data = secrets.Protect("interval", Row(sensorId, i.Sequence), i.Message) }).ToArray(),
            transaction);

        // By number first: whatever the clocks say, a sensor never has more than its share.
        var oldest = intervals[^1].Sequence - settings.MostIntervals;
        var from = (receivedAt - settings.KeepIntervals).ToUnixTimeMilliseconds();
        await transaction.Connection!.ExecuteAsync("DELETE FROM sensor_interval WHERE sensor_id = @sensorId AND sequence <= @oldest", new { sensorId, oldest }, transaction);
        await transaction.Connection!.ExecuteAsync("DELETE FROM sensor_interval WHERE received_at < @from", new { from }, transaction);
    }

    public async Task PutAsync(string sensorId, IEnumerable<SeenDevice> devices, DbTransaction transaction)
    {
        await transaction.Connection!.ExecuteAsync(
            """
            INSERT INTO sensor_device (sensor_id, device_key, first_seen, last_seen, identity) VALUES (@sensorId, @Key, @FirstSeen, @LastSeen, @identity)
            ON CONFLICT (sensor_id, device_key) DO UPDATE SET
                first_seen = CASE WHEN excluded.first_seen < sensor_device.first_seen THEN excluded.first_seen ELSE sensor_device.first_seen END,
                last_seen = CASE WHEN excluded.last_seen > sensor_device.last_seen THEN excluded.last_seen ELSE sensor_device.last_seen END,
                identity = excluded.identity
            """,
            devices.Select(d => new { sensorId, d.Key, d.FirstSeen, d.LastSeen, identity = secrets.Protect("identity", Row(sensorId, d.Key), JsonSerializer.SerializeToUtf8Bytes(d.Identity)) }).ToArray(),
            transaction);
        await transaction.Connection!.ExecuteAsync(
            """
            DELETE FROM sensor_device WHERE sensor_id = @sensorId AND device_key IN
                (SELECT device_key FROM sensor_device WHERE sensor_id = @sensorId ORDER BY last_seen DESC, device_key LIMIT 1000000 OFFSET @most)
            """,
            new { sensorId, most = settings.MostDevices },
            transaction);
    }

    /// <summary>All devices of a sensor, in order of MAC and address.</summary>
    public async Task<IReadOnlyList<SeenDevice>> DevicesAsync(string sensorId, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<DeviceRow>(
            "SELECT device_key AS Key, first_seen AS FirstSeen, last_seen AS LastSeen, identity AS Identity FROM sensor_device WHERE sensor_id = @sensorId", new { sensorId }), cancellation);
        return [.. rows
            .Select(r => new SeenDevice(r.Key, r.FirstSeen, r.LastSeen, JsonSerializer.Deserialize<DeviceIdentity>(secrets.Read("identity", Row(sensorId, r.Key), r.Identity))!))
            .OrderBy(d => d.Identity.Mac).ThenBy(d => d.Identity.BehindRouter, StringComparer.Ordinal)];
    }

    /// <summary>The messages of a sensor from a number on, oldest first.</summary>
    public async Task<IReadOnlyList<byte[]>> MessagesAsync(string sensorId, long from, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<IntervalRow>(
            "SELECT sequence AS Sequence, data AS Data FROM sensor_interval WHERE sensor_id = @sensorId AND sequence >= @from ORDER BY sequence", new { sensorId, from }), cancellation);
        return [.. rows.Select(r => secrets.Read("interval", Row(sensorId, r.Sequence), r.Data))];
    }

    private static string Row(string sensorId, long sequence) => string.Create(CultureInfo.InvariantCulture, $"{sensorId}:{sequence}");

    private static string Row(string sensorId, byte[] key) => $"{sensorId}:{Convert.ToHexString(key)}";

    private sealed class DeviceRow
    {
        public required byte[] Key { get; init; }

        public required long FirstSeen { get; init; }

        public required long LastSeen { get; init; }

        public required byte[] Identity { get; init; }
    }

    private sealed class IntervalRow
    {
        public required long Sequence { get; init; }

        public required byte[] Data { get; init; }
    }
}
