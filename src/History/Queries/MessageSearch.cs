using System.Data.Common;
using System.Runtime.CompilerServices;
using Dapper;
using Sekisho.Api;
using Sekisho.Domain.Events;
using Sekisho.History.Store;
using Sekisho.Storage;

namespace Sekisho.History.Queries;

/// <summary>A message and whether it came as backlog.</summary>
internal sealed record KeptMessage(MessageEvent Message, bool Backlog)
{
    /// <summary>Its place in the list.</summary>
    public HistoryKey Key => new(Message.ArrivedAt.ToUnixTimeMilliseconds(), HistoryKey.Data, Message.Position);
}

/// <summary>
/// Lists messages by arrival, newest first. Chunks overlap in time (backlog and live data of one stretch are kept apart), so those that may
/// hold the next message are merged: a message is given out once no chunk still closed can hold a later one. Any thread.
/// </summary>
internal sealed class MessageSearch(Databases databases, MessageStore store, DeviceChunks devices)
{
    private const int Slice = 64;

    private const string OfField = """
        SELECT id AS Id, last_at AS LastAt, backlog AS Backlog FROM message_chunk
        WHERE field_id = @FieldId AND last_at >= @start AND last_at <= @most AND (last_at < @at OR (last_at = @at AND id < @id)) AND first_at <= @end
        ORDER BY last_at DESC, id DESC LIMIT @limit
        """;

    /// <summary>A page of messages.</summary>
    /// <exception cref="StorageException">A chunk was changed outside Sekisho.</exception>
    public Task<Page<KeptMessage>> FindAsync(HistoryFilter filter, CancellationToken cancellation) => databases.State.ReadAsync(
        async connection =>
        {
            var page = new List<KeptMessage>(filter.Limit);
            var open = new PriorityQueue<KeptMessage, HistoryKey>(Comparer<HistoryKey>.Create((a, b) => b.CompareTo(a)));
            await foreach (var chunk in ChunksAsync(connection, filter, cancellation).ConfigureAwait(false))
            {
                if (Drain(open, page, filter.Limit, chunk.LastAt))
                {
                    return Full(page);
                }

                await OpenAsync(connection, filter, chunk, open, cancellation).ConfigureAwait(false);
            }

            return Drain(open, page, filter.Limit, long.MinValue) ? Full(page) : new Page<KeptMessage>(page, null);
        },
        cancellation);

    /// <summary>Moves what is later than the time into the page; true when the page is full and there is more.</summary>
    private static bool Drain(PriorityQueue<KeptMessage, HistoryKey> open, List<KeptMessage> page, int limit, long laterThan)
    {
        while (open.TryPeek(out var message, out var key) && key.At > laterThan)
        {
            if (page.Count == limit)
            {
                return true;
            }

            page.Add(message);
            open.Dequeue();
        }

        return false;
    }

    private static Page<KeptMessage> Full(List<KeptMessage> page) => new(page, page[^1].Key.ToString());

    private async Task OpenAsync(DbConnection connection, HistoryFilter filter, Chunk chunk, PriorityQueue<KeptMessage, HistoryKey> open, CancellationToken cancellation)
    {
        // Gone meanwhile means removed by retention.
        foreach (var message in await store.ReadAsync(connection, chunk.Id, cancellation).ConfigureAwait(false) ?? [])
        {
            var kept = new KeptMessage(message, chunk.Backlog != 0);
            if ((filter.Device is null || message.DeviceId == filter.Device) && kept.Key.At >= filter.Start && kept.Key.CompareTo(filter.Begin) < 0)
            {
                open.Enqueue(kept, kept.Key);
            }
        }
    }

    /// <summary>Chunks that may hold messages of the page, by their last arrival, newest first.</summary>
    private async IAsyncEnumerable<Chunk> ChunksAsync(DbConnection connection, HistoryFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // A chunk that ends after the page begins may still hold messages of it, but none is longer than the longest of the field.
        var end = filter.Begin.At;
        var longest = await connection.QueryFirstOrDefaultAsync<long>(new CommandDefinition(
            "SELECT last_at - first_at FROM message_chunk WHERE field_id = @FieldId ORDER BY (last_at - first_at) DESC LIMIT 1",
            new { filter.FieldId },
            cancellationToken: cancellation)).ConfigureAwait(false);
        var most = end > long.MaxValue - longest ? long.MaxValue : end + longest;
        if (filter.Device is { } device)
        {
            var place = (most, long.MaxValue);
            await foreach (var found in devices.FindAsync(connection, filter.FieldId!, device, filter.Start, place, end, withFilter: false, cancellation).ConfigureAwait(false))
            {
                yield return new Chunk(found.Chunk.Id, found.Chunk.Sum.Last, found.Backlog);
            }

            yield break;
        }

        var (at, id) = (long.MaxValue, long.MaxValue);
        while (true)
        {
            var slice = (await connection.QueryAsync<Chunk>(new CommandDefinition(
                OfField,
                new { filter.FieldId, start = filter.Start, most, at, id, end, limit = Slice },
                cancellationToken: cancellation)).ConfigureAwait(false)).AsList();
            foreach (var chunk in slice)
            {
                yield return chunk;
            }

            if (slice.Count < Slice)
            {
                yield break;
            }

            (at, id) = (slice[^1].LastAt, slice[^1].Id);
            most = Math.Min(most, at);
        }
    }

    private sealed record Chunk(long Id, long LastAt, long Backlog);
}
