namespace Sekisho.History.Store;

/// <summary>LEB128, at most 10 bytes, and its zigzag form for signed numbers. Pure.</summary>
internal static class Varint
{
    /// <summary>Bytes at most.</summary>
    public const int Most = 10;

    /// <summary>Writes at the place and moves it on; the caller has made room.</summary>
    public static void Write(Span<byte> bytes, ref int at, ulong value)
    {
        while (value >= 0x80)
        {
            bytes[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        bytes[at++] = (byte)value;
    }

    /// <summary>Writes a signed number.</summary>
    public static void WriteSigned(Span<byte> bytes, ref int at, long value) => Write(bytes, ref at, (ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Reads at the place and moves it on.</summary>
    /// <exception cref="OverflowException">The number is longer than 64 bits.</exception>
    /// <exception cref="IndexOutOfRangeException">The bytes end in the midst of it.</exception>
    public static ulong Read(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; shift < 7 * Most; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return shift == 63 && next > 1 ? throw new OverflowException() : value;
            }
        }

        throw new OverflowException();
    }

    /// <summary>Reads a signed number.</summary>
    /// <inheritdoc cref="Read"/>
    public static long ReadSigned(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = Read(bytes, ref at);
        return (long)(value >> 1) ^ -(long)(value & 1);
    }
}
