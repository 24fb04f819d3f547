using System.Numerics;
using System.Text;
using Sekisho.Wire.Bytes;

namespace Sekisho.Wire.Features;

/// <summary>Writes the body of an interval; its layout stands at <see cref="IntervalCodec"/>. One use each.</summary>
internal sealed class BodyWriter
{
    internal const double CpuParts = 10_000;
    internal const double OffsetParts = 1_000;

    private const int TallyColumns = 2 + 3 + 3;
    private const int DeviceColumns = 6 + (2 * TallyColumns) + 12;
    private const int FlowColumns = 11 + (2 * TallyColumns) + 6;
    private const int SmallestColumn = 64;

    private readonly ByteWriter _to = new(16 * 1024);
    private readonly Dictionary<ulong, int> _macs = [];
    private readonly Dictionary<NetAddress, int> _addresses = [];
    private readonly Dictionary<string, int> _services = [];

    public static byte[] Write(IntervalFeatures interval)
    {
        var writer = new BodyWriter();
        writer._to.Count(interval.Sequence);
        writer._to.Count(interval.Start);
        writer._to.Count(interval.Length);
        writer.State(interval.State);
        writer.Names(interval);
        writer.Devices(interval.Devices, interval.Start);
        writer.Flows(interval.Flows, interval.Start);
        return writer._to.Written.ToArray();
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

    private void Names(IntervalFeatures interval)
    {
        var macSet = new HashSet<ulong>(interval.Devices.Select(d => d.Mac));
        var addressSet = new HashSet<NetAddress>(interval.Devices.SelectMany(d => d.Addresses.Append(d.BehindRouter)));
        foreach (var flow in interval.Flows)
        {
            macSet.Add(flow.ClientMac);
            macSet.Add(flow.ServerMac);
            addressSet.Add(flow.Client);
            addressSet.Add(flow.Server);
            if (_services.TryAdd(flow.Service, _services.Count) && (flow.Service.Length > IntervalCodec.LongestService || flow.Service.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            {
                throw new ArgumentException($"A service's name has at most {IntervalCodec.LongestService} characters, visible ones of ASCII.", nameof(interval));
            }
        }

        addressSet.Remove(default);
        var macs = Sorted(macSet);
        var addresses = Sorted(addressSet);
        _macs.EnsureCapacity(macs.Length);
        _addresses.EnsureCapacity(addresses.Length + 1);
        _to.Count(macs.Length);
        ulong before = 0;
        foreach (var mac in macs)
        {
            _macs.Add(mac, _macs.Count);
            _to.Number(mac - before);
            before = mac;
        }

        _to.Count(addresses.Count(a => a.IsIPv4));
        before = 0;
        foreach (var address in addresses.Where(a => a.IsIPv4))
        {
            _addresses.Add(address, _addresses.Count + 1);
            _to.Number((uint)address.Low - before);
            before = (uint)address.Low;
        }

        _to.Count(addresses.Length - _addresses.Count);
        Span<byte> bytes = stackalloc byte[16];
        foreach (var address in addresses.Where(a => !a.IsIPv4))
        {
            _addresses.Add(address, _addresses.Count + 1);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, address.High);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], address.Low);
            _to.Raw(bytes);
        }

        _addresses.Add(default, 0);
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
        var columns = new Columns(DeviceColumns);
        foreach (var device in devices)
        {
            columns.Begin();
            columns.Count(_macs[device.Mac]);
            columns.Count(_addresses[device.BehindRouter]);
            columns.Count(device.Addresses.Count <= IntervalCodec.MostAddresses ? device.Addresses.Count : throw new ArgumentException($"A device has at most {IntervalCodec.MostAddresses} addresses."));
            var addresses = columns.Next();
            foreach (var address in device.Addresses)
            {
                addresses.Count(_addresses[address]);
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

    private void Flows(IReadOnlyList<FlowFeatures> flows, long start)
    {
        _to.Count(flows.Count);
        var columns = new Columns(FlowColumns);
        foreach (var flow in flows)
        {
            columns.Begin();
            columns.Count(_macs[flow.ClientMac]);
            columns.Count(_macs[flow.ServerMac]);
            columns.Count(_addresses[flow.Client]);
            columns.Count(_addresses[flow.Server]);
            columns.Count(flow.EtherType);
            columns.Count(flow.Protocol);
            columns.Count(flow.ClientPort);
            columns.Count(flow.ServerPort);
            columns.Count(_services[flow.Service]);
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

        columns.WriteTo(_to);
    }

    private static T[] Sorted<T>(HashSet<T> set)
    {
        var values = new T[set.Count];
        set.CopyTo(values);
        Array.Sort(values);
        return values;
    }

    /// <summary>The columns of a list of rows, written side by side.</summary>
    private sealed class Columns
    {
        private readonly ByteWriter[] _writers;
        private int _next;

        public Columns(int count) => _writers = [.. Enumerable.Range(0, count).Select(_ => new ByteWriter(SmallestColumn))];

        public void Begin() => _next = 0;

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

        public void WriteTo(ByteWriter to)
        {
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
