using System.Data.Common;
using Dapper;

namespace Sekisho.Devices.Registry;

/// <summary>The table secret_order. Call it in the device's turn.</summary>
internal static class SecretOrders
{
    public static Task SaveAsync(string deviceId, string holder, DateTimeOffset before, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "INSERT INTO secret_order (device_id, holder, before_at) VALUES (@deviceId, @holder, @before) ON CONFLICT (device_id, holder) DO UPDATE SET before_at = excluded.before_at",
        new { deviceId, holder, before = before.ToUnixTimeMilliseconds() },
        transaction);

    /// <summary>Removes an order.</summary>
    /// <returns>Whether it was followed; false when there is none.</returns>
    public static async Task<bool> RemoveAsync(string deviceId, string holder, DbTransaction transaction)
    {
        var renewed = await transaction.Connection!.QuerySingleOrDefaultAsync<long?>(
            "SELECT renewed_at FROM secret_order WHERE device_id = @deviceId AND holder = @holder", new { deviceId, holder }, transaction);
        await transaction.Connection!.ExecuteAsync("DELETE FROM secret_order WHERE device_id = @deviceId AND holder = @holder", new { deviceId, holder }, transaction);
        return renewed is not null;
    }

    /// <summary>The device has a new secret: all its orders are followed.</summary>
    public static Task FollowedAsync(string deviceId, DateTimeOffset now, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "UPDATE secret_order SET renewed_at = @now WHERE device_id = @deviceId AND renewed_at IS NULL", new { deviceId, now = now.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>By when the device is to have renewed its secret at the latest; null when nobody wants it.</summary>
    public static async Task<DateTimeOffset?> BeforeAsync(string deviceId, DbTransaction transaction) =>
        await transaction.Connection!.ExecuteScalarAsync<long?>("SELECT MIN(before_at) FROM secret_order WHERE device_id = @deviceId AND renewed_at IS NULL", new { deviceId }, transaction) is { } at
            ? DateTimeOffset.FromUnixTimeMilliseconds(at)
            : null;
}
