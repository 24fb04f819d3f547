using System.Numerics;
using System.Text;
using Sekisho.Wire.Bytes;

namespace Sekisho.Wire.Features;

/// <summary>Writes the body of an interval; its layout stands at <see cref="IntervalCodec"/>. One use each.</summary>
internal sealed class BodyWriter
{
    internal const double CpuParts = 10_000;
    internal const double OffsetParts = 1_000;

    private readonly ByteWriter _to = new();
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
        var macs = new SortedSet<ulong>(interval.Devices.Select(d => d.Mac));
        var addresses = new SortedSet<NetAddress>(interval.Devices.SelectMany(d => d.Addresses.Append(d.BehindRouter)));
        foreach (var flow in interval.Flows)
        {
            macs.Add(flow.ClientMac);
            macs.Add(flow.ServerMac);
            addresses.Add(flow.Client);
            addresses.Add(flow.Server);
            if (_services.TryAdd(flow.Service, _services.Count) && (flow.Service.Length > IntervalCodec.LongestService || flow.Service.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            {
                throw new ArgumentException($"A service's name has at most {IntervalCodec.LongestService} characters, visible ones of ASCII.", nameof(interval));
            }
        }

        addresses.Remove(default);
        _to.Count(macs.Count);
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

        _to.Count(addresses.Count - _addresses.Count);
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

    private void Devices(IReadOnlyList<DeviceFeatures> devices, long start)
    {
        _to.Count(devices.Count);
        Column(devices, d => _macs[d.Mac]);
        Column(devices, d => _addresses[d.BehindRouter]);
        Column(devices, d => d.Addresses.Count <= IntervalCodec.MostAddresses ? d.Addresses.Count : throw new ArgumentException($"A device has at most {IntervalCodec.MostAddresses} addresses."));
        foreach (var device in devices)
        {
            foreach (var address in device.Addresses)
            {
                _to.Count(_addresses[address]);
            }
        }

        Times(devices, d => d.FirstSeen - start);
        Times(devices, d => d.LastSeen - start);
        Tallies([.. devices.Select(d => d.Sent)]);
        Tallies([.. devices.Select(d => d.Received)]);
        Column(devices, d => d.Broadcasts);
        Column(devices, d => d.Multicasts);
        Column(devices, d => d.ArpRequests);
        Column(devices, d => d.ArpReplies);
        Column(devices, d => d.ArpAnnouncements);
        Column(devices, d => d.DhcpExchanges);
        Column(devices, d => d.ConnectionsBegun);
        Column(devices, d => d.ConnectionsFailed);
        Column(devices, d => d.Retransmissions);
        Column(devices, d => d.PeersLocal);
        Column(devices, d => d.PeersBeyond);
        Column(devices, d => d.PortsCalled);
    }

    private void Flows(IReadOnlyList<FlowFeatures> flows, long start)
    {
        _to.Count(flows.Count);
        Column(flows, f => _macs[f.ClientMac]);
        Column(flows, f => _macs[f.ServerMac]);
        Column(flows, f => _addresses[f.Client]);
        Column(flows, f => _addresses[f.Server]);
        Column(flows, f => f.EtherType);
        Column(flows, f => f.Protocol);
        Column(flows, f => f.ClientPort);
        Column(flows, f => f.ServerPort);
        Column(flows, f => _services[f.Service]);
        Times(flows, f => f.FirstSeen - start);
        Times(flows, f => f.LastSeen - start);
        Tallies([.. flows.Select(f => f.Up)]);
        Tallies([.. flows.Select(f => f.Down)]);
        Column(flows, f => f.Syns);
        Column(flows, f => f.SynAcks);
        Column(flows, f => f.Fins);
        Column(flows, f => f.Resets);
        Column(flows, f => f.RetransmissionsUp);
        Column(flows, f => f.RetransmissionsDown);
    }

    private void Tallies(Tally[] tallies)
    {
        Column(tallies, t => t.Packets);
        Column(tallies, t => t.Bytes);
        Histograms(tallies, t => t.Sizes);
        Histograms(tallies, t => t.Gaps);
    }

    private void Histograms(Tally[] tallies, Func<Tally, IReadOnlyList<uint>> classes)
    {
        foreach (var tally in tallies)
        {
            _to.Byte(Filled(classes(tally)));
        }

        Times(tallies, t => t.Packets - classes(t).Sum(c => (long)c));
        foreach (var tally in tallies)
        {
            var values = classes(tally);
            for (int filled = Filled(values); BitOperations.PopCount((uint)filled) > 1; filled &= filled - 1)
            {
                _to.Number(values[BitOperations.TrailingZeroCount(filled)]);
            }
        }
    }

    private static byte Filled(IReadOnlyList<uint> classes)
    {
        if (classes.Count != 8)
        {
            throw new ArgumentException("A histogram has 8 classes.");
        }

        var filled = 0;
        for (var i = 0; i < 8; i++)
        {
            filled |= classes[i] == 0 ? 0 : 1 << i;
        }

        return (byte)filled;
    }

    private void Column<T>(IReadOnlyList<T> rows, Func<T, long> value)
    {
        foreach (var row in rows)
        {
            _to.Count(value(row));
        }
    }

    private void Times<T>(IReadOnlyList<T> rows, Func<T, long> value)
    {
        foreach (var row in rows)
        {
            _to.Signed(value(row));
        }
    }
}
