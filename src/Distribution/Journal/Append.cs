using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>
/// One call that waits for its events to be durable. Used again after it was awaited, so that a call costs no allocation. Filled by the caller,
/// completed on the thread pool by <see cref="AppendAnswers"/>: what waits for it runs there and then.
/// </summary>
internal sealed class Append : IValueTaskSource<long>
{
    private const int Kept = 4096;
    private static readonly ConcurrentQueue<Append> Pool = new();
    private ManualResetValueTaskSourceCore<long> _core;

    /// <summary>What is to be stored.</summary>
    public IReadOnlyList<GatewayEvent> Events { get; private set; } = [];

    /// <summary>Bytes they are about.</summary>
    public long Bytes { get; private set; }

    /// <summary>When the call came, by the clock's timestamp.</summary>
    public long Since { get; private set; }

    public ValueTask<long> Task => new(this, _core.Version);

    public static Append Rent(IReadOnlyList<GatewayEvent> events, long bytes, long since)
    {
        var append = Pool.TryDequeue(out var used) ? used : new Append();
        (append.Events, append.Bytes, append.Since) = (events, bytes, since);
        return append;
    }

    public void Stored(long position)
    {
        Events = [];
        _core.SetResult(position);
    }

    public void Failed(Exception e)
    {
        Events = [];
        _core.SetException(e);
    }

    public long GetResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            if (Pool.Count < Kept)
            {
                Pool.Enqueue(this);
            }
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
