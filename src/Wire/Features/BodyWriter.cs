using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Sekisho.Wire.Bytes;

namespace Sekisho.Wire.Features;

/// <summary>Writes the body of an interval; its layout stands at <see cref="IntervalCodec"/>. One use each.</summary>
internal sealed class BodyWriter(ByteWriter to)
{
    internal const double CpuParts = 10_000;
    internal const double OffsetParts = 1_000;

    private const int TallyColumns = 2 + 3 + 3;
    private const int DeviceColumns = 6 + (2 * TallyColumns) + 12;
    private const int NameColumns = 4;
    private const int FlowColumns = NameColumns + 7 + (2 * TallyColumns) + 6;
    private const int SmallestColumn = 64;

    private readonly ByteWriter _to = to;
    private readonly NameList<ulong> _macs = new();
    private readonly NameList<NetAddress> _addresses = new();
    private readonly Dictionary<string, int> _services = [];
    private string? _lastService;
    private int _lastPlace;

    public static void Write(IntervalFeatures interval, ByteWriter to)
    {
        var writer = new BodyWriter(to);
        using var flows = new Columns(FlowColumns);
        var names = writer.Flows(flows, interval.Flows, interval.Start);
        writer._to.Count(interval.Sequence);
        writer._to.Count(interval.Start);
        writer._to.Count(interval.Length);
        writer.State(interval.State);
        writer.Names(interval.Devices);
        writer.Devices(interval.Devices, interval.Start);
        writer.Flows(flows, names);
    }

    private void State(SensorState state)
    {
        _to.Count((long)Math.Round(state.Cpu * CpuParts));
        foreach (var value in (ReadOnlySpan<long>)[
            state.Memory, state.Packets, state.Bytes, state.KernelDrops, state.Malformed, state.Truncated, state.Unknown, state.FlowsHeld, state.FlowsLimit,
            state.DevicesHeld, state.DevicesLimit, state.FlowsEvicted, state.FlowsOmitted, state.DevicesEvicted, state.UplinkBytes, state.Waiting, state.Lost])
        {
            _to.Count(value);
        }

        _to.Byte(state.ClockOffset is null ? (byte)0 : (byte)1);
        if (state.ClockOffset is { } offset)
        {
            _to.Signed((long)Math.Round(offset * OffsetParts));
        }
    }

    // After the flows, whose names are in the lists by then.
    private void Names(IReadOnlyList<DeviceFeatures> devices)
    {
        foreach (var device in devices)
        {
            _macs.Add(device.Mac);
            _addresses.Add(device.BehindRouter);
            foreach (var address in device.Addresses)
            {
                _addresses.Add(address);
            }
        }

        var macs = _macs.Sort();
        _to.Count(macs.Count);
        ulong before = 0;
        foreach (var mac in macs)
        {
            _macs.Place(mac);
            _to.Number(mac - before);
            before = mac;
        }

        // "No address" is in every list and comes before all others.
        _addresses.Add(default);
        var addresses = _addresses.Sort();
        _addresses.Place(default);
        var fours = addresses.Count(a => a.IsIPv4);
        _to.Count(fours);
        before = 0;
        foreach (var address in addresses.Where(a => a.IsIPv4))
        {
            _addresses.Place(address);
            _to.Number((uint)address.Low - before);
            before = (uint)address.Low;
        }

        _to.Count(addresses.Count - 1 - fours);
        Span<byte> bytes = stackalloc byte[16];
        foreach (var address in addresses.Where(a => !a.IsIPv4 && !a.IsNone))
        {
            _addresses.Place(address);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, address.High);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], address.Low);
            _to.Raw(bytes);
        }

        _to.Count(_services.Count);
        foreach (var service in _services.Keys)
        {
            var text = Encoding.ASCII.GetBytes(service);
            _to.Count(text.Length);
            _to.Raw(text);
        }
    }

    // Rows are walked once, for a row may be made each time it is asked for; each column grows in a writer of its own.
    private void Devices(IReadOnlyList<DeviceFeatures> devices, long start)
    {
        _to.Count(devices.Count);
        using var columns = new Columns(DeviceColumns);
        foreach (var device in devices)
        {
            columns.Begin();
            columns.Count(_macs.PlaceOf(device.Mac));
            columns.Count(_addresses.PlaceOf(device.BehindRouter));
            columns.Count(device.Addresses.Count <= IntervalCodec.MostAddresses ? device.Addresses.Count : throw new ArgumentException($"A device has at most {IntervalCodec.MostAddresses} addresses."));
            var addresses = columns.Next();
            foreach (var address in device.Addresses)
            {
                addresses.Count(_addresses.PlaceOf(address));
            }

            columns.Signed(device.FirstSeen - start);
            columns.Signed(device.LastSeen - start);
            columns.Tally(device.Sent);
            columns.Tally(device.Received);
            columns.Count(device.Broadcasts);
            columns.Count(device.Multicasts);
            columns.Count(device.ArpRequests);
            columns.Count(device.ArpReplies);
            columns.Count(device.ArpAnnouncements);
            columns.Count(device.DhcpExchanges);
            columns.Count(device.ConnectionsBegun);
            columns.Count(device.ConnectionsFailed);
            columns.Count(device.Retransmissions);
            columns.Count(device.PeersLocal);
            columns.Count(device.PeersBeyond);
            columns.Count(device.PortsCalled);
        }

        columns.WriteTo(_to);
    }

    // Names are not known by their places before all were seen: their columns are filled afterwards.
    private FlowNames[] Flows(Columns columns, IReadOnlyList<FlowFeatures> flows, long start)
    {
        var names = new FlowNames[flows.Count];
        var row = 0;
        foreach (var flow in flows)
        {
            names[row++] = new FlowNames(_macs.Add(flow.ClientMac), _macs.Add(flow.ServerMac), _addresses.Add(flow.Client), _addresses.Add(flow.Server));
            columns.Begin(NameColumns);
            columns.Count(flow.EtherType);
            columns.Count(flow.Protocol);
            columns.Count(flow.ClientPort);
            columns.Count(flow.ServerPort);
            columns.Count(Service(flow.Service));
            columns.Signed(flow.FirstSeen - start);
            columns.Signed(flow.LastSeen - start);
            columns.Tally(flow.Up);
            columns.Tally(flow.Down);
            columns.Count(flow.Syns);
            columns.Count(flow.SynAcks);
            columns.Count(flow.Fins);
            columns.Count(flow.Resets);
            columns.Count(flow.RetransmissionsUp);
            columns.Count(flow.RetransmissionsDown);
        }

        return names;
    }

    private void Flows(Columns columns, FlowNames[] names)
    {
        _to.Count(names.Length);
        foreach (var name in names)
        {
            columns.Begin();
            columns.Count(_macs.PlaceOf(name.ClientMac));
            columns.Count(_macs.PlaceOf(name.ServerMac));
            columns.Count(_addresses.PlaceOf(name.Client));
            columns.Count(_addresses.PlaceOf(name.Server));
        }

        columns.WriteTo(_to);
    }

    private int Service(string service)
    {
        // Neighbours are often alike, and names come from one list.
        if (!ReferenceEquals(service, _lastService))
        {
            _lastPlace = PlaceOf(service);
            _lastService = service;
        }

        return _lastPlace;
    }

    private int PlaceOf(string service)
    {
        if (_services.TryGetValue(service, out var place))
        {
            return place;
        }

        if (service.Length > IntervalCodec.LongestService || service.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException($"A service's name has at most {IntervalCodec.LongestService} characters, visible ones of ASCII.");
        }

        _services.Add(service, _services.Count);
        return _services.Count - 1;
    }

    /// <summary>Names of a flow, as they came into their lists.</summary>
    private readonly record struct FlowNames(int ClientMac, int ServerMac, int Client, int Server);

    /// <summary>Different values, numbered as they come, and then by the places where they are written.</summary>
    private sealed class NameList<T>
        where T : struct, IEquatable<T>
    {
        private readonly Dictionary<T, int> _numbers = [];
        private int[] _places = [];
        private int _placed;

        public int Add(T value)
        {
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(_numbers, value, out var known);
            if (!known)
            {
                number = _numbers.Count - 1;
            }

            return number;
        }

        /// <summary>All values in their order; from then on no other may be added.</summary>
        public List<T> Sort()
        {
            List<T> values = [.. _numbers.Keys];
            values.Sort();
            _places = new int[values.Count];
            return values;
        }

        /// <summary>The next place is this value's.</summary>
        public void Place(T value) => _places[_numbers[value]] = _placed++;

        public int PlaceOf(int number) => _places[number];

        public int PlaceOf(T value) => _places[_numbers[value]];
    }

    /// <summary>The columns of a list of rows, written side by side.</summary>
    private sealed class Columns : IDisposable
    {
        private readonly ByteWriter[] _writers;
        private int _next;

        public Columns(int count) => _writers = [.. Enumerable.Range(0, count).Select(_ => new ByteWriter(SmallestColumn))];

        public void Begin(int column = 0) => _next = column;

        public ByteWriter Next() => _writers[_next++];

        public void Count(long value) => Next().Count(value);

        public void Signed(long value) => Next().Signed(value);

        public void Tally(Tally tally)
        {
            Count(tally.Packets);
            Count(tally.Bytes);
            Histogram(tally.Packets, tally.Sizes);
            Histogram(tally.Packets, tally.Gaps);
        }

        public void Dispose()
        {
            foreach (var writer in _writers)
            {
                writer.Dispose();
            }
        }

        public void WriteTo(ByteWriter to)
        {
            to.Reserve(_writers.Sum(w => w.Written.Length));
            foreach (var writer in _writers)
            {
                to.Raw(writer.Written);
            }
        }

        private void Histogram(long packets, IReadOnlyList<uint> classes)
        {
            ReadOnlySpan<uint> values = classes as uint[] ?? [.. classes];
            if (values.Length != 8)
            {
                throw new ArgumentException("A histogram has 8 classes.");
            }

            var filled = 0;
            var left = packets;
            for (var i = 0; i < values.Length; i++)
            {
                filled |= values[i] == 0 ? 0 : 1 << i;
                left -= values[i];
            }

            Next().Byte((byte)filled);
            Next().Signed(left);
            var to = Next();
            for (; (filled & (filled - 1)) != 0; filled &= filled - 1)
            {
                to.Number(values[BitOperations.TrailingZeroCount(filled)]);
            }
        }
    }
}
