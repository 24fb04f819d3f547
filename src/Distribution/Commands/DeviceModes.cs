using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.Extensions.Hosting;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Distribution.Commands;

/// <summary>The operating mode that each device told last, because command lists may bind commands to modes. Written only when it changes. Look-ups by any thread.</summary>
internal sealed class DeviceModes(Databases databases, MasterKey key) : ILaneCommitPart, IHostedService, IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "device-mode");
    private readonly ConcurrentDictionary<string, string> _modes = new(StringComparer.Ordinal);

    private int _disposed; // 0 or 1, interlocked

    public string? Of(string deviceId) => _modes.GetValueOrDefault(deviceId);

    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        foreach (var (device, mode) in Changed(batch))
        {
            transaction.Connection!.Execute(
                "INSERT INTO device_mode (device_id, mode) VALUES (@device, @mode) ON CONFLICT (device_id) DO UPDATE SET mode = excluded.mode",
                new { device, mode = _cipher.Protect(mode, device) },
                transaction);
        }

        foreach (var gone in Gone(batch))
        {
            transaction.Connection!.Execute("DELETE FROM device_mode WHERE device_id = @gone", new { gone }, transaction);
        }
    }

    public void Committed(LaneBatch batch)
    {
        foreach (var (device, mode) in Changed(batch))
        {
            _modes[device] = mode;
        }

        foreach (var gone in Gone(batch))
        {
            _modes.TryRemove(gone, out _);
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (device, mode) in await databases.State.ReadAsync(c => c.QueryAsync<(string, byte[])>("SELECT device_id, mode FROM device_mode"), cancellationToken).ConfigureAwait(false))
        {
            _modes[device] = _cipher.UnprotectText(mode, device);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        // The container disposes once for each port that it is registered as.
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _cipher.Dispose();
        }
    }

    // A stored reading tells a mode that may be long gone.
    private Dictionary<string, string> Changed(LaneBatch batch)
    {
        Dictionary<string, string> changed = new(StringComparer.Ordinal);
        foreach (var message in batch.Chunks.Where(c => !c.Backlog).SelectMany(c => c.Messages))
        {
            if (message.Mode is not { } mode)
            {
                continue;
            }

            if (_modes.GetValueOrDefault(message.DeviceId) != mode)
            {
                changed[message.DeviceId] = mode;
            }
            else
            {
                changed.Remove(message.DeviceId);
            }
        }

        return changed;
    }

    private static IEnumerable<string> Gone(LaneBatch batch) => batch.Facts.OfType<DeviceChangedEvent>().Where(d => d.State == DeviceChangedEvent.Deleted).Select(d => d.DeviceId);
}
