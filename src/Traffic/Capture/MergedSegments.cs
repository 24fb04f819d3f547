using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Capture;

/// <summary>
/// Linux merges TCP segments and UDP datagrams of one flow before it hands them over (GRO), and on virtual links they were never cut (GSO).
/// This gives the frames back that were, or would have been, on the wire: counts, sizes and sequence numbers are then those of the wire, whatever the offloads of the interface.
/// </summary>
internal struct MergedSegments
{
    private const byte Fin = 1;
    private const byte Push = 8;

    private PacketHeader _header;
    private int _headers;
    private int _payload;
    private int _size;

    /// <summary>How many frames have not been given out.</summary>
    internal int Left { get; private set; }

    /// <summary>Takes a frame apart; <see cref="Left"/> is 0 where nothing was merged.</summary>
    internal static MergedSegments Of(in PacketHeader header, int segmentSize)
    {
        if (segmentSize == 0 || header.PayloadLength <= segmentSize || header.PayloadLength > header.WireLength)
        {
            return default;
        }

        return new()
        {
            _header = header,
            _headers = header.WireLength - header.PayloadLength,
            _payload = header.PayloadLength,
            _size = segmentSize,
            Left = (header.PayloadLength + segmentSize - 1) / segmentSize,
        };
    }

    /// <summary>Gives the next frame out.</summary>
    internal void Next(ref PacketHeader into)
    {
        into = _header;
        var payload = Math.Min(_size, _payload);
        into.PayloadLength = payload;
        into.WireLength = _headers + payload;
        if (into.Protocol == TransportLayer.Tcp)
        {
            if (Left > 1)
            {
                into.TcpFlags &= unchecked((byte)~(Fin | Push));
            }

            _header.Sequence += (uint)payload;
        }

        _payload -= payload;
        Left--;
    }
}
