using System.Buffers.Binary;
using System.Text;

namespace Sekisho.Detection.Lanes;

/// <summary>Reads what <see cref="StateWriter"/> wrote; whatever cannot have been written is an <see cref="InvalidDataException"/>.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _left = data;

    public readonly bool IsAtEnd => _left.IsEmpty;

    public static InvalidDataException Damaged() => new("A lane state is cut short or damaged: the data was changed outside Sekisho. Restore it from a backup.");

    public void Version(byte expected)
    {
        if (Byte() != expected)
        {
            throw new InvalidDataException("A lane state is of a version that this program does not know. Start the version that wrote it.");
        }
    }

    public byte Byte() => Take(1)[0];

    public long Number()
    {
        ulong bits = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var value = Byte();
            bits |= (ulong)(value & 0x7F) << shift;
            if (value < 0x80)
            {
                return (long)(bits >> 1) ^ -(long)(bits & 1);
            }
        }

        throw Damaged();
    }

    /// <summary>Number of elements that follow. Each takes at least a byte, so a larger number can only be damage.</summary>
    public int Length() => Length(_left.Length);

    /// <summary>A number of things that take no room here.</summary>
    public int Length(int atMost)
    {
        var length = Number();
        return length >= 0 && length <= atMost ? (int)length : throw Damaged();
    }

    public ulong Fixed() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public string Text() => Encoding.UTF8.GetString(Take(Length()));

    public ReadOnlySpan<byte> Bytes() => Take(Length());

    public readonly void End()
    {
        if (!IsAtEnd)
        {
            throw Damaged();
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_left.Length < count)
        {
            throw Damaged();
        }

        var taken = _left[..count];
        _left = _left[count..];
        return taken;
    }
}
