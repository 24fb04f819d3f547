namespace Sekisho.Wire.Bytes;

/// <summary>
/// Reads what <see cref="ByteWriter"/> writes, from bytes that anybody may have made. It never throws: the first fault is kept, and everything
/// read after it is zero, so that a caller may read on and look at <see cref="Fault"/> at the end.
/// </summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    /// <summary>What is wrong; null so far.</summary>
    public string? Fault { get; private set; }

    public readonly int Left => _bytes.Length - _at;

    public void Fail(string fault)
    {
        Fault ??= fault;
        _at = _bytes.Length;
    }

    public byte Byte()
    {
        if (Left == 0)
        {
            Fail("the message ends early");
            return 0;
        }

        return _bytes[_at++];
    }

    public ReadOnlySpan<byte> Raw(int size)
    {
        if (size < 0 || size > Left)
        {
            Fail("the message ends early");
            return [];
        }

        _at += size;
        return _bytes.Slice(_at - size, size);
    }

    public ulong Number()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            if (shift == 63 && next > 1)
            {
                break;
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return Fault is null ? value : 0;
            }
        }

        Fail("a number has more than 64 bits");
        return 0;
    }

    /// <summary>A number from 0 to <paramref name="most"/>.</summary>
    public long Count(long most = long.MaxValue)
    {
        var value = Number();
        if (value > (ulong)most)
        {
            Fail("a number is larger than allowed");
            return 0;
        }

        return (long)value;
    }

    public int Small(int most) => (int)Count(most);

    public long Signed()
    {
        var value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>How many things follow, of which each takes at least so many bytes: never more than there are bytes for.</summary>
    public int Items(int most, int leastBytes)
    {
        var count = Small(most);
        if ((long)count * leastBytes > Left)
        {
            Fail("the message ends early");
            return 0;
        }

        return count;
    }
}
