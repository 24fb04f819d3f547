using System.Buffers.Binary;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Files;

/// <summary>
/// pcapng (draft-ietf-opsawg-pcapng): blocks, each
/// <code>
/// type(4) length(4) body(length - 12) length(4)
/// section    byte order(4) major(2) minor(2) section length(8) options
/// interface  link type(2) reserved(2) snap length(4) options
/// enhanced   interface(4) time, high half(4) time, low half(4) captured length(4) length on the wire(4) frame, padded to 4; options
/// simple     length on the wire(4) frame, padded to 4
/// packet     interface(2) drops(2), then as enhanced (obsolete)
/// </code>
/// Blocks of other types are passed over.
/// </summary>
internal sealed class PcapNgReader(CaptureBuffer buffer) : RecordReader
{
    public const uint SectionHeader = 0x0A0D0D0A;

    private const uint InterfaceDescription = 1;
    private const uint ObsoletePacket = 2;
    private const uint SimplePacket = 3;
    private const uint EnhancedPacket = 6;
    private const uint ByteOrder = 0x1A2B3C4D;
    private const int BeginSize = 8;
    private const int FrameSize = 12;

    // A frame with its options; longer blocks are not read as one.
    private const int LongestBlock = 2 * LongestFrame;

    // An interface takes 20 bytes of the file, so a file could name millions of them.
    private const int MostInterfaces = 1 << 16;

    private readonly List<TickClock> _clocks = [];
    private bool _bigEndian;
    private int _sectionBegin;

    public override int Read(Span<PacketHeader> batch)
    {
        var count = 0;
        while (count < batch.Length && !Truncated && buffer.Ensure(FrameSize))
        {
            var type = CaptureBuffer.U32(buffer.Available, 0, _bigEndian);
            if (type == SectionHeader)
            {
                // A section begins a batch, so that one that cannot be read does not take the frames before it along.
                if (count > 0)
                {
                    return count;
                }

                var order = CaptureBuffer.U32(buffer.Available, BeginSize, bigEndian: false);
                if (order != ByteOrder && BinaryPrimitives.ReverseEndianness(order) != ByteOrder)
                {
                    throw Damaged(buffer.Offset, "a section without its mark of byte order");
                }

                _bigEndian = order != ByteOrder;
            }

            var length = CaptureBuffer.U32(buffer.Available, 4, _bigEndian);
            if (Fault(type, length) is { } fault)
            {
                return count > 0 ? count : throw Damaged(buffer.Offset, fault);
            }

            if (type is not (SectionHeader or InterfaceDescription or ObsoletePacket or SimplePacket or EnhancedPacket))
            {
                Truncated = !buffer.Skip(length);
                continue;
            }

            if (!buffer.Ensure((int)length))
            {
                Truncated = true;
                break;
            }

            var block = buffer.Available[..(int)length];
            var body = block[BeginSize..^4];
            var wrong = CaptureBuffer.U32(block, block.Length - 4, _bigEndian) != length ? "a block whose two lengths differ" : Block(type, body, batch, ref count);
            if (wrong is not null)
            {
                return count > 0 ? count : throw Damaged(buffer.Offset, wrong);
            }

            buffer.Consume((int)length);
        }

        if (count < batch.Length && !Truncated)
        {
            Truncated = !buffer.Available.IsEmpty;
        }

        return count;
    }

    private static string? Fault(uint type, uint length) =>
        length < FrameSize || (length & 3) != 0 ? $"a block of {length} bytes, where a multiple of 4 from {FrameSize} on is expected"
        : length > LongestBlock && type is SectionHeader or InterfaceDescription or ObsoletePacket or SimplePacket or EnhancedPacket ? $"a block of {length} bytes, where at most {LongestBlock} are expected"
        : null;

    // What is wrong with the block, or null.
    private string? Block(uint type, ReadOnlySpan<byte> body, Span<PacketHeader> batch, ref int count)
    {
        switch (type)
        {
            case SectionHeader:
                return Section(body);
            case InterfaceDescription:
                return Interface(body);
            case EnhancedPacket:
                return body.Length < 20
                    ? "a packet block without its fixed fields"
                    : Packet(CaptureBuffer.U32(body, 0, _bigEndian), body, batch, ref count);
            case ObsoletePacket:
                return body.Length < 20
                    ? "a packet block without its fixed fields"
                    : Packet(CaptureBuffer.U16(body, 0, _bigEndian), body, batch, ref count);
            default:
                return Simple(body, batch, ref count);
        }
    }

    private string? Section(ReadOnlySpan<byte> body)
    {
        const int Major = 1;
        if (body.Length < 16)
        {
            return "a section without its fixed fields";
        }

        var version = CaptureBuffer.U16(body, 4, _bigEndian);
        if (version != Major)
        {
            throw new CaptureFileException(CaptureFileFault.UnsupportedVersion, $"pcapng {version}", $"The file is pcapng of version {version}; version {Major} is expected.");
        }

        _sectionBegin = Met.Count;
        return null;
    }

    private string? Interface(ReadOnlySpan<byte> body)
    {
        const int FixedSize = 8;
        const int Resolution = 9;
        const int Offset = 14;
        if (body.Length < FixedSize)
        {
            return "an interface without its fixed fields";
        }

        if (Met.Count >= MostInterfaces)
        {
            return $"more than {MostInterfaces} interfaces";
        }

        var clock = TickClock.Usual;
        var options = body[FixedSize..];
        while (options.Length >= 4)
        {
            var code = CaptureBuffer.U16(options, 0, _bigEndian);
            var size = CaptureBuffer.U16(options, 2, _bigEndian);
            options = options[4..];
            if (code == 0 || size > options.Length)
            {
                break;
            }

            if (code == Resolution && size == 1)
            {
                clock = clock with { Resolution = options[0] };
            }
            else if (code == Offset && size == 8)
            {
                clock = clock with { Offset = _bigEndian ? BinaryPrimitives.ReadInt64BigEndian(options) : BinaryPrimitives.ReadInt64LittleEndian(options) };
            }

            options = options[Math.Min((size + 3) & ~3, options.Length)..];
        }

        Met.Add(new CaptureInterface((LinkType)CaptureBuffer.U16(body, 0, _bigEndian), CaptureBuffer.U32(body, 4, _bigEndian)));
        _clocks.Add(clock);
        return null;
    }

    private string? Packet(uint number, ReadOnlySpan<byte> body, Span<PacketHeader> batch, ref int count)
    {
        const int FixedSize = 20;
        var captured = CaptureBuffer.U32(body, 12, _bigEndian);
        if (number >= Met.Count - _sectionBegin)
        {
            return $"a packet of interface {number}, which is not described";
        }

        if (captured > body.Length - FixedSize)
        {
            return $"a packet of {captured} captured bytes in a block that has room for {body.Length - FixedSize}";
        }

        var index = _sectionBegin + (int)number;
        var ticks = ((ulong)CaptureBuffer.U32(body, 4, _bigEndian) << 32) | CaptureBuffer.U32(body, 8, _bigEndian);
        var wire = (int)Math.Min(CaptureBuffer.U32(body, 16, _bigEndian), int.MaxValue);
        HeaderParser.Parse(body.Slice(FixedSize, (int)captured), Met[index].Link, wire, _clocks[index].Nanoseconds(ticks), out batch[count]);
        Bytes += batch[count].WireLength;
        count++;
        return null;
    }

    // It belongs to the first interface, has no time, and tells how much was captured by the snap length alone.
    private string? Simple(ReadOnlySpan<byte> body, Span<PacketHeader> batch, ref int count)
    {
        const int FixedSize = 4;
        if (body.Length < FixedSize)
        {
            return "a packet block without its fixed fields";
        }

        if (Met.Count == _sectionBegin)
        {
            return "a packet of interface 0, which is not described";
        }

        var only = Met[_sectionBegin];
        var wire = CaptureBuffer.U32(body, 0, _bigEndian);
        var captured = Math.Min(Math.Min(wire, only.SnapLength == 0 ? uint.MaxValue : only.SnapLength), body.Length - FixedSize);
        HeaderParser.Parse(body.Slice(FixedSize, (int)captured), only.Link, (int)Math.Min(wire, int.MaxValue), 0, out batch[count]);
        Bytes += batch[count].WireLength;
        count++;
        return null;
    }
}
