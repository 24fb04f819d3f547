using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.History.Store;

/// <summary>
/// Chunks that were committed and not read yet, up to a bound in bytes, oldest forgotten first: what reads them next finds them here instead of
/// decrypting them. Nothing depends on it. Any thread.
/// </summary>
internal sealed class FreshChunks
{
    /// <summary>Bytes of payload that are kept at most.</summary>
    internal const long MostBytes = 16L << 20;

    private readonly Lock _turn = new(); // guards all below
    private readonly Dictionary<long, Chunk> _chunks = [];
    private readonly Queue<long> _order = new();
    private long _bytes;

    /// <summary>Keeps the chunks of a batch that is durable.</summary>
    public void Add(IReadOnlyList<MessageChunk> chunks)
    {
        lock (_turn)
        {
            foreach (var chunk in chunks)
            {
                long bytes = 0;
                foreach (var message in chunk.Messages)
                {
                    bytes += message.Payload.Length + message.Transient.Length;
                }

                if (_chunks.TryAdd(chunk.Id, new Chunk(chunk.Messages, bytes)))
                {
                    _order.Enqueue(chunk.Id);
                    _bytes += bytes;
                }
            }

            while (_order.Count > 0 && (_bytes > MostBytes || _order.Count > 4 * _chunks.Count + 64))
            {
                Remove(_order.Dequeue());
            }
        }
    }

    /// <summary>The messages of a chunk, once; null when they are not here.</summary>
    public IReadOnlyList<MessageEvent>? Take(long chunkId)
    {
        lock (_turn)
        {
            return Remove(chunkId);
        }
    }

    private IReadOnlyList<MessageEvent>? Remove(long chunkId)
    {
        if (!_chunks.Remove(chunkId, out var chunk))
        {
            return null;
        }

        _bytes -= chunk.Bytes;
        return chunk.Messages;
    }

    private readonly record struct Chunk(IReadOnlyList<MessageEvent> Messages, long Bytes);
}
