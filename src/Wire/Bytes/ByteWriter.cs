using System.Buffers;

namespace Sekisho.Wire.Bytes;

/// <summary>Writes numbers in as many bytes as they need, into memory that is lent until it is disposed. One thread at a time.</summary>
internal sealed class ByteWriter(int capacity) : IDisposable
{
    private const int LongestNumber = 10;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);
    private int _size;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _size);

    public void Byte(byte value)
    {
        Reserve(1);
        _bytes[_size++] = value;
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_size));
        _size += bytes.Length;
    }

    /// <summary>LEB128: seven bits in each byte, the lowest first; the high bit says that more follow.</summary>
    public void Number(ulong value)
    {
        Reserve(LongestNumber);
        var to = _bytes.AsSpan(_size, LongestNumber);
        var size = 0;
        while (value >= 0x80)
        {
            to[size++] = (byte)(value | 0x80);
            value >>= 7;
        }

        to[size++] = (byte)value;
        _size += size;
    }

    /// <summary>A count or a size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void Count(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Number((ulong)value);
    }

    /// <summary>Gives the memory back; nothing may be written or read afterwards.</summary>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _size = 0;
    }

    /// <summary>A number of either sign: 0, −1, 1, −2, 2 … as 0, 1, 2, 3, 4 …</summary>
    public void Signed(long value) => Number((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Makes room for so many bytes more.</summary>
    public void Reserve(int bytes)
    {
        if (_bytes.Length - _size < bytes)
        {
            Grow(bytes);
        }
    }

    private void Grow(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _bytes.Length, _size + bytes));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
