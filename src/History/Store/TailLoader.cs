using System.Diagnostics;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Storage;

namespace Sekisho.History.Store;

/// <summary>
/// Reads the tail of the index again at start: the chunks above the mark, without what is in blocks already. Where there are very many of them
/// (the index is being built anew) it writes blocks on the way, so that memory stays bounded. Before the lanes start.
/// </summary>
internal sealed partial class TailLoader(Databases databases, ChunkCipher cipher, DeviceTail tail, ILogger<TailLoader> log) : IHostedLifecycleService
{
    private const int ChunksAtOnce = 16;
    private const int MostBlocks = 50_000;

    /// <inheritdoc/>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var (mark, written) = await databases.State.ReadAsync(
            async c =>
            {
                var mark = await c.QuerySingleAsync<long>("SELECT chunk_id FROM message_index_mark").ConfigureAwait(false);
                var rows = await c.QueryAsync<(string Device, long Chunk)>(
                    "SELECT device_id, MAX(last_chunk) FROM message_index_block WHERE last_chunk > @mark GROUP BY device_id", new { mark }).ConfigureAwait(false);
                return (mark, rows.ToDictionary(r => r.Device, r => r.Chunk, StringComparer.Ordinal));
            },
            cancellationToken).ConfigureAwait(false);
        long chunks = 0;
        for (var (after, read) = (mark, ChunksAtOnce); read == ChunksAtOnce; chunks += read)
        {
            var rows = await NextAsync(after, cancellationToken).ConfigureAwait(false);
            read = rows.Count;
            foreach (var row in rows)
            {
                Note(row, written);
                after = row.Id;
            }

            tail.Settle();
            if (tail.Count > MostBlocks)
            {
                WriteAll();
            }
        }

        Loaded(log, chunks, tail.Count, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // A chunk of one device says all in its row.
    private async Task<List<Row>> NextAsync(long after, CancellationToken cancellation) => await databases.State.ReadAsync(
        async c => (await c.QueryAsync<Row>(new CommandDefinition(
            """
            SELECT id AS Id, field_id AS FieldId, first_at AS FirstAt, last_at AS LastAt, messages AS Messages, bytes AS Bytes, device_id AS DeviceId,
                CASE WHEN device_id IS NULL THEN data END AS Data
            FROM message_chunk WHERE id > @after ORDER BY id LIMIT @limit
            """,
            new { after, limit = ChunksAtOnce },
            cancellationToken: cancellation)).ConfigureAwait(false)).AsList(),
        cancellation).ConfigureAwait(false);

    private void Note(Row row, Dictionary<string, long> written)
    {
        foreach (var (device, sum) in Devices(row))
        {
            if (!written.TryGetValue(device, out var last) || last < row.Id)
            {
                tail.Note(device, new DeviceChunk(row.Id, sum));
            }
        }
    }

    private Dictionary<string, MessageSum> Devices(Row row)
    {
        var devices = new Dictionary<string, MessageSum>();
        if (row.DeviceId is not null)
        {
            devices[row.DeviceId] = new MessageSum(row.FirstAt, row.LastAt, row.Messages, row.Bytes);
            return devices;
        }

        try
        {
            foreach (var message in cipher.Open(row.Data!, row.Id, row.FieldId))
            {
                MessageSum.Add(devices, message.DeviceId, message.ArrivedAt.ToUnixTimeMilliseconds(), message.Size);
            }
        }
        catch (StorageException e)
        {
            // One damaged chunk must not keep the gateway from starting; a search of its field says that it is damaged.
            Damaged(log, e, row.Id);
            devices.Clear();
        }

        return devices;
    }

    private void WriteAll()
    {
        while (tail.Count > 0)
        {
            databases.State.Write(transaction =>
            {
                tail.Choose(TimeSpan.Zero);
                using var rows = IChunkRows.In(transaction);
                rows.Index(tail.Leaving, tail.Mark);
            });
            tail.Settle();
        }
    }

    private sealed record Row(long Id, string FieldId, long FirstAt, long LastAt, long Messages, long Bytes, string? DeviceId, byte[]? Data);

    [LoggerMessage(5020, LogLevel.Debug, "The newest part of the index of messages was read from {Chunks} chunks into {Blocks} blocks in {Milliseconds} ms.")]
    private static partial void Loaded(ILogger logger, long chunks, int blocks, long milliseconds);

    [LoggerMessage(5021, LogLevel.Error, "Chunk {Chunk} cannot be read; searches by device do not find its messages.")]
    private static partial void Damaged(ILogger logger, Exception e, long chunk);
}
