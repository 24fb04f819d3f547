using Sekisho.Storage;

namespace Sekisho.History.Store;

/// <summary>What one chunk holds of one device.</summary>
/// <param name="Id">The chunk.</param>
/// <param name="Sum">The device's messages in it.</param>
internal readonly record struct DeviceChunk(long Id, MessageSum Sum);

/// <summary>
/// A block of the index of messages by device: which chunks hold messages of one device, and what. In memory while it grows, then a row of
/// message_index_block with the same bytes.
/// <code>
/// byte       version, 1
/// n times, to the end:
///   svarint  chunk - chunk before (0 before the first)
///   svarint  last arrival of the device in it - the one before, ms (0 before the first)
///   varint   last arrival - first arrival, ms
///   varint   messages
///   varint   their bytes as received
///
/// varint, svarint as in ChunkFormat
/// </code>
/// One thread at a time.
/// </summary>
internal sealed class IndexBlock(string deviceId, long startedAt)
{
    /// <summary>The version byte.</summary>
    public const byte Version = 1;

    /// <summary>Bytes of a block at most: with its key a row stays within a page of SQLite's tree, without an overflow page.</summary>
    public const int MostBytes = 900;

    /// <summary>
    /// Milliseconds between the earliest and the latest "last arrival" in a block at most. A search by time relies on it to know which blocks
    /// may reach into its range, so it may only ever shrink.
    /// </summary>
    public const long MostSpan = 600_000;

    private const int MostPerChunk = 5 * Varint.Most;
    private byte[] _data = NewData();
    private int _length = 1;
    private long _beforeId;
    private long _beforeLast;
    private long _earliest = long.MaxValue;

    /// <summary>The device.</summary>
    public string DeviceId => deviceId;

    /// <summary>When it was begun, as a timestamp of the clock.</summary>
    public long StartedAt => startedAt;

    /// <summary>Lowest chunk in it.</summary>
    public long FirstChunk { get; private set; } = long.MaxValue;

    /// <summary>Highest chunk in it.</summary>
    public long LastChunk { get; private set; } = long.MinValue;

    /// <summary>Latest arrival in it, Unix ms.</summary>
    public long LastAt { get; private set; } = long.MinValue;

    /// <summary>Its bytes so far.</summary>
    public ReadOnlyMemory<byte> Data => _data.AsMemory(0, _length);

    /// <summary>Adds a chunk; false when it belongs into a block of its own.</summary>
    public bool TryAdd(in DeviceChunk chunk)
    {
        var (earliest, latest) = (Math.Min(_earliest, chunk.Sum.Last), Math.Max(LastAt, chunk.Sum.Last));
        if (_length > 1 && (_length + MostPerChunk > MostBytes || latest - earliest > MostSpan))
        {
            return false;
        }

        if (_data.Length - _length < MostPerChunk)
        {
            Array.Resize(ref _data, Math.Min(MostBytes, Math.Max(_data.Length * 2, _length + MostPerChunk)));
        }

        Varint.WriteSigned(_data, ref _length, chunk.Id - _beforeId);
        Varint.WriteSigned(_data, ref _length, chunk.Sum.Last - _beforeLast);
        Varint.Write(_data, ref _length, (ulong)(chunk.Sum.Last - chunk.Sum.First));
        Varint.Write(_data, ref _length, (ulong)chunk.Sum.Messages);
        Varint.Write(_data, ref _length, (ulong)chunk.Sum.Bytes);
        (_beforeId, _beforeLast, _earliest, LastAt) = (chunk.Id, chunk.Sum.Last, earliest, latest);
        (FirstChunk, LastChunk) = (Math.Min(FirstChunk, chunk.Id), Math.Max(LastChunk, chunk.Id));
        return true;
    }

    /// <summary>The chunks in the order in which they were added.</summary>
    /// <exception cref="StorageException">The bytes are no block of a known version.</exception>
    public static List<DeviceChunk> Read(ReadOnlySpan<byte> data)
    {
        var chunks = new List<DeviceChunk>(data.Length / 8);
        try
        {
            var at = 0;
            var (id, last) = (0L, 0L);
            if (data[at++] != Version)
            {
                throw Damaged();
            }

            while (at < data.Length)
            {
                checked
                {
                    id += Varint.ReadSigned(data, ref at);
                    last += Varint.ReadSigned(data, ref at);
                    var first = last - (long)Varint.Read(data, ref at);
                    chunks.Add(new DeviceChunk(id, new MessageSum(first, last, (long)Varint.Read(data, ref at), (long)Varint.Read(data, ref at))));
                }
            }
        }
        catch (Exception e) when (e is OverflowException or IndexOutOfRangeException)
        {
            // Every read is checked by the runtime; what it finds is said in the words of the store.
            throw Damaged(e);
        }

        return chunks;
    }

    private static byte[] NewData()
    {
        var data = new byte[64];
        data[0] = Version;
        return data;
    }

    private static StorageException Damaged(Exception? inner = null) =>
        new("A block of the index of messages cannot be read: it is cut short, changed, or was written by a newer version of Sekisho. Restore it from a backup.", inner);
}
