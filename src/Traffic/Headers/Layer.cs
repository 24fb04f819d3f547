using System.Buffers.Binary;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Headers;

/// <summary>What is left of a frame at one layer: the captured bytes, and how many bytes there are on the wire by the length fields of the layers below.</summary>
internal readonly ref struct Layer
{
    private readonly ReadOnlySpan<byte> _captured;
    private readonly byte _tunnels;
    private readonly bool _entering;

    public Layer(ReadOnlySpan<byte> captured, int wire)
        : this(captured, wire, tunnels: 0, entering: false)
    {
    }

    // Captured bytes are never more than those on the wire, so that no layer reads the trailer of the one below.
    private Layer(ReadOnlySpan<byte> captured, int wire, byte tunnels, bool entering)
    {
        Wire = Math.Max(wire, 0);
        _captured = captured.Length > Wire ? captured[..Wire] : captured;
        _tunnels = tunnels;
        _entering = entering;
    }

    /// <summary>Bytes on the wire from here to the end of the layer below.</summary>
    public int Wire { get; }

    /// <summary>Captured bytes.</summary>
    public int Length => _captured.Length;

    /// <summary>Whether a tunnel's header was read, but none of what is inside.</summary>
    public bool Entering => _entering;

    /// <summary>The captured byte at <paramref name="offset"/>.</summary>
    public byte this[int offset] => _captured[offset];

    public ushort U16(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_captured[offset..]);

    public ushort U16Little(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_captured[offset..]);

    public uint U32(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_captured[offset..]);

    public ulong Mac(int offset) => ((ulong)U16(offset) << 32) | U32(offset + 2);

    public NetAddress IPv4(int offset) => NetAddress.FromIPv4(U32(offset));

    public NetAddress IPv6(int offset) => NetAddress.FromIPv6(_captured.Slice(offset, 16));

    /// <summary>Whether <paramref name="size"/> bytes are captured; when not, marks the frame as cut short or, where the layer below says that there are fewer on the wire, as malformed.</summary>
    public bool Has(int size, scoped ref PacketHeader header)
    {
        if (_captured.Length >= size)
        {
            return true;
        }

        header.Marks |= Wire < size ? PacketMarks.Malformed : PacketMarks.Truncated;
        return false;
    }

    /// <summary>What follows <paramref name="size"/> bytes.</summary>
    public Layer Skip(int size) => new(size < _captured.Length ? _captured[size..] : [], Wire - size, _tunnels, _entering);

    /// <summary>The same begin with another length on the wire.</summary>
    public Layer Resize(int wire) => new(_captured, wire, _tunnels, _entering);

    /// <summary>What follows a tunnel's header of <paramref name="size"/> bytes; false when there are too many tunnels already.</summary>
    public bool TryDescend(int size, out Layer inner)
    {
        var below = Skip(size);
        inner = new Layer(below._captured, below.Wire, (byte)(_tunnels + 1), entering: true);
        return _tunnels < HeaderParser.TunnelLimit;
    }

    /// <summary>Called once the first header of what may be inside a tunnel is known to be whole: what was read outside gives way to it, but for the outermost addresses.</summary>
    public Layer Enter(scoped ref PacketHeader header)
    {
        if (!_entering)
        {
            return this;
        }

        if (header.TunnelSource.IsNone && header.TunnelDestination.IsNone)
        {
            header.TunnelSource = header.Source;
            header.TunnelDestination = header.Destination;
        }

        header.Source = default;
        header.Destination = default;
        header.Identification = 0;
        header.IpVersion = 0;
        header.Protocol = 0;
        header.HopLimit = 0;
        header.SourcePort = 0;
        header.DestinationPort = 0;
        header.PayloadLength = 0;
        header.Marks = (header.Marks & ~PacketMarks.HasPorts) | PacketMarks.Tunnelled;
        return new Layer(_captured, Wire, _tunnels, entering: false);
    }
}
