using System.Buffers.Binary;

namespace Sekisho.Sensor.Uplink;

/// <summary>
/// What a spool knows beside its records, in the file "position". Version 1, all numbers little endian:
/// <code>
/// bytes 0-3   version, 1
/// bytes 4-7   CRC-32C of the rest
/// bytes 8-15  number up to which the gateway has everything
/// bytes 16-23 intervals lost since the sensor was set up
/// </code>
/// </summary>
internal readonly record struct SpoolPosition(long Confirmed, long Lost)
{
    public const int Size = 24;
    private const int Version = 1;

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Version);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), Confirmed);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), Lost);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), SpoolRecord.Sum(bytes));
        return bytes;
    }

    /// <summary>Nothing when there is no file, or when a disk at fault changed it: the records still say the last number.</summary>
    public static SpoolPosition Read(string file)
    {
        var bytes = File.Exists(file) ? File.ReadAllBytes(file) : [];
        if (bytes.Length != Size || BinaryPrimitives.ReadInt32LittleEndian(bytes) != Version || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)) != SpoolRecord.Sum(bytes))
        {
            return default;
        }

        return new SpoolPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8)), BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)));
    }
}
