using System.Buffers.Binary;
using System.Numerics;

namespace Sekisho.Sensor.Uplink;

/// <summary>
/// One interval in a segment of the spool. Version 1, all numbers little endian:
/// <code>
/// bytes 0-3   size of the message
/// bytes 4-7   CRC-32C of size, sequence and message
/// bytes 8-15  sequence
/// bytes 16-   message, as IntervalCodec made it
/// </code>
/// A segment begins with the eight bytes "SKSPOOL1".
/// </summary>
internal static class SpoolRecord
{
    /// <summary>Bytes before the message.</summary>
    public const int HeaderSize = 16;

    /// <summary>Bytes of a message at most.</summary>
    public const int LargestMessage = 16 * 1024 * 1024;

    /// <summary>What a segment begins with.</summary>
    public static ReadOnlySpan<byte> Begin => "SKSPOOL1"u8;

    public static byte[] Of(long sequence, ReadOnlySpan<byte> message)
    {
        var record = new byte[HeaderSize + message.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record, message.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), sequence);
        message.CopyTo(record.AsSpan(HeaderSize));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Sum(record));
        return record;
    }

    /// <summary>Size and sequence that a header states; false when it can be none.</summary>
    public static bool TryHeader(ReadOnlySpan<byte> header, out int size, out long sequence)
    {
        (size, sequence) = (0, 0);
        if (header.Length < HeaderSize)
        {
            return false;
        }

        size = BinaryPrimitives.ReadInt32LittleEndian(header);
        sequence = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
        return size is > 0 and <= LargestMessage && sequence > 0;
    }

    /// <summary>True when a whole record is as it was written.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) == Sum(record);

    public static uint Sum(ReadOnlySpan<byte> record)
    {
        var sum = Sum(uint.MaxValue, record[..4]);
        return ~Sum(sum, record[8..]);
    }

    private static uint Sum(uint sum, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var b in bytes)
        {
            sum = BitOperations.Crc32C(sum, b);
        }

        return sum;
    }
}
