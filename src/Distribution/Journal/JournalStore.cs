using System.Buffers.Binary;
using System.Data.Common;
using Dapper;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Distribution.Journal;

/// <summary>The journal's table. Any thread; only the journal thread writes.</summary>
internal sealed class JournalStore(Databases databases, MasterKey key) : IDisposable
{
    private const int BlocksPerSlice = 64;
    private const long BytesPerSlice = 8L << 20;
    private const long BytesPerRead = 8L << 20;

    private readonly Database _database = databases.Journal;
    private readonly ColumnCipher _cipher = new(key, "journal");

    /// <summary>File of an embedded database; null on PostgreSQL.</summary>
    public string? File => _database.File;

    /// <summary>Where the journal ends and how much is stored.</summary>
    public async Task<JournalEnd> EndAsync(CancellationToken cancellation) =>
        await _database.ReadAsync(EndOfAsync, cancellation).ConfigureAwait(false);

    /// <summary>The same for the journal thread, which waits for it.</summary>
    public JournalEnd End() => _database.ReadAsync(EndOfAsync).GetAwaiter().GetResult();

    /// <summary>Encrypts a block.</summary>
    public byte[] Protect(long firstPosition, ReadOnlySpan<byte> block) => _cipher.Protect(block, Context(firstPosition));

    /// <summary>Stores a block, and removes a slice of released ones in the same commit, so that it costs no sync of its own.</summary>
    /// <param name="block">The new block.</param>
    /// <param name="released">Blocks up to this position may go; 0 to remove nothing.</param>
    /// <returns>What was removed.</returns>
    public Removed Commit(in NewBlock block, long released)
    {
        var (first, last, messages, before, at, data) = block;
        var removed = default(Removed);
        _database.Write(t =>
        {
            t.Connection!.Execute(
                """
                INSERT INTO journal_block (first_position, last_position, messages, messages_before, at, bytes, data)
                VALUES (@first, @last, @messages, @before, @at, @bytes, @data)
                """,
                new { first, last, messages, before, at, bytes = (long)data.Length, data },
                t);
            removed = released > 0 ? RemoveSlice(t, Math.Min(released, first - 1)) : default;
        });
        return removed;
    }

    /// <summary>Removes a slice of released blocks; the newest block stays, because it says where the journal ends.</summary>
    public Removed Remove(long released, long newestPosition)
    {
        var removed = default(Removed);
        _database.Write(t => removed = RemoveSlice(t, Math.Min(released, newestPosition - 1)));
        return removed;
    }

    /// <summary>Events from a position on, at least one when there is any, at most some MiB.</summary>
    public async Task<List<GatewayEvent[]>> ReadAsync(long fromPosition, int limit, CancellationToken cancellation)
    {
        var blocks = new List<GatewayEvent[]>();
        long bytes = 0;
        long count = 0;
        await _database.ReadAsync(
            async c =>
            {
                var rows = c.QueryUnbufferedAsync<(long First, byte[] Data)>(
                    """
                    SELECT first_position, data FROM journal_block
                    WHERE first_position >= COALESCE((SELECT MAX(first_position) FROM journal_block WHERE first_position <= @fromPosition), 0)
                    ORDER BY first_position LIMIT 1024
                    """,
                    new { fromPosition });
                await foreach (var row in rows.WithCancellation(cancellation).ConfigureAwait(false))
                {
                    var events = BlockFormat.Decode(_cipher.Unprotect(row.Data, Context(row.First)));
                    bytes += row.Data.Length;
                    if (events[^1].Position >= fromPosition)
                    {
                        blocks.Add(events);
                        count += events[^1].Position - Math.Max(events[0].Position, fromPosition) + 1;
                    }

                    if (bytes > BytesPerRead || count >= limit)
                    {
                        break;
                    }
                }

                return true;
            },
            cancellation).ConfigureAwait(false);
        return blocks;
    }

    /// <summary>Messages stored up to and including a position.</summary>
    public async Task<long> MessagesUpToAsync(long position, long lastPosition, long total, CancellationToken cancellation)
    {
        if (position >= lastPosition)
        {
            return total;
        }

        var row = await _database.ReadAsync(
            c => c.QueryFirstOrDefaultAsync<(long First, long Before, byte[] Data)>(
                "SELECT first_position, messages_before, data FROM journal_block WHERE last_position > @position ORDER BY first_position LIMIT 1",
                new { position }),
            cancellation).ConfigureAwait(false);
        return row.Data is null
            ? total
            : row.Before + BlockFormat.Decode(_cipher.Unprotect(row.Data, Context(row.First))).Count(e => e is MessageEvent && e.Position <= position);
    }

    /// <summary>Moves the write-ahead log into the file without holding up commits.</summary>
    public (long Pages, long Moved) Checkpoint() => _database.Checkpoint();

    public void Dispose() => _cipher.Dispose();

    private static async Task<JournalEnd> EndOfAsync(DbConnection connection)
    {
        var newest = await connection.QueryFirstOrDefaultAsync<(long Last, long Messages, long At)>(
            "SELECT last_position, messages_before + messages, at FROM journal_block ORDER BY first_position DESC LIMIT 1").ConfigureAwait(false);
        var bytes = await connection.QuerySingleAsync<long>("SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM journal_block").ConfigureAwait(false);
        return new JournalEnd(newest.Last, newest.Messages, newest.At, bytes);
    }

    private static Removed RemoveSlice(DbTransaction t, long released)
    {
        var rows = t.Connection!.Query<(long First, long Bytes)>(
            """
            SELECT first_position, bytes FROM journal_block WHERE first_position <= @released AND last_position <= @released
            ORDER BY first_position LIMIT @most
            """,
            new { released, most = BlocksPerSlice },
            t).AsList();
        long bytes = 0;
        var count = 0;
        while (count < rows.Count && bytes < BytesPerSlice)
        {
            bytes += rows[count++].Bytes;
        }

        if (count > 0)
        {
            t.Connection!.Execute("DELETE FROM journal_block WHERE first_position <= @upTo", new { upTo = rows[count - 1].First }, t);
        }

        return new Removed(bytes, More: count < rows.Count || rows.Count == BlocksPerSlice);
    }

    private static byte[] Context(long firstPosition)
    {
        var context = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(context, firstPosition);
        return context;
    }
}

/// <summary>A block to store; times in Unix ms.</summary>
/// <param name="First">Position of its first event.</param>
/// <param name="Last">Position of its last event.</param>
/// <param name="Messages">Messages in it.</param>
/// <param name="Before">Messages in all blocks before it.</param>
/// <param name="At">Arrival of its last event.</param>
/// <param name="Data">Encrypted bytes.</param>
internal readonly record struct NewBlock(long First, long Last, long Messages, long Before, long At, byte[] Data);

/// <summary>Where the journal ends.</summary>
/// <param name="Position">Newest position, 0 when empty.</param>
/// <param name="Messages">Messages ever stored.</param>
/// <param name="At">Arrival of the newest event, Unix ms.</param>
/// <param name="Bytes">Bytes of blocks on disk.</param>
internal readonly record struct JournalEnd(long Position, long Messages, long At, long Bytes);

/// <summary>What a slice removed.</summary>
/// <param name="Bytes">Bytes of blocks.</param>
/// <param name="More">There may be more to remove.</param>
internal readonly record struct Removed(long Bytes, bool More);
