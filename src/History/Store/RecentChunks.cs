using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.History.Store;

/// <summary>
/// Chunks that were just committed, so that forwarding them needs no reading, decrypting and decoding. Bounded in bytes and number: the oldest goes first.
/// Each is given out once, because whoever forwards keeps it until it is through. Any thread.
/// </summary>
internal sealed class RecentChunks
{
    /// <summary>Bytes of payloads and of what stands beside them, at most.</summary>
    public const long MostBytes = 16 << 20;

    /// <summary>Chunks at most, those taken out meanwhile included.</summary>
    public const int MostChunks = 4096;

    // A message's object, its texts and its place in the list, about.
    private const int PerMessage = 512;

    private readonly Lock _turn = new(); // guards the rest
    private readonly Dictionary<long, Kept> _chunks = [];
    private readonly Queue<long> _order = new();
    private long _bytes;

    /// <summary>Keeps a chunk that is durable.</summary>
    public void Add(MessageChunk chunk)
    {
        var (bytes, transient) = (0L, false);
        foreach (var message in chunk.Messages)
        {
            bytes += message.Payload.Length + PerMessage;
            transient |= !message.Transient.IsEmpty;
        }

        // As it would be read back: what is transient ends with detection.
        var messages = transient ? [.. chunk.Messages.Select(m => m with { Transient = default })] : chunk.Messages;
        lock (_turn)
        {
            if (_chunks.TryAdd(chunk.Id, new Kept(messages, bytes)))
            {
                _order.Enqueue(chunk.Id);
                _bytes += bytes;
            }

            // Those taken already are in the order still.
            while (_order.Count > 0 && (_bytes > MostBytes || _order.Count > MostChunks || !_chunks.ContainsKey(_order.Peek())))
            {
                Remove(_order.Dequeue());
            }
        }
    }

    /// <summary>Takes a chunk out; null when it is not here.</summary>
    public IReadOnlyList<MessageEvent>? Take(long chunkId)
    {
        lock (_turn)
        {
            return Remove(chunkId)?.Messages;
        }
    }

    private Kept? Remove(long chunkId)
    {
        if (!_chunks.Remove(chunkId, out var kept))
        {
            return null;
        }

        _bytes -= kept.Bytes;
        return kept;
    }

    private sealed record Kept(IReadOnlyList<MessageEvent> Messages, long Bytes);
}
