using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using Dapper;
using Sekisho.History.Store;

namespace Sekisho.History.Queries;

/// <summary>What a chunk holds of the device that was asked for, with what its row says.</summary>
internal sealed record FoundChunk(DeviceChunk Chunk, long Backlog, string? CorrelationId, byte[]? Correlations);

/// <summary>
/// The chunks that hold messages of a device, newest last arrival first: the index's blocks in the table merged with its tail in memory. Chunks
/// in a block lie close together but in no order, so one is given out once no block still closed can hold a later one. Any thread.
/// </summary>
internal sealed class DeviceChunks(DeviceTail tail)
{
    private const int BlocksAtOnce = 16;
    private const int ChunksAtOnce = 64;

    private const string Blocks = """
        SELECT last_at AS LastAt, last_chunk AS LastChunk, data AS Data FROM message_index_block
        WHERE device_id = @device AND last_at >= @start AND last_at <= @at AND (last_at < @at OR last_chunk < @chunk)
        ORDER BY last_at DESC, last_chunk DESC LIMIT @limit
        """;

    /// <summary>Chunks of a field, as long as the caller reads on. The connection is free for others between two of them.</summary>
    /// <param name="connection">Where to read.</param>
    /// <param name="fieldId">The field.</param>
    /// <param name="device">The device.</param>
    /// <param name="start">Last arrival at least, Unix ms.</param>
    /// <param name="before">Only what comes after this place: an earlier last arrival, or the same and a lower chunk.</param>
    /// <param name="end">First arrival at most, Unix ms.</param>
    /// <param name="withFilter">Whether the filter over correlation ids is wanted.</param>
    /// <param name="cancellation">Cancels.</param>
    public async IAsyncEnumerable<FoundChunk> FindAsync(
        DbConnection connection, string fieldId, string device, long start, (long At, long Id) before, long end, bool withFilter,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var chunks in ChunksAsync(connection, device, start, before, cancellation).Where(c => c.Sum.First <= end).Chunk(ChunksAtOnce).ConfigureAwait(false))
        {
            // Gone meanwhile means removed by retention.
            var rows = (await connection.QueryAsync<Row>(new CommandDefinition(Rows(chunks, withFilter), new { fieldId }, cancellationToken: cancellation)).ConfigureAwait(false))
                .ToDictionary(r => r.Id);
            foreach (var chunk in chunks)
            {
                if (rows.TryGetValue(chunk.Id, out var row))
                {
                    yield return new FoundChunk(chunk, row.Backlog, row.CorrelationId, row.Correlations);
                }
            }
        }
    }

    private async IAsyncEnumerable<DeviceChunk> ChunksAsync(
        DbConnection connection, string device, long start, (long At, long Id) before, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // The tail first: what leaves it now is in the table when that is read, and is then known to be the same.
        var recent = tail.Read(device);
        var known = recent.Select(c => c.Id).ToHashSet();
        var open = new PriorityQueue<DeviceChunk, (long, long)>(Comparer<(long, long)>.Create((a, b) => b.CompareTo(a)));
        Open(recent);

        // A block that ends later may still reach below the place, but none is longer than the longest.
        var (at, last) = (before.At > long.MaxValue - IndexBlock.MostSpan ? long.MaxValue : before.At + IndexBlock.MostSpan, long.MaxValue);
        List<Block> blocks;
        do
        {
            blocks = (await connection.QueryAsync<Block>(new CommandDefinition(
                Blocks, new { device, start, at, chunk = last, limit = BlocksAtOnce }, cancellationToken: cancellation)).ConfigureAwait(false)).AsList();
            foreach (var block in blocks)
            {
                while (open.TryPeek(out var chunk, out _) && chunk.Sum.Last > block.LastAt)
                {
                    yield return open.Dequeue();
                }

                Open(IndexBlock.Read(block.Data).Where(c => !known.Contains(c.Id)));
                (at, last) = (block.LastAt, block.LastChunk);
            }
        }
        while (blocks.Count == BlocksAtOnce);

        while (open.TryDequeue(out var chunk, out _))
        {
            yield return chunk;
        }

        void Open(IEnumerable<DeviceChunk> chunks)
        {
            foreach (var chunk in chunks)
            {
                var place = (chunk.Sum.Last, chunk.Id);
                if (chunk.Sum.Last >= start && place.CompareTo(before) < 0)
                {
                    open.Enqueue(chunk, place);
                }
            }
        }
    }

    // Numbers stand in the text: the dialects agree on no list of parameters.
    private static string Rows(IEnumerable<DeviceChunk> chunks, bool withFilter) => $"""
        SELECT id AS Id, backlog AS Backlog, correlation_id AS CorrelationId{(withFilter ? ", correlations AS Correlations" : "")}
        FROM message_chunk WHERE field_id = @fieldId AND id IN ({string.Join(',', chunks.Select(c => c.Id.ToString(CultureInfo.InvariantCulture)))})
        """;

    private sealed record Row
    {
        public long Id { get; init; }

        public long Backlog { get; init; }

        public string? CorrelationId { get; init; }

        public byte[]? Correlations { get; init; }
    }

    private sealed record Block(long LastAt, long LastChunk, byte[] Data);
}
