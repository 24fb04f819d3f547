using System.Buffers;

namespace Sekisho.Wire.Bytes;

/// <summary>Writes numbers in as many bytes as they need. One thread at a time.</summary>
internal sealed class ByteWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(16 * 1024);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.GetSpan(bytes.Length));
        _buffer.Advance(bytes.Length);
    }

    /// <summary>LEB128: seven bits in each byte, the lowest first; the high bit says that more follow.</summary>
    public void Number(ulong value)
    {
        var span = _buffer.GetSpan(10);
        var size = 0;
        while (value >= 0x80)
        {
            span[size++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[size++] = (byte)value;
        _buffer.Advance(size);
    }

    /// <summary>A count or a size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void Count(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Number((ulong)value);
    }

    /// <summary>A number of either sign: 0, −1, 1, −2, 2 … as 0, 1, 2, 3, 4 …</summary>
    public void Signed(long value) => Number((ulong)((value << 1) ^ (value >> 63)));
}
