using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// A subject's state in bytes. Numbers are zigzag LEB128 unless said otherwise.
/// <code>
/// byte    version, 1
/// 4 × n   timeline: last arrival, last event, gap from, gap to
/// n, utf8 length and bytes of the correlation id
/// n       conditions; each: 8 bytes identity (little endian), n cells, each cell n
/// n       duplicate window, oldest first; each 8 bytes (little endian)
/// </code>
/// A state of a condition that is no longer planned, or of another length, is dropped when it is read.
/// </summary>
internal static class SubjectCodec
{
    private const byte Version = 1;

    public static byte[] Encode(Subject subject)
    {
        var writer = new Writer(ArrayPool<byte>.Shared.Rent(4096));
        writer.Byte(Version);
        writer.Number(subject.Timeline.LastArrival);
        writer.Number(subject.Timeline.LastEvent);
        writer.Number(subject.Timeline.GapFrom);
        writer.Number(subject.Timeline.GapTo);
        writer.Text(subject.CorrelationId);
        writer.Number(subject.Plan.Conditions.Length);
        foreach (var condition in subject.Plan.Conditions)
        {
            writer.Fixed(condition.Identity);
            var state = subject.StateOf(condition);
            writer.Number(state.Length);
            writer.Numbers(state);
        }

        var entries = subject.Duplicates.Entries().ToArray();
        writer.Number(entries.Length);
        foreach (var entry in entries)
        {
            writer.Fixed(entry);
        }

        return writer.Done();
    }

    /// <summary>Fills a fresh subject.</summary>
    /// <param name="subject">The subject, its plan adopted before.</param>
    /// <param name="data">What <see cref="Encode"/> made.</param>
    /// <param name="raised">Receives the identities of raised conditions whose state found no place.</param>
    /// <exception cref="InvalidDataException">The bytes are cut short or of another version.</exception>
    public static void Decode(Subject subject, ReadOnlySpan<byte> data, List<ulong> raised)
    {
        var reader = new Reader(data);
        if (reader.Byte() != Version)
        {
            throw new InvalidDataException("A lane state is of a version that this program does not know. Start the version that wrote it.");
        }

        subject.Timeline.LastArrival = reader.Number();
        subject.Timeline.LastEvent = reader.Number();
        subject.Timeline.GapFrom = reader.Number();
        subject.Timeline.GapTo = reader.Number();
        subject.CorrelationId = reader.Text();
        for (var left = reader.Number(); left > 0; left--)
        {
            var identity = reader.Fixed();
            var state = new long[reader.Length()];
            for (var i = 0; i < state.Length; i++)
            {
                state[i] = reader.Number();
            }

            var heir = Array.Find(subject.Plan.Conditions, c => c.Identity == identity && c.Judged.Cells == state.Length);
            if (heir is not null)
            {
                state.CopyTo(subject.StateOf(heir));
            }
            else if (state.Length > 0 && Judged.IsRaised(state))
            {
                raised.Add(identity);
            }
        }

        for (var left = reader.Number(); left > 0; left--)
        {
            subject.Duplicates.Add(reader.Fixed());
        }
    }

    private ref struct Writer(byte[] buffer)
    {
        private const int MostBytes = 10; // of a 64-bit number in LEB128
        private byte[] _buffer = buffer;
        private int _length;

        public void Byte(byte value)
        {
            Grow(1);
            _buffer[_length++] = value;
        }

        public void Number(long value) => Numbers([value]);

        // Called for every cell of every device that a commit touches, so room is made once for all of them.
        public void Numbers(scoped ReadOnlySpan<long> values)
        {
            Grow(values.Length * MostBytes);
            var at = _length;
            foreach (var value in values)
            {
                var bits = (ulong)((value << 1) ^ (value >> 63));
                while (bits >= 0x80)
                {
                    _buffer[at++] = (byte)(bits | 0x80);
                    bits >>= 7;
                }

                _buffer[at++] = (byte)bits;
            }

            _length = at;
        }

        public void Fixed(ulong value)
        {
            Grow(8);
            BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(_length), value);
            _length += 8;
        }

        public void Text(string text)
        {
            Number(Encoding.UTF8.GetByteCount(text));
            Grow(Encoding.UTF8.GetByteCount(text));
            _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
        }

        public readonly byte[] Done()
        {
            var done = _buffer.AsSpan(0, _length).ToArray();
            ArrayPool<byte>.Shared.Return(_buffer);
            return done;
        }

        private void Grow(int by)
        {
            if (_length + by > _buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + by));
                _buffer.AsSpan(0, _length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> data)
    {
        private ReadOnlySpan<byte> _left = data;

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

            throw Cut();
        }

        public int Length()
        {
            // Each element takes at least a byte, so a larger number can only be damage.
            var length = Number();
            return length >= 0 && length <= _left.Length ? (int)length : throw Cut();
        }

        public ulong Fixed() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

        public string Text() => Encoding.UTF8.GetString(Take(Length()));

        private static InvalidDataException Cut() => new("A lane state is cut short or damaged: the data was changed outside Sekisho. Restore it from a backup.");

        private ReadOnlySpan<byte> Take(int count)
        {
            if (_left.Length < count)
            {
                throw Cut();
            }

            var taken = _left[..count];
            _left = _left[count..];
            return taken;
        }
    }
}
