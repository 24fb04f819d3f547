using System.Buffers.Binary;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>
/// Gathers the fields of one record. The numbers are IANA's information elements (ipfix.xhtml); those up to 127 are the field types of NetFlow v9 too.
/// Fields may be shorter than their element (RFC 7011, 6.2); what is longer than eight bytes and no address is passed over.
/// </summary>
internal struct FlowBuilder
{
    /// <summary>The enterprise number under which an element counts the other direction (RFC 5103, 6.1).</summary>
    internal const uint ReverseEnterprise = 29305;

    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;

    private NetAddress _source;
    private NetAddress _destination;
    private ulong _sourceMac;
    private ulong _destinationMac;
    private int _sourcePort;
    private int _destinationPort;
    private int _protocol;
    private int _etherType;
    private int _vlan;
    private int _tcpFlags;
    private int _reverseTcpFlags;
    private int _typeAndCode;
    private bool _hasTypeAndCode;
    private long _packets;
    private long _bytes;
    private long? _reversePackets;
    private long? _reverseBytes;
    private long? _start;
    private long? _end;
    private uint? _startUptime;
    private uint? _endUptime;
    private long? _duration;
    private bool _beganReverse;

    /// <summary>When the exporter began to count its uptime, in milliseconds since 1970; of an options record or a record of a flow.</summary>
    internal long? Boot { get; private set; }

    /// <summary>One of how many packets the exporter looked at; 0 if not told.</summary>
    internal int Sampling { get; private set; }

    internal void Put(in Template.Field field, ReadOnlySpan<byte> value, long exported)
    {
        if (field.IsScope)
        {
            return;
        }

        if (field.Enterprise == ReverseEnterprise)
        {
            PutReverse(field.Element, value, exported);
        }
        else if (field.Enterprise == 0 && !PutAddress(field.Element, value) && !PutTime(field.Element, value, exported))
        {
            PutNumber(field.Element, Number(value));
        }
    }

    /// <summary>The record; null when it holds no flow.</summary>
    /// <param name="exporter">Who told it.</param>
    /// <param name="exported">When, in nanoseconds since 1970.</param>
    /// <param name="uptime">Uptime of the exporter then, in milliseconds; null if the message does not tell it.</param>
    /// <param name="boot">Begin of the uptime as an options record told it, in milliseconds since 1970.</param>
    /// <param name="sampling">As an options record told it.</param>
    internal readonly FlowRecord? Build(NetAddress exporter, long exported, uint? uptime, long? boot, int sampling)
    {
        if (_source.IsNone && _destination.IsNone && (_sourceMac | _destinationMac) == 0)
        {
            return null;
        }

        var (start, end) = Times(exported, uptime, Boot ?? boot);
        var control = Layer4.IsControl(_protocol);
        var typeAndCode = _hasTypeAndCode ? _typeAndCode : _destinationPort;
        var record = new FlowRecord
        {
            Start = start,
            End = end,
            SourceMac = _sourceMac,
            DestinationMac = _destinationMac,
            Source = _source,
            Destination = _destination,
            EtherType = (_source.IsNone ? _destination : _source) is { IsNone: false } address ? address.IsIPv4 ? Layer4.EtherTypeIPv4 : Layer4.EtherTypeIPv6 : _etherType,
            Protocol = _protocol,
            SourcePort = control ? typeAndCode >> 8 : _sourcePort,
            DestinationPort = control ? typeAndCode & 0xFF : _destinationPort,
            Packets = _packets,
            Bytes = _bytes,
            ReversePackets = _reversePackets,
            ReverseBytes = _reverseBytes,
            TcpFlags = _tcpFlags,
            ReverseTcpFlags = _reverseTcpFlags,
            Vlan = _vlan == 0 ? FlowRecord.NoVlan : _vlan,
            Exporter = exporter,
            Sampling = Math.Max(Sampling == 0 ? sampling : Sampling, 1),
        };

        // softflowd tells a direction that stands alone as the reverse of one without packets.
        return _beganReverse || (_packets == 0 && _reversePackets > 0) ? record.Reverse() : record;
    }

    private static ulong Number(ReadOnlySpan<byte> value)
    {
        if (value.Length > 8)
        {
            return 0;
        }

        ulong number = 0;
        foreach (var b in value)
        {
            number = (number << 8) | b;
        }

        return number;
    }

    private static long Count(ulong number) => (long)Math.Min(number, long.MaxValue);

    private static long Scaled(ulong number, long unit) => number > (ulong)(long.MaxValue / unit) ? long.MaxValue : (long)number * unit;

    private bool PutAddress(int element, ReadOnlySpan<byte> value)
    {
        switch (element, value.Length)
        {
            case (8, 4):
                _source = Chosen(_source, NetAddress.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(value)));
                return true;
            case (12, 4):
                _destination = Chosen(_destination, NetAddress.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(value)));
                return true;
            case (27, 16):
                _source = Chosen(_source, NetAddress.FromIPv6(value));
                return true;
            case (28, 16):
                _destination = Chosen(_destination, NetAddress.FromIPv6(value));
                return true;
            case (56, 6):
                _sourceMac = Number(value);
                return true;
            case (80, 6):
                _destinationMac = Number(value);
                return true;
            case (81, 6):
                _sourceMac = _sourceMac == 0 ? Number(value) : _sourceMac;
                return true;
            case (57, 6):
                _destinationMac = _destinationMac == 0 ? Number(value) : _destinationMac;
                return true;
            default:
                return false;
        }
    }

    // Some exporters have fields for both families in one template and leave one of them zero.
    private static NetAddress Chosen(NetAddress had, NetAddress now) => had.IsNone || (now != default && now != NetAddress.FromIPv4(0)) ? now : had;

    private bool PutTime(int element, ReadOnlySpan<byte> value, long exported)
    {
        if (element is not ((>= 150 and <= 159) or 21 or 22))
        {
            return false;
        }

        var number = Number(value);
        if (element == 22)
        {
            _startUptime = (uint)number;
        }
        else if (element == 21)
        {
            _endUptime = (uint)number;
        }
        else if (element % 2 == 0)
        {
            _start = Moment(element, number, exported);
        }
        else
        {
            _end = Moment(element, number, exported);
        }

        return true;
    }

    /// <summary>The elements come in pairs of start and end: seconds, milliseconds, microseconds and nanoseconds in the format of NTP, microseconds before the export.</summary>
    private static long Moment(int element, ulong number, long exported) => (element / 2) switch
    {
        75 => Scaled(number, Second),
        76 => Scaled(number, Millisecond),
        77 or 78 => NtpTime(number),
        _ => Math.Max(exported - Scaled(number, 1000), 0),
    };

    private static long NtpTime(ulong number)
    {
        const long From1900To1970 = 2_208_988_800;
        var seconds = (long)(number >> 32) - From1900To1970;
        return Math.Max((seconds * Second) + (long)(((number & 0xFFFF_FFFF) * (ulong)Second) >> 32), 0);
    }

    private void PutNumber(int element, ulong number)
    {
        switch (element)
        {
            case 1 or 85 or 231:
                _bytes = Count(number);
                break;
            case 2 or 86 or 298:
                _packets = Count(number);
                break;
            case 23 when _bytes == 0:
                _bytes = Count(number);
                break;
            case 24 when _packets == 0:
                _packets = Count(number);
                break;
            case 232:
                _reverseBytes = Count(number);
                break;
            case 299:
                _reversePackets = Count(number);
                break;
            case 4:
                _protocol = (byte)number;
                break;
            case 6:
                _tcpFlags = (int)(number & 0xFF);
                break;
            case 7 or 180 or 182:
                _sourcePort = (ushort)number;
                break;
            case 11 or 181 or 183:
                _destinationPort = (ushort)number;
                break;
            case 32 or 139:
                PutTypeAndCode((int)(number & 0xFFFF));
                break;
            case 176 or 178:
                PutTypeAndCode((_typeAndCode & 0xFF) | ((byte)number << 8));
                break;
            case 177 or 179:
                PutTypeAndCode((_typeAndCode & 0xFF00) | (byte)number);
                break;
            case 58 or 243:
                _vlan = (int)(number & 0xFFF);
                break;
            case 256:
                _etherType = (ushort)number;
                break;
            case 34 or 50 or 305:
                Sampling = (int)Math.Min(number, int.MaxValue);
                break;
            case 160:
                Boot = Count(number);
                break;
            case 161:
                _duration = Scaled(number, Millisecond);
                break;
            case 162:
                _duration = Scaled(number, 1000);
                break;
            case 239:
                _beganReverse = number == 2;
                break;
            default:
                break;
        }
    }

    private void PutTypeAndCode(int value)
    {
        _typeAndCode = value;
        _hasTypeAndCode = true;
    }

    private void PutReverse(int element, ReadOnlySpan<byte> value, long exported)
    {
        var number = Number(value);
        switch (element)
        {
            case 1 or 85:
                _reverseBytes = Count(number);
                break;
            case 2 or 86:
                _reversePackets = Count(number);
                break;
            case 6:
                _reverseTcpFlags = (int)(number & 0xFF);
                break;
            case (>= 150 and <= 158) when number != 0 && element % 2 == 0:
                _start = Math.Min(_start ?? long.MaxValue, Moment(element, number, exported));
                break;
            case (>= 151 and <= 159) when number != 0:
                _end = Math.Max(_end ?? 0, Moment(element, number, exported));
                break;
            default:
                break;
        }
    }

    private readonly (long Start, long End) Times(long exported, uint? uptime, long? boot)
    {
        var start = _start ?? AtUptime(_startUptime, exported, uptime, boot);
        var end = _end ?? AtUptime(_endUptime, exported, uptime, boot);
        if (start is null && end is null && _startUptime is { } from && _endUptime is { } to)
        {
            // Nobody tells when the uptime began: the length of the flow is known, its place is not.
            end = exported;
            start = exported - (Math.Max(unchecked((int)(to - from)), 0) * Millisecond);
        }

        end ??= start is { } s ? Plus(s, _duration ?? 0) : exported;
        start ??= Math.Max(end.Value - (_duration ?? 0), 0);
        return (start.Value, Math.Max(start.Value, end.Value));
    }

    private static long Plus(long time, long duration) => time > long.MaxValue - duration ? long.MaxValue : time + duration;

    // The uptime has 32 bits of milliseconds and begins anew after 49.7 days; what it tells is near the time of export.
    private static long? AtUptime(uint? moment, long exported, uint? uptime, long? boot) => (moment, uptime, boot) switch
    {
        ({ } at, { } now, _) => Math.Max(exported - (unchecked((int)(now - at)) * Millisecond), 0),
        ({ } at, _, { } began) => Math.Max(exported - (unchecked((int)((uint)((exported / Millisecond) - began) - at)) * Millisecond), 0),
        _ => null,
    };
}
