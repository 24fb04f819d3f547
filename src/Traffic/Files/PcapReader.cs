using System.Runtime.CompilerServices;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override int Read(Span<PacketHeader> batch)
    {
        var count = 0;
        var needed = RecordSize;
        while (_opened && count < batch.Length && !Truncated)
        {
            var available = _buffer.Available;
            var size = available.Length;
            while (count < batch.Length)
            {
                needed = RecordSize;
                if (available.Length < RecordSize)
                {
                    break;
                }

                var captured = CaptureBuffer.U32(available, 8, _bigEndian);
                if (captured > LongestFrame)
                {
                    _buffer.Consume(size - available.Length);
                    return count > 0 ? count : throw Damaged(_buffer.Offset, $"a frame of {captured} captured bytes, where at most {LongestFrame} are expected");
                }

                needed = RecordSize + (int)captured;
                if (available.Length < needed)
                {
                    break;
                }

                var wire = (int)Math.Min(CaptureBuffer.U32(available, 12, _bigEndian), int.MaxValue);
                var time = (CaptureBuffer.U32(available, 0, _bigEndian) * 1_000_000_000L) + (CaptureBuffer.U32(available, 4, _bigEndian) * _unit);
                HeaderParser.Parse(available[RecordSize..needed], _link, wire, time, out batch[count]);
                count++;
                available = available[needed..];
            }

            _buffer.Consume(size - available.Length);
            if (count < batch.Length && !_buffer.Ensure(needed))
            {
                Truncated = !_buffer.Available.IsEmpty;
                break;
            }
        }

        return count;
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
