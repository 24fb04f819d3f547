using System.Buffers.Binary;
using System.Text;

namespace Sekisho.Detection.Lanes;

/// <summary>Bytes of lane states, one after the other in a buffer that is used again and again. One thread at a time.</summary>
internal sealed class StateWriter
{
    private const int First = 4096;
    private const int MostBytes = 10; // of a 64-bit number in LEB128
    private byte[] _buffer = new byte[First];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    public void Reset() => Length = 0;

    public void Byte(byte value)
    {
        Grow(1);
        _buffer[Length++] = value;
    }

    /// <summary>Zigzag LEB128.</summary>
    public void Number(long value) => Numbers([value]);

    /// <summary>The same for many: called for the cells of every device that a commit touches, so room is made once for all of them.</summary>
    public void Numbers(scoped ReadOnlySpan<long> values)
    {
        Grow(values.Length * MostBytes);
        var to = _buffer.AsSpan(Length);
        var at = 0;
        foreach (var value in values)
        {
            var bits = (ulong)((value << 1) ^ (value >> 63));
            while (bits >= 0x80)
            {
                to[at++] = (byte)(bits | 0x80);
                bits >>= 7;
            }

            to[at++] = (byte)bits;
        }

        Length += at;
    }

    /// <summary>Eight bytes, little endian.</summary>
    public void Fixed(ulong value)
    {
        Grow(8);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(Length), value);
        Length += 8;
    }

    /// <summary>Length in UTF-8 as a number, then the bytes.</summary>
    public void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Number(length);
        Grow(length);
        Length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(Length));
    }

    /// <summary>Length as a number, then the bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number(bytes.Length);
        Grow(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += bytes.Length;
    }

    private void Grow(int by)
    {
        if (Length + by > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + by));
        }
    }
}
