using System.Text;

namespace Sekisho.Distribution.Journal;

/// <summary>Grows a buffer that is used again for every block. One thread at a time.</summary>
internal sealed class BlockWriter
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;

    /// <summary>What was written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }

        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }

    public void Byte(byte value) => Reserve(1)[0] = value;

    public void Number(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    public void Text(string? value)
    {
        if (value is null)
        {
            Byte(0);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(value);
        Number((ulong)length + 1);
        Encoding.UTF8.GetBytes(value, Reserve(length));
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Number((ulong)value.Length);
        value.CopyTo(Reserve(value.Length));
    }

    public void Count(long? value) => Number(value is { } count ? (ulong)count + 1 : 0);

    public void Time(DateTimeOffset? value)
    {
        if (value is not { } time)
        {
            Byte(0);
            return;
        }

        var ms = time.ToUnixTimeMilliseconds();
        Number((ulong)((ms << 1) ^ (ms >> 63)) + 1);
    }
}

/// <summary>Reads what <see cref="BlockWriter"/> wrote; whatever else the bytes are, it throws <see cref="JournalFormatException"/> only.</summary>
internal ref struct BlockReader(ReadOnlySpan<byte> data)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private static readonly long Earliest = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long Latest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private ReadOnlySpan<byte> _data = data;

    public readonly int Left => _data.Length;

    public byte Byte() => Take(1)[0];

    public ulong Number()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new JournalFormatException("a number is too long");
    }

    public int Integer() => Number() is var n && n <= uint.MaxValue ? unchecked((int)(uint)n) : throw new JournalFormatException("a number is too large");

    public long Long() => unchecked((long)Number());

    public long? Count() => Number() switch
    {
        0 => null,
        <= 1UL << 63 and var count => (long)(count - 1),
        _ => throw new JournalFormatException("a count is too large"),
    };

    public double Double() => System.Buffers.Binary.BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double)));

    public DateTimeOffset RequiredTime() => Time() ?? throw new JournalFormatException("a time is missing");

    public string? Text()
    {
        var length = Number();
        if (length == 0)
        {
            return null;
        }

        try
        {
            return Strict.GetString(Take(length - 1));
        }
        catch (DecoderFallbackException e)
        {
            throw new JournalFormatException("a text is no UTF-8", e);
        }
    }

    public string Required() => Text() ?? throw new JournalFormatException("a text is missing");

    public byte[] Bytes() => Take(Number()).ToArray();

    public DateTimeOffset? Time()
    {
        var value = Number();
        if (value == 0)
        {
            return null;
        }

        value--;
        return At((long)(value >> 1) ^ -(long)(value & 1));
    }

    /// <summary>Reads a distance and moves the time by it.</summary>
    public DateTimeOffset After(ref long time)
    {
        var distance = Number();
        if (distance > (ulong)(Latest - Earliest) || time < Earliest || time > Latest)
        {
            throw new JournalFormatException("a time is impossible");
        }

        time += (long)distance;
        return At(time);
    }

    private static DateTimeOffset At(long ms) =>
        ms >= Earliest && ms <= Latest ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : throw new JournalFormatException("a time is impossible");

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_data.Length)
        {
            throw new JournalFormatException("it is cut short");
        }

        var taken = _data[..(int)count];
        _data = _data[(int)count..];
        return taken;
    }
}
