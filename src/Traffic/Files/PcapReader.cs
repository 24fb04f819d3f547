using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Files;

/// <summary>
/// pcap (draft-ietf-opsawg-pcap):
/// <code>
/// file    magic(4) major(2) minor(2) zone(4) accuracy(4) snap length(4) link type(4)
/// record  seconds(4) micro- or nanoseconds(4) captured length(4) length on the wire(4) frame(captured length)
/// </code>
/// </summary>
internal sealed class PcapReader : RecordReader
{
    private const int HeaderSize = 24;
    private const int RecordSize = 16;
    private const uint Micro = 0xA1B2C3D4;
    private const uint Nano = 0xA1B23C4D;

    private readonly CaptureBuffer _buffer;
    private readonly bool _bigEndian;
    private readonly long _unit;
    private LinkType _link;
    private bool _opened;

    private PcapReader(CaptureBuffer buffer, bool bigEndian, bool nano)
    {
        _buffer = buffer;
        _bigEndian = bigEndian;
        _unit = nano ? 1 : 1000;
    }

    /// <summary>Null when the available bytes do not begin with a magic number of pcap.</summary>
    public static PcapReader? TryOpen(CaptureBuffer buffer)
    {
        foreach (var bigEndian in (ReadOnlySpan<bool>)[false, true])
        {
            var magic = CaptureBuffer.U32(buffer.Available, 0, bigEndian);
            if (magic is Micro or Nano)
            {
                var reader = new PcapReader(buffer, bigEndian, magic == Nano);
                reader.ReadHeader();
                return reader;
            }
        }

        return null;
    }

    public override int Read(Span<PacketHeader> batch)
    {
        var count = 0;
        while (_opened && !Truncated)
        {
            count += Parse(_buffer.Available, batch[count..], out var consumed, out var needed);
            _buffer.Consume(consumed);
            if (count == batch.Length)
            {
                break;
            }

            if (needed > RecordSize + LongestFrame)
            {
                return count > 0 ? count : throw Damaged(_buffer.Offset, $"a frame of {needed - RecordSize} captured bytes, where at most {LongestFrame} are expected");
            }

            if (!_buffer.Ensure((int)needed))
            {
                Truncated = !_buffer.Available.IsEmpty;
                break;
            }
        }

        return count;
    }

    // Reads the records that lie whole in the buffer; of the one behind them it says how many bytes it needs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Parse(ReadOnlySpan<byte> available, Span<PacketHeader> batch, out int consumed, out long needed)
    {
        var (link, bigEndian, unit) = (_link, _bigEndian, _unit);
        ref var start = ref MemoryMarshal.GetReference(available);
        var bytes = 0L;
        var at = 0;
        var count = 0;
        needed = RecordSize;
        for (; count < batch.Length && available.Length - at >= RecordSize; count++)
        {
            ref var record = ref Unsafe.Add(ref start, at);
            var captured = U32(ref record, 8, bigEndian);
            needed = RecordSize + (long)captured;
            if (captured > LongestFrame || available.Length - at < needed)
            {
                break;
            }

            var wire = (int)Math.Min(U32(ref record, 12, bigEndian), int.MaxValue);
            var time = (U32(ref record, 0, bigEndian) * 1_000_000_000L) + (U32(ref record, 4, bigEndian) * unit);
            HeaderParser.Parse(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref record, RecordSize), (int)captured), link, wire, time, out batch[count]);
            bytes += wire;
            at += (int)needed;
            needed = RecordSize;
        }

        Bytes += bytes;
        consumed = at;
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint U32(ref byte record, int offset, bool bigEndian)
    {
        var value = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref record, offset));
        return bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private void ReadHeader()
    {
        const int Major = 2;
        if (!_buffer.Ensure(HeaderSize))
        {
            Truncated = true;
            return;
        }

        var header = _buffer.Available;
        var version = CaptureBuffer.U16(header, 4, _bigEndian);
        if (version != Major)
        {
            throw new CaptureFileException(CaptureFileFault.UnsupportedVersion, $"pcap {version}", $"The file is pcap of version {version}; version {Major} is expected.");
        }

        // The high half of the field tells of frame check sequences.
        _link = (LinkType)(CaptureBuffer.U32(header, 20, _bigEndian) & 0xFFFF);
        Met.Add(new CaptureInterface(_link, CaptureBuffer.U32(header, 16, _bigEndian)));
        _buffer.Consume(HeaderSize);
        _opened = true;
    }
}
