using Sekisho.Traffic.Devices;
using Sekisho.Traffic.Flows;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Records;
using Sekisho.Traffic.Labels;
using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>Turns flow records (NetFlow, IPFIX, Zeek) into what happened in each interval, as <see cref="Observation"/> does with packets. The time comes from outside. One caller at a time.</summary>
/// <remarks>
/// <code>
/// while (!intervals.Add(record, now))   // of a file, now is the latest end of a record until here
/// {
///     send(intervals.Flush(state));
/// }
///
/// while (intervals.IsOver(now)) { send(intervals.Flush(state)); }     // live, every second or so
/// while (intervals.HoldsAny) { send(intervals.Flush(state)); }        // at the end of a file
/// </code>
/// <para>A record comes when its flow has gone on for a while, so an interval stays open for some time (<see cref="RecordIntervalsSettings.OpenSeconds"/>). Packets and bytes are spread evenly over those intervals
/// between start and end of the record that are open, by the rules of <see cref="FlowUpdate"/>. What belongs to intervals that are told already goes into the open ones (<see cref="Shortened"/>), wholly into the oldest when none of
/// its own is open (<see cref="Late"/>); what lies ahead of the time goes into the newest (<see cref="Ahead"/>). So sums are kept to the packet and to the byte, whatever the times say. They end at 2^63 - 1.</para>
/// <para>Bytes are those of layer 3 and an Ethernet header of 14 bytes for each packet, which is what <see cref="Observation"/> counts of frames without tags;
/// of short ones if the exporter counts their padding (softflowd does; who goes by the length in the header of IP does not). Multiplied by the exporter's sampling.</para>
/// <para>Devices are those of <see cref="DeviceTable"/>. Without a MAC a local address is a device behind a router with MAC 0, whatever the exporter, unless the exporter tells that address' MAC where it sends.
/// Addresses beyond the local networks are no devices. Hop limits are not known, so a MAC that sends from four local addresses counts as a router. Who has not sent until its interval is told is no device.</para>
/// <para>A connection is begun by who sent SYN, at the start of the record, and failed where the teller says so, or where the client never sent an acknowledgement (nobody answered, or a reset did). Neither gaps nor retransmissions nor ARP are known;
/// of sizes only the mean is. Services are told by port; the labels of a log are not taken over, since their words are others.</para>
/// </remarks>
public sealed unsafe class RecordIntervals : IDisposable
{
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;
    private const long Unopened = -1;
    private const int SmallestDhcp = 14 + 20 + 8 + 236;

    private readonly RecordIntervalsSettings _settings;
    private readonly DeviceTable _devices;
    private readonly LocalNetworks _networks;
    private readonly FragmentTable _fragments;
    private readonly Dictionary<long, OpenInterval> _open = [];
    private readonly Dictionary<NetAddress, ulong> _macs;
    private readonly OpenRoom _room = new();
    private readonly long _length;
    private readonly long _wait;
    private readonly long _back;
    private long _oldest = Unopened;
    private long _sequence;

    /// <summary>Makes the tables; their memory is taken as they fill.</summary>
    public RecordIntervals(RecordIntervalsSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.IntervalLength, 1, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfNegative(settings.OpenSeconds, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(settings.OpenSeconds, 3_600, nameof(settings));
        _settings = settings;
        _sequence = settings.FirstSequence;
        _length = settings.IntervalLength * Millisecond;
        _wait = ((settings.OpenSeconds * Second) + _length - 1) / _length;
        _back = settings.LateSeconds * Second / _length;
        _networks = new LocalNetworks(settings.LocalNetworks);
        _devices = new DeviceTable((long)settings.DeviceMemory << 20, _networks, settings.Seed);
        _fragments = new FragmentTable(settings.Seed);
        _macs = new(new SeededAddresses(settings.Seed));
    }

    /// <summary>Records that were counted.</summary>
    public long Records { get; private set; }

    /// <summary>Records that tell of neither packets nor bytes.</summary>
    public long Empty { get; private set; }

    /// <summary>Records that began before the oldest open interval and end in it or later. Many of them say that <see cref="RecordIntervalsSettings.OpenSeconds"/> is shorter than the exporter's active timeout.</summary>
    public long Shortened { get; private set; }

    /// <summary>Records that end before the oldest open interval. Many of them say that the exporter's clock is behind.</summary>
    public long Late { get; private set; }

    /// <summary>Records that end after the newest open interval. Many of them say that the exporter's clock is ahead.</summary>
    public long Ahead { get; private set; }

    /// <summary>Whether an open interval holds something.</summary>
    public bool HoldsAny => _open.Count > 0;

    /// <summary>Whether the oldest open interval is to be told at a time in nanoseconds since 1970; opens the first one. Intervals without records are told while the time goes on steadily and left out where it leaps; who reads a file may drop them all.</summary>
    public bool IsOver(long now)
    {
        var oldest = Math.Max(IndexOf(now) - _wait, 0);
        var setBack = IndexOf(now) < _oldest - _back;
        if (_oldest == Unopened || (_open.Count == 0 && (setBack || oldest > _oldest + 1)))
        {
            _oldest = oldest;
            return false;
        }

        return oldest > _oldest || setBack;
    }

    /// <summary>Takes a record in; false, and nothing is taken, when an interval has to be told before: then <see cref="Flush"/>, and add again.</summary>
    /// <param name="record">The record, whatever it says.</param>
    /// <param name="now">The time in nanoseconds since 1970.</param>
    public bool Add(FlowRecord record, long now)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (IsOver(now))
        {
            return false;
        }

        record = FromClient(record);
        var from = _oldest * _length;
        var to = ((Math.Max(IndexOf(now), _oldest) + 1) * _length) - 1;
        var last = Math.Max(record.Start, record.End);
        var start = Math.Clamp(record.Start, from, to);
        var inside = record with { Start = start, End = Math.Clamp(last, start, to) };
        if ((record.ReversePackets ?? record.ReverseBytes) > 0)
        {
            // Who answered is known before it is written to.
            foreach (var side in FlowUpdate.Of(inside with { End = start }, _length))
            {
                _ = Sender(side);
            }
        }

        var any = false;
        DeviceSum? client = null;
        foreach (var update in FlowUpdate.Of(inside, _length))
        {
            any = true;
            var sender = Count(update, record);
            client = update.IsReverse ? client : sender;
        }

        if (!any)
        {
            Empty++;
            return true;
        }

        if (client is not null && HasFailed(record))
        {
            client.Failed++;
        }

        Records++;
        Late += last < from ? 1 : 0;
        Shortened += record.Start < from && last >= from ? 1 : 0;
        Ahead += last > to ? 1 : 0;
        return true;
    }

    /// <summary>Tells the oldest open interval and closes it.</summary>
    /// <param name="own">What the sensor knows of itself besides the records.</param>
    public IntervalFeatures Flush(SensorState? own = null)
    {
        if (_oldest == Unopened)
        {
            throw new InvalidOperationException("There is no interval before the first record or IsOver.");
        }

        if (!_open.Remove(_oldest, out var interval))
        {
            interval = new OpenInterval(_settings, _room);
        }

        var start = _oldest * _length;
        var devices = RecordRows.Devices(interval, _devices, _macs, _settings.Seed);
        _room.Flows -= interval.Flows.Count;
        _room.Devices -= interval.Devices.Count;
        var flows = RecordRows.Flows(interval);
        _devices.Expire(start + _length, _settings.DeviceSeconds * Second);
        var state = (own ?? new SensorState()) with
        {
            Packets = interval.Packets,
            Bytes = interval.Bytes,
            FlowsHeld = interval.Flows.Count,
            FlowsLimit = _settings.FlowsPerInterval,
            DevicesHeld = _devices.Count,
            DevicesLimit = _devices.Capacity,
            FlowsOmitted = interval.FlowsOmitted,
            DevicesEvicted = _devices.Evicted + interval.DevicesOmitted,
        };
        _devices.Evicted = 0;
        _oldest++;
        return new(_sequence++, start / Millisecond, _settings.IntervalLength, devices, flows, state);
    }

    /// <inheritdoc/>
    public void Dispose() => _devices.Dispose();

    // Not every exporter begins a record of both directions with the side that began (softflowd: with the smaller address).
    private static FlowRecord FromClient(FlowRecord record)
    {
        const int Begin = Layer4.Syn | Layer4.Acknowledgement;
        if ((record.ReversePackets ?? record.ReverseBytes) is null)
        {
            return record;
        }

        var (up, down) = ((record.TcpFlags & Begin) == Layer4.Syn, (record.ReverseTcpFlags & Begin) == Layer4.Syn);
        var (from, to) = (ServiceTable.IsServerPort((byte)record.Protocol, (ushort)record.SourcePort), ServiceTable.IsServerPort((byte)record.Protocol, (ushort)record.DestinationPort));
        return (up == down ? from && !to : down) ? record.Reverse() : record;
    }

    private static bool HasFailed(FlowRecord record)
    {
        if (record.Protocol != Layer4.Tcp || (record.TcpFlags & Layer4.Syn) == 0)
        {
            return false;
        }

        var acknowledged = (record.TcpFlags & Layer4.Acknowledgement) != 0;
        var answered = (record.ReverseTcpFlags & Layer4.Syn) != 0 && ((record.TcpFlags | record.ReverseTcpFlags) & Layer4.Reset) == 0;
        return record.ConnectionFailed ?? !(acknowledged || answered);
    }

    // Nothing that is known later changes the choice, so that both directions and all intervals of a flow get the same one.
    private static bool SenderIsClient(in FlowUpdate update, int direction, bool bothDirections)
    {
        var header = update.Header;
        if (bothDirections)
        {
            return !update.IsReverse;
        }

        if (header.Protocol == IpProtocol.Tcp && TcpTracking.IsBegin(header))
        {
            return true;
        }

        if (FlowKey.IsReply(header))
        {
            return false;
        }

        if ((header.Marks & (PacketMarks.Broadcast | PacketMarks.Multicast)) != 0)
        {
            return true;
        }

        var (from, to) = (ServiceTable.IsServerPort(header.Protocol, header.SourcePort), ServiceTable.IsServerPort(header.Protocol, header.DestinationPort));
        return from != to ? to
            : header.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 || (header.SourcePort != header.DestinationPort ? header.SourcePort > header.DestinationPort : direction == 0);
    }

    private long IndexOf(long now) => Math.Clamp(now, 0, long.MaxValue - (2 * _length)) / _length;

    private OpenInterval Open(long index)
    {
        if (!_open.TryGetValue(index, out var interval))
        {
            interval = new(_settings, _room);
            _open.Add(index, interval);
        }

        return interval;
    }

    // The device that sent, if it is one.
    private DeviceSum? Count(in FlowUpdate update, FlowRecord record)
    {
        var header = update.Header;
        var interval = Open(header.Timestamp / _length);
        Saturating.Add(ref interval.Packets, update.Packets);
        Saturating.Add(ref interval.Bytes, update.Bytes);
        var key = default(FlowKey);
        key.Read(header, _fragments, _settings.Seed);
        var bothDirections = (record.ReversePackets ?? record.ReverseBytes) is not null;
        var isClient = SenderIsClient(update, key.Direction, bothDirections);
        CountFlow(interval, key, update, record, isClient, isCertain: bothDirections || TcpTracking.IsBegin(header));

        var device = Sender(update) is { } sender ? interval.Device(sender, speaks: true) : null;
        if (device is not null)
        {
            CountSent(device, update, isClient);
        }

        if (Receiver(update) is { } receiver && interval.Device(receiver, speaks: false) is { } heard)
        {
            heard.Received.Add(update.Packets, update.Bytes, header.WireLength);
            Seen(heard, update);
            AddPeer(heard, header.Source, header.SourceMac, header.IpVersion);
        }

        return device;
    }

    private static void CountFlow(OpenInterval interval, in FlowKey key, in FlowUpdate update, FlowRecord record, bool isClient, bool isCertain)
    {
        var header = update.Header;
        var client = isClient ? key.Direction : 1 - key.Direction;
        if (interval.Flow(new(key.A, key.B, key.Word, key.Hash), client) is not { } flow)
        {
            return;
        }

        flow.Client = isCertain ? client : flow.Client;
        flow.First = Math.Min(flow.First, Math.Clamp(record.Start, 0, header.Timestamp));
        flow.Last = Math.Max(flow.Last, update.Last);
        var (from, to) = (header.SourceMac, header.DestinationMac);
        if (key.Direction == 0)
        {
            flow.FromA.Add(update.Packets, update.Bytes, header.WireLength);
        }
        else
        {
            flow.FromB.Add(update.Packets, update.Bytes, header.WireLength);
            (from, to) = (to, from);
        }

        flow.MacA = from == 0 ? flow.MacA : from;
        flow.MacB = to == 0 ? flow.MacB : to;
        if (header.Protocol == IpProtocol.Tcp)
        {
            flow.Syns += isClient && (header.TcpFlags & Layer4.Syn) != 0 ? 1u : 0;
            flow.SynAcks += !isClient && (header.TcpFlags & Layer4.Syn) != 0 ? 1u : 0;
            flow.Fins += (header.TcpFlags & Layer4.Fin) != 0 ? 1u : 0;
            flow.Resets += (header.TcpFlags & Layer4.Reset) != 0 ? 1u : 0;
        }
    }

    private void CountSent(DeviceSum device, in FlowUpdate update, bool isClient)
    {
        var header = update.Header;
        device.Sent.Add(update.Packets, update.Bytes, header.WireLength);
        Seen(device, update);
        if ((header.Marks & PacketMarks.Broadcast) != 0)
        {
            Saturating.Add(ref device.Broadcasts, update.Packets);
        }
        else if ((header.Marks & PacketMarks.Multicast) != 0)
        {
            Saturating.Add(ref device.Multicasts, update.Packets);
        }
        else
        {
            AddPeer(device, header.Destination, header.DestinationMac, header.IpVersion);
        }

        if (header.Protocol == IpProtocol.Udp && Accounts.IsDhcp(header.DestinationPort) && (header.IpVersion != 4 || header.WireLength >= SmallestDhcp))
        {
            Saturating.Add(ref device.Dhcp, update.Packets);
        }

        if (isClient && (header.Marks & PacketMarks.HasPorts) != 0)
        {
            device.Ports.Add(_devices.HashOf(header.Protocol, header.DestinationPort));
            device.Begun += header.Protocol == IpProtocol.Tcp && (header.TcpFlags & Layer4.Syn) != 0 ? 1 : 0;
        }
    }

    private static void Seen(DeviceSum device, in FlowUpdate update)
    {
        device.First = Math.Min(device.First, update.Header.Timestamp);
        device.Last = Math.Max(device.Last, update.Last);
    }

    private DeviceId? Sender(in FlowUpdate update)
    {
        var header = update.Header;
        var number = _devices.Sender(header);
        var entry = _devices.Entries + number;
        if (number == 0 || (entry->Mac == 0 && entry->Behind.IsNone))
        {
            return null;
        }

        entry->SentLast = Math.Max(entry->SentLast, update.Last);
        if (header.IpVersion != 0 && entry->Mac != 0 && entry->Behind.IsNone && _devices.IsLocal(header.Source))
        {
            if (_macs.Count >= _devices.Capacity)
            {
                _macs.Clear();
            }

            _macs[header.Source] = entry->Mac;
        }

        return DeviceId.Of(entry->Mac, entry->Behind, _settings.Seed);
    }

    private DeviceId? Receiver(in FlowUpdate update)
    {
        var header = update.Header;
        if (header.DestinationMac == 0)
        {
            // Whether it is a device is seen when it sends.
            return LocalNetworks.IsGroupOrNone(header.Destination) || !_devices.IsLocal(header.Destination) ? null
                : _macs.TryGetValue(header.Destination, out var mac) ? DeviceId.Of(mac, default, _settings.Seed)
                : DeviceId.Of(0, header.Destination, _settings.Seed);
        }

        var number = _devices.Receiver(header);
        var entry = _devices.Entries + number;
        if (number == 0)
        {
            return null;
        }

        entry->ReceivedLast = Math.Max(entry->ReceivedLast, update.Last);
        return DeviceId.Of(entry->Mac, entry->Behind, _settings.Seed);
    }

    private void AddPeer(DeviceSum device, in NetAddress address, ulong mac, byte ipVersion)
    {
        if (ipVersion == 0)
        {
            device.PeersLocal.Add(_devices.HashOf(mac, ulong.MaxValue));
        }
        else if (LocalNetworks.IsGroupOrNone(address))
        {
            return;
        }
        else if (_devices.IsLocal(address))
        {
            device.PeersLocal.Add(_devices.HashOf(address.High, address.Low));
        }
        else
        {
            device.PeersBeyond.Add(_devices.HashOf(address.High, address.Low));
        }
    }

    private sealed class SeededAddresses(ulong seed) : IEqualityComparer<NetAddress>
    {
        public bool Equals(NetAddress x, NetAddress y) => x == y;

        public int GetHashCode(NetAddress address) => (int)(Hash.Of(seed, address.High, address.Low, 2) >> 32);
    }
}
