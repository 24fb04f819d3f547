namespace Sekisho.Devices;

/// <summary>
/// Puts changes in order. The registry's turn guards what spans devices (identities, parents, fields); a device's turn guards the device's
/// row, tokens and binding, in memory and in the store together. Whoever needs both takes the registry's first. Any thread.
/// </summary>
internal sealed class Turns : IDisposable
{
    private const int Stripes = 64;

    private readonly SemaphoreSlim _registry = new(1, 1);
    private readonly SemaphoreSlim[] _devices = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    public ValueTask<Turn> RegistryAsync(CancellationToken cancellation) => Turn.TakeAsync(_registry, cancellation);

    /// <summary>Devices share 64 turns, so hold one device's turn at a time only.</summary>
    public ValueTask<Turn> DeviceAsync(string deviceId, CancellationToken cancellation) =>
        Turn.TakeAsync(_devices[(string.GetHashCode(deviceId, StringComparison.Ordinal) & int.MaxValue) % Stripes], cancellation);

    public void Dispose()
    {
        _registry.Dispose();
        foreach (var device in _devices)
        {
            device.Dispose();
        }
    }

    /// <summary>A turn that is held until it is disposed.</summary>
    internal readonly struct Turn : IDisposable
    {
        private readonly SemaphoreSlim _held;

        private Turn(SemaphoreSlim held) => _held = held;

        public static async ValueTask<Turn> TakeAsync(SemaphoreSlim semaphore, CancellationToken cancellation)
        {
            await semaphore.WaitAsync(cancellation);
            return new Turn(semaphore);
        }

        public void Dispose() => _held.Release();
    }
}
