using System.Buffers.Binary;

namespace Sekisho.Traffic.Records;

/// <summary>How records are written as IPFIX.</summary>
public sealed record IpfixSettings
{
    /// <summary>Number of the observation domain.</summary>
    public uint Domain { get; init; } = 1;

    /// <summary>Longest message in bytes, 512 to 65,535. The default goes with IPv6 and UDP into an Ethernet frame with room for a tunnel.</summary>
    public int LargestMessage { get; init; } = 1400;

    /// <summary>How often templates are sent again; over UDP a collector may have been started later, or have missed them (RFC 7011, 8.4).</summary>
    public TimeSpan TemplateRefresh { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Both directions in one record (RFC 5103) instead of a record for each, which every collector understands. nfcapd understands both.</summary>
    public bool BothDirections { get; init; }
}

/// <summary>
/// Writes IPFIX messages (RFC 7011): header of 16 bytes, then a set with all templates when they are due, then sets of data. Elements that IANA numbers only, and the reverse ones of RFC 5103.
/// One thread at a time.
/// </summary>
public sealed class IpfixWriter
{
    private const int Header = 16;
    private const int SetHeader = 4;
    private const int TemplateSet = 2;
    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;
    private const int FlowEndActive = 2;

    private readonly IpfixSettings _settings;
    private readonly byte[] _message;
    private readonly byte[] _templates;
    private readonly (int Element, int Length)[][] _layouts;
    private readonly int[] _sizes;
    private uint _sequence;
    private long? _told;
    private int _length;
    private int _set;
    private int _kind = -1;
    private uint _recordsInMessage;

    /// <summary>Begins a stream of messages; for each new connection a new writer. Throws <see cref="ArgumentOutOfRangeException"/>.</summary>
    public IpfixWriter(IpfixSettings settings)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.LargestMessage, 512);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(settings.LargestMessage, 65_535);
        _settings = settings;
        _message = new byte[settings.LargestMessage];
        _layouts = [.. Enum.GetValues<Kind>().Select(Fields)];
        _sizes = [.. _layouts.Select(fields => fields.Sum(field => field.Length))];
        _templates = Templates();
    }

    /// <summary>The kinds of records, each with its template; the number of the first is 256.</summary>
    private enum Kind
    {
        IPv4,
        IPv4Control,
        IPv6,
        IPv6Control,
        Link,
    }

    /// <summary>Writes records. Each message is memory of its own.</summary>
    /// <param name="records">What is written.</param>
    /// <param name="now">Time of export, in nanoseconds since 1970.</param>
    public IEnumerable<ReadOnlyMemory<byte>> Write(IEnumerable<FlowRecord> records, long now)
    {
        foreach (var record in records.SelectMany(Directions))
        {
            if (Full(record, now) is { } full)
            {
                yield return full;
            }

            Put(record);
        }

        if (_recordsInMessage > 0)
        {
            yield return Finish(now);
        }
    }

    private IEnumerable<FlowRecord> Directions(FlowRecord record)
    {
        // A direction without a packet is no flow of its own.
        var back = !_settings.BothDirections && record.ReversePackets > 0;
        if (record.Packets > 0 || !back)
        {
            yield return record;
        }

        if (back)
        {
            yield return record.Reverse();
        }
    }

    private static Kind KindOf(FlowRecord record) => (record.Source.IsNone ? record.Destination : record.Source) switch
    {
        { IsNone: true } => Kind.Link,
        { IsIPv4: true } => Layer4.IsControl(record.Protocol) ? Kind.IPv4Control : Kind.IPv4,
        _ => Layer4.IsControl(record.Protocol) ? Kind.IPv6Control : Kind.IPv6,
    };

    /// <summary>Elements and lengths of a record of a kind, in their order; a negative number is the reverse element.</summary>
    private (int Element, int Length)[] Fields(Kind kind)
    {
        (int, int)[] ends = kind switch
        {
            Kind.IPv4 => [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 2)],
            Kind.IPv4Control => [(8, 4), (12, 4), (32, 2), (4, 1)],
            Kind.IPv6 => [(27, 16), (28, 16), (7, 2), (11, 2), (4, 1), (6, 2)],
            Kind.IPv6Control => [(27, 16), (28, 16), (139, 2), (4, 1)],
            _ => [(256, 2)],
        };
        (int, int)[] rest = [(56, 6), (80, 6), (58, 2), (152, 8), (153, 8), (136, 1), (2, 8), (1, 8)];
        (int, int)[] back = !_settings.BothDirections ? [] : kind is Kind.IPv4 or Kind.IPv6 ? [(-2, 8), (-1, 8), (-6, 2)] : [(-2, 8), (-1, 8)];
        // nfcapd takes the reverse flags for flags too, and keeps what comes last.
        return [.. back, .. ends, .. rest];
    }

    private byte[] Templates()
    {
        var bytes = new List<byte>();
        void Two(int value) => bytes.AddRange([(byte)(value >> 8), (byte)value]);
        Two(TemplateSet);
        Two(0);
        for (var kind = 0; kind < _layouts.Length; kind++)
        {
            Two(256 + kind);
            Two(_layouts[kind].Length);
            foreach (var (element, length) in _layouts[kind])
            {
                Two(element > 0 ? element : -element | 0x8000);
                Two(length);
                if (element < 0)
                {
                    Two((int)(FlowBuilder.ReverseEnterprise >> 16));
                    Two((int)(FlowBuilder.ReverseEnterprise & 0xFFFF));
                }
            }
        }

        byte[] set = [.. bytes];
        BinaryPrimitives.WriteUInt16BigEndian(set.AsSpan(2), (ushort)set.Length);
        return set;
    }

    /// <summary>Makes room for a record: the message that was full, if one was.</summary>
    private ReadOnlyMemory<byte>? Full(FlowRecord record, long now)
    {
        var kind = (int)KindOf(record);
        ReadOnlyMemory<byte>? full = null;
        if (_length > 0 && _length + _sizes[kind] + (kind == _kind ? 0 : SetHeader) > _message.Length)
        {
            full = Finish(now);
        }

        if (_length == 0)
        {
            _length = Header;
            if (_told is not { } told || now - told >= _settings.TemplateRefresh.Ticks * 100 || now < told)
            {
                _templates.CopyTo(_message, _length);
                _length += _templates.Length;
                _told = now;
            }
        }

        if (kind != _kind)
        {
            CloseSet();
            _set = _length;
            _kind = kind;
            BinaryPrimitives.WriteUInt16BigEndian(_message.AsSpan(_set), (ushort)(256 + kind));
            _length += SetHeader;
        }

        return full;
    }

    private ReadOnlyMemory<byte> Finish(long now)
    {
        CloseSet();
        var header = _message.AsSpan();
        BinaryPrimitives.WriteUInt16BigEndian(header, FlowDecoder.Ipfix);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)_length);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], (uint)(now / Second));
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], _sequence);
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], _settings.Domain);
        _sequence = unchecked(_sequence + _recordsInMessage);
        ReadOnlyMemory<byte> message = _message.AsSpan(0, _length).ToArray();
        (_length, _recordsInMessage) = (0, 0);
        return message;
    }

    private void CloseSet()
    {
        if (_kind >= 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_message.AsSpan(_set + 2), (ushort)(_length - _set));
            _kind = -1;
        }
    }

    private void Put(FlowRecord record)
    {
        foreach (var (element, length) in _layouts[_kind])
        {
            var at = _message.AsSpan(_length, length);
            if (length == 16)
            {
                var address = element == 27 ? record.Source : record.Destination;
                BinaryPrimitives.WriteUInt64BigEndian(at, address.High);
                BinaryPrimitives.WriteUInt64BigEndian(at[8..], address.Low);
            }
            else
            {
                var value = Value(element, record);
                for (var i = length - 1; i >= 0; i--)
                {
                    at[i] = (byte)value;
                    value >>= 8;
                }
            }

            _length += length;
        }

        _recordsInMessage++;
    }

    private static ulong Value(int element, FlowRecord record) => element switch
    {
        8 => record.Source.Low & 0xFFFF_FFFF,
        12 => record.Destination.Low & 0xFFFF_FFFF,
        7 => (ulong)record.SourcePort,
        11 => (ulong)record.DestinationPort,
        32 or 139 => (ulong)((record.SourcePort << 8) | record.DestinationPort),
        4 => (ulong)record.Protocol,
        6 => (ulong)record.TcpFlags,
        256 => (ulong)record.EtherType,
        56 => record.SourceMac,
        80 => record.DestinationMac,
        58 => record.Vlan == FlowRecord.NoVlan ? 0 : (ulong)record.Vlan,
        152 => (ulong)(record.Start / Millisecond),
        153 => (ulong)(record.End / Millisecond),
        136 => FlowEndActive,
        2 => (ulong)record.Packets,
        1 => (ulong)record.Bytes,
        -2 => (ulong)(record.ReversePackets ?? 0),
        -1 => (ulong)(record.ReverseBytes ?? 0),
        _ => (ulong)record.ReverseTcpFlags,
    };
}
