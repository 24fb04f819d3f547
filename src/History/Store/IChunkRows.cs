namespace Sekisho.History.Store;

/// <summary>Puts chunks and their index into the tables within one transaction. One implementation per dialect, because only the driver's own calls avoid copies.</summary>
internal interface IChunkRows : IDisposable
{
    /// <summary>Inserts a row of message_chunk.</summary>
    void Chunk(in ChunkRow row);

    /// <summary>Inserts a row of message_index for each device.</summary>
    void Index(long chunkId, Dictionary<string, MessageSum> devices);
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
}
