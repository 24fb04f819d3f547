using System.Data.Common;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Sekisho.History.Store;

/// <summary>Puts chunks and their index into the tables within one transaction. One implementation per dialect, because only the driver's own calls avoid copies.</summary>
internal interface IChunkRows : IDisposable
{
    /// <summary>Inserts a row of message_chunk.</summary>
    void Chunk(in ChunkRow row);

    /// <summary>Inserts a row of message_index_block for each, and sets the mark.</summary>
    void Index(IReadOnlyList<IndexBlock> blocks, long mark);

    /// <summary>For the transaction's dialect.</summary>
    static IChunkRows In(DbTransaction transaction) => transaction switch
    {
        SqliteTransaction sqlite => new SqliteChunkRows(sqlite),
        NpgsqlTransaction postgres => new PostgreSqlChunkRows(postgres),
        _ => throw new ArgumentException($"A transaction of {transaction.GetType()} is of no known dialect.", nameof(transaction)),
    };
}

/// <summary>A row of message_chunk. The memory is valid during the call only.</summary>
internal readonly record struct ChunkRow(
    long Id, string FieldId, bool Backlog, MessageSum Sum, int Devices, string? DeviceId, string? CorrelationId, ReadOnlyMemory<byte> Correlations, ReadOnlyMemory<byte> Data);

/// <summary>Time range, number and received bytes of messages.</summary>
/// <param name="First">Earliest arrival, Unix ms.</param>
/// <param name="Last">Latest arrival, Unix ms.</param>
/// <param name="Messages">How many.</param>
/// <param name="Bytes">Their size as received.</param>
internal record struct MessageSum(long First, long Last, long Messages, long Bytes)
{
    /// <summary>Of no message.</summary>
    public static MessageSum Empty => new(long.MaxValue, long.MinValue, 0, 0);

    /// <summary>Counts a message in.</summary>
    public void Add(long at, int bytes)
    {
        First = Math.Min(First, at);
        Last = Math.Max(Last, at);
        Messages++;
        Bytes += bytes;
    }

    /// <summary>Counts a message into the sum of its device.</summary>
    public static void Add(Dictionary<string, MessageSum> devices, string deviceId, long at, int bytes)
    {
        ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(devices, deviceId, out var known);
        if (!known)
        {
            sum = Empty;
        }

        sum.Add(at, bytes);
    }
}
