using System.Collections.Concurrent;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Devices that send numbered messages as fast as they are acknowledged, and remember what was.</summary>
public sealed class Fleet(IReadOnlyList<SimulatedDevice> devices) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, List<int>> _acknowledged = new();
    private Task[] _loops = [];

    /// <summary>Sequences that were answered with 202, per device, in order.</summary>
    public IReadOnlyDictionary<string, List<int>> Acknowledged => _acknowledged;

    /// <summary>Messages acknowledged in all.</summary>
    public int Total => _acknowledged.Values.Sum(l => l.Count);

    /// <summary>Lets every device send until <see cref="StopAsync"/>.</summary>
    /// <param name="pause">Wait between two messages of a device.</param>
    public void Start(TimeSpan pause) => _loops = [.. devices.Select(d => Task.Run(() => LoopAsync(d, pause)))];

    /// <summary>Lets each device finish the message it is at.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
    }

    public void Dispose()
    {
        _stop.Dispose();
        foreach (var device in devices)
        {
            device.Dispose();
        }
    }

    private async Task LoopAsync(SimulatedDevice device, TimeSpan pause)
    {
        var mine = _acknowledged.GetOrAdd(device.Credential.UniqueId, _ => []);
        for (var sequence = 1; !_stop.IsCancellationRequested; sequence++)
        {
            var now = TimeProvider.System.GetUtcNow();
            await device.DeliverAsync($$"""{"time":"{{now:O}}","seq":{{sequence}},"device":"{{device.Credential.UniqueId}}","value":{{sequence % 97}}}""", now.AddMinutes(5));
            mine.Add(sequence);
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, TimeProvider.System);
            }
        }
    }
}
