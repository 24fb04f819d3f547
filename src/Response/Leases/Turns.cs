using System.Collections.Concurrent;

namespace Sekisho.Response.Leases;

/// <summary>One at a time works on a thing in this process. Any thread.</summary>
internal sealed class Turns
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new(StringComparer.Ordinal);

    /// <summary>Waits for the turn; dispose ends it.</summary>
    public async Task<IDisposable> TakeAsync(string thing, CancellationToken cancellation)
    {
        var turn = Of(thing);
        await turn.WaitAsync(cancellation);
        return new Turn(turn);
    }

    /// <summary>The turn, or null when somebody else has it.</summary>
    public IDisposable? TryTake(string thing) => Of(thing) is var turn && turn.Wait(0) ? new Turn(turn) : null;

    private SemaphoreSlim Of(string thing) => _turns.GetOrAdd(thing, _ => new SemaphoreSlim(1, 1));

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
