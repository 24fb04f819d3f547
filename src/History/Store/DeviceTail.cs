using System.Runtime.InteropServices;

namespace Sekisho.History.Store;

/// <summary>
/// The newest part of the index of messages by device, not yet in the table: a block per device that grows for a minute. A device's blocks leave
/// in the order in which they were begun, so what is written of a device is everything up to its highest written chunk. Everything here can be
/// read again from the chunks above the mark.
/// The lanes' thread (or, before it starts, the loader) changes it in two steps: what a transaction is about to write is noted, and settled when
/// it is durable. <see cref="Read"/>: any thread.
/// </summary>
internal sealed class DeviceTail(TimeProvider clock)
{
    /// <summary>How long a block grows.</summary>
    public static readonly TimeSpan Growth = TimeSpan.FromMinutes(1);

    /// <summary>Blocks written with one commit, when that many are due.</summary>
    public const int Slice = 64;

    // With very many devices a slice is this part of the blocks instead, so that the tail never holds much more than a minute.
    private const int SlicesOfAll = 128;

    private readonly Lock _turn = new(); // guards _devices, _order and the blocks in them
    private readonly Dictionary<string, List<IndexBlock>> _devices = new(StringComparer.Ordinal);
    private readonly Queue<IndexBlock> _order = new();
    private readonly List<(string DeviceId, DeviceChunk Chunk)> _noted = [];
    private readonly List<IndexBlock> _leaving = [];
    private long _through;

    /// <summary>Blocks in memory.</summary>
    public int Count => _order.Count;

    /// <summary>The last chunk that was noted and neither settled nor forgotten; null when there is none.</summary>
    public long? Noted => _noted.Count > 0 ? _noted[^1].Chunk.Id : null;

    /// <summary>The blocks that leave with the transaction under way, longest grown first.</summary>
    public IReadOnlyList<IndexBlock> Leaving => _leaving;

    /// <summary>Up to which chunk everything is in the table once <see cref="Leaving"/> is.</summary>
    public long Mark => _order.Count > _leaving.Count ? _order.ElementAt(_leaving.Count).FirstChunk - 1 : _through;

    /// <summary>Notes what a chunk holds of a device. Chunks come in the order of their identifiers.</summary>
    public void Note(string deviceId, in DeviceChunk chunk) => _noted.Add((deviceId, chunk));

    /// <summary>Chooses the blocks that leave with the transaction under way.</summary>
    /// <param name="growth">How long they have grown at least.</param>
    public void Choose(TimeSpan growth)
    {
        var most = Math.Max(Slice, _order.Count / SlicesOfAll);
        foreach (var block in _order)
        {
            if (_leaving.Count == most || clock.GetElapsedTime(block.StartedAt) < growth)
            {
                return;
            }

            _leaving.Add(block);
        }
    }

    /// <summary>The transaction did not happen.</summary>
    public void Forget()
    {
        _noted.Clear();
        _leaving.Clear();
    }

    /// <summary>The transaction is durable: what left is in the table, what was noted is to be found.</summary>
    public void Settle()
    {
        var now = clock.GetTimestamp();
        lock (_turn)
        {
            foreach (var block in _leaving)
            {
                // Both hold a device's blocks in the same order.
                _order.Dequeue();
                var blocks = _devices[block.DeviceId];
                blocks.RemoveAt(0);
                if (blocks.Count == 0)
                {
                    _devices.Remove(block.DeviceId);
                }
            }

            foreach (ref readonly var noted in CollectionsMarshal.AsSpan(_noted))
            {
                Add(noted.DeviceId, noted.Chunk, now);
            }
        }

        Forget();
    }

    /// <summary>What is here of a device.</summary>
    public List<DeviceChunk> Read(string deviceId)
    {
        lock (_turn)
        {
            return _devices.TryGetValue(deviceId, out var blocks) ? [.. blocks.SelectMany(b => IndexBlock.Read(b.Data.Span))] : [];
        }
    }

    private void Add(string deviceId, in DeviceChunk chunk, long now)
    {
        ref var blocks = ref CollectionsMarshal.GetValueRefOrAddDefault(_devices, deviceId, out _);
        blocks ??= new List<IndexBlock>(1);
        if (blocks.Count == 0 || !blocks[^1].TryAdd(chunk))
        {
            var block = new IndexBlock(deviceId, now);
            block.TryAdd(chunk);
            blocks.Add(block);
            _order.Enqueue(block);
        }

        _through = Math.Max(_through, chunk.Id);
    }
}
