namespace Sekisho.Response.Sim.Carriers;

/// <summary>Leaves a carrier alone for as long as it asked to be. Any thread.</summary>
internal sealed class PacedProvider(ISimProvider carrier, TimeProvider clock) : ISimProvider
{
    private long _notBefore; // UTC ticks, interlocked

    public string Name => carrier.Name;

    public bool Offers(string state) => carrier.Offers(state);

    public Task TryAsync(CancellationToken cancellation) => PacedAsync(
        async () =>
        {
            await carrier.TryAsync(cancellation);
            return true;
        });

    public Task<string?> FindAsync(SimName name, CancellationToken cancellation) => PacedAsync(() => carrier.FindAsync(name, cancellation));

    public Task<SimStatus?> StatusAsync(string simId, CancellationToken cancellation) => PacedAsync(() => carrier.StatusAsync(simId, cancellation));

    public Task OrderAsync(string simId, string state, CancellationToken cancellation) => PacedAsync(
        async () =>
        {
            await carrier.OrderAsync(simId, state, cancellation);
            return true;
        });

    public Task<IReadOnlyList<SimTraffic>?> TrafficAsync(string simId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation) =>
        PacedAsync(() => carrier.TrafficAsync(simId, from, to, cancellation));

    public void Dispose() => carrier.Dispose();

    private async Task<T> PacedAsync<T>(Func<Task<T>> call)
    {
        var left = new DateTimeOffset(Interlocked.Read(ref _notBefore), TimeSpan.Zero) - clock.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            throw new CarrierException(CarrierFaults.Busy, "The carrier asked to be left alone for a while.", left);
        }

        try
        {
            return await call();
        }
        catch (CarrierException e) when (e.RetryAfter is { } pause)
        {
            // Two calls may be told different times: the longer one holds.
            var until = (clock.GetUtcNow() + pause).UtcTicks;
            for (var known = Interlocked.Read(ref _notBefore); until > known; known = Interlocked.Read(ref _notBefore))
            {
                Interlocked.CompareExchange(ref _notBefore, until, known);
            }

            throw;
        }
    }
}
