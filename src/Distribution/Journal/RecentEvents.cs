using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>The newest blocks in memory, without gaps between them. Not safe for several threads: its owner locks.</summary>
internal sealed class RecentEvents(long maxBytes)
{
    private readonly List<Block> _blocks = [];
    private int _head;
    private long _bytes;

    /// <summary>Bytes of the blocks that are here, as they are on disk.</summary>
    public long Bytes => _bytes;

    public void Add(GatewayEvent[] events, long bytes, long messagesBefore)
    {
        if (_head < _blocks.Count && _blocks[^1].Last + 1 != events[0].Position)
        {
            Clear();
        }

        _blocks.Add(new Block(events, bytes, messagesBefore));
        _bytes += bytes;
        while (_bytes > maxBytes && _head < _blocks.Count - 1)
        {
            _bytes -= _blocks[_head].Bytes;
            _blocks[_head++] = default;
        }

        if (_head > 1024 && _head > _blocks.Count / 2)
        {
            _blocks.RemoveRange(0, _head);
            _head = 0;
        }
    }

    /// <summary>Forgets the blocks that end at or before a position, but never the newest one.</summary>
    public void Forget(long position)
    {
        while (_head < _blocks.Count - 1 && _blocks[_head].Last <= position)
        {
            _bytes -= _blocks[_head].Bytes;
            _blocks[_head++] = default;
        }
    }

    public void Clear()
    {
        _blocks.Clear();
        (_head, _bytes) = (0, 0);
    }

    /// <summary>Events from a position on; null when they are not here.</summary>
    public GatewayEvent[]? From(long position, int limit)
    {
        var at = Find(position);
        if (at < 0)
        {
            return null;
        }

        var block = _blocks[at].Events;
        var skip = (int)(position - block[0].Position);
        if (skip == 0 && block.Length <= limit && (at == _blocks.Count - 1 || block.Length == limit))
        {
            return block;
        }

        var count = (int)Math.Min(limit, _blocks[^1].Last - position + 1);
        var events = new GatewayEvent[count];
        for (var filled = 0; filled < count; at++, skip = 0)
        {
            block = _blocks[at].Events;
            var take = Math.Min(block.Length - skip, count - filled);
            Array.Copy(block, skip, events, filled, take);
            filled += take;
        }

        return events;
    }

    /// <summary>Messages ever stored up to and including a position; null when its successor is not here.</summary>
    public long? MessagesUpTo(long position)
    {
        var at = Find(position + 1);
        return at < 0 ? null : _blocks[at].MessagesBefore + _blocks[at].Events.Count(e => e is MessageEvent && e.Position <= position);
    }

    private int Find(long position)
    {
        var (low, high) = (_head, _blocks.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var block = _blocks[middle];
            if (position < block.First)
            {
                high = middle - 1;
            }
            else if (position > block.Last)
            {
                low = middle + 1;
            }
            else
            {
                return middle;
            }
        }

        return -1;
    }

    private readonly record struct Block(GatewayEvent[] Events, long Bytes, long MessagesBefore)
    {
        public long First => Events[0].Position;

        public long Last => Events[^1].Position;
    }
}
