using System.Numerics;
using System.Text;
using Sekisho.Wire.Bytes;

namespace Sekisho.Wire.Features;

/// <summary>Reads the body of an interval; its layout stands at <see cref="IntervalCodec"/>.</summary>
internal static class BodyReader
{
    // Bytes that a device or a flow takes at least: one for each of its columns.
    private const int LeastTally = 2 + 2 + 2;
    private const int LeastDevice = 5 + (2 * LeastTally) + 12;
    private const int LeastFlow = 11 + (2 * LeastTally) + 6;

    /// <summary>The interval, or null and what is wrong.</summary>
    public static IntervalFeatures? Read(ReadOnlySpan<byte> body, WireLimits limits, out string? fault)
    {
        var reader = new ByteReader(body);
        var sequence = reader.Count();
        var start = reader.Count();
        var length = reader.Small(int.MaxValue);
        var state = State(ref reader);
        var names = Names.Read(ref reader);
        var devices = Devices(ref reader, limits.Devices, start, names);
        var flows = Flows(ref reader, limits.Flows, start, names);
        if (reader.Left > 0)
        {
            reader.Fail("bytes follow the last flow");
        }

        fault = reader.Fault;
        return fault is null ? new IntervalFeatures(sequence, start, length, devices, flows, state) : null;
    }

    private static SensorState State(ref ByteReader reader) => new()
    {
        Cpu = reader.Count() / BodyWriter.CpuParts,
        Memory = reader.Count(),
        Packets = reader.Count(),
        Bytes = reader.Count(),
        KernelDrops = reader.Count(),
        Malformed = reader.Count(),
        Truncated = reader.Count(),
        Unknown = reader.Count(),
        FlowsHeld = reader.Small(int.MaxValue),
        FlowsLimit = reader.Small(int.MaxValue),
        DevicesHeld = reader.Small(int.MaxValue),
        DevicesLimit = reader.Small(int.MaxValue),
        FlowsEvicted = reader.Count(),
        FlowsOmitted = reader.Count(),
        DevicesEvicted = reader.Count(),
        UplinkBytes = reader.Count(),
        Waiting = reader.Small(int.MaxValue),
        Lost = reader.Count(),
        ClockOffset = reader.Byte() switch
        {
            0 => null,
            1 => reader.Signed() / BodyWriter.OffsetParts,
            _ => Wrong(ref reader),
        },
    };

    private static double? Wrong(ref ByteReader reader)
    {
        reader.Fail("the clock's offset is neither there nor absent");
        return null;
    }

    private static DeviceFeatures[] Devices(ref ByteReader reader, int most, long start, Names names)
    {
        var count = reader.Items(most, LeastDevice);
        var macs = names.Macs(ref reader, count);
        var behind = names.Addresses(ref reader, count);
        var addressCounts = Column(ref reader, count, IntervalCodec.MostAddresses);
        var addresses = new NetAddress[count][];
        for (var i = 0; i < count; i++)
        {
            addresses[i] = names.Addresses(ref reader, (int)addressCounts[i]);
        }

        var first = Times(ref reader, count, start);
        var last = Times(ref reader, count, start);
        var sent = Tallies(ref reader, count);
        var received = Tallies(ref reader, count);
        var counts = new long[9][];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = Column(ref reader, count, long.MaxValue);
        }

        var peersLocal = Column(ref reader, count, int.MaxValue);
        var peersBeyond = Column(ref reader, count, int.MaxValue);
        var ports = Column(ref reader, count, int.MaxValue);
        if (reader.Fault is not null)
        {
            return [];
        }

        var devices = new DeviceFeatures[count];
        for (var i = 0; i < count; i++)
        {
            devices[i] = new DeviceFeatures
            {
                Mac = macs[i],
                BehindRouter = behind[i],
                Addresses = addresses[i],
                FirstSeen = first[i],
                LastSeen = last[i],
                Sent = sent[i],
                Received = received[i],
                Broadcasts = counts[0][i],
                Multicasts = counts[1][i],
                ArpRequests = counts[2][i],
                ArpReplies = counts[3][i],
                ArpAnnouncements = counts[4][i],
                DhcpExchanges = counts[5][i],
                ConnectionsBegun = counts[6][i],
                ConnectionsFailed = counts[7][i],
                Retransmissions = counts[8][i],
                PeersLocal = (int)peersLocal[i],
                PeersBeyond = (int)peersBeyond[i],
                PortsCalled = (int)ports[i],
            };
        }

        return devices;
    }

    private static FlowFeatures[] Flows(ref ByteReader reader, int most, long start, Names names)
    {
        var count = reader.Items(most, LeastFlow);
        var clientMacs = names.Macs(ref reader, count);
        var serverMacs = names.Macs(ref reader, count);
        var clients = names.Addresses(ref reader, count);
        var servers = names.Addresses(ref reader, count);
        var etherTypes = Column(ref reader, count, ushort.MaxValue);
        var protocols = Column(ref reader, count, byte.MaxValue);
        var clientPorts = Column(ref reader, count, ushort.MaxValue);
        var serverPorts = Column(ref reader, count, ushort.MaxValue);
        var services = names.Services(ref reader, count);
        var first = Times(ref reader, count, start);
        var last = Times(ref reader, count, start);
        var up = Tallies(ref reader, count);
        var down = Tallies(ref reader, count);
        var counts = new long[6][];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = Column(ref reader, count, uint.MaxValue);
        }

        if (reader.Fault is not null)
        {
            return [];
        }

        var flows = new FlowFeatures[count];
        for (var i = 0; i < count; i++)
        {
            flows[i] = new FlowFeatures
            {
                ClientMac = clientMacs[i],
                ServerMac = serverMacs[i],
                Client = clients[i],
                Server = servers[i],
                EtherType = (int)etherTypes[i],
                Protocol = (int)protocols[i],
                ClientPort = (int)clientPorts[i],
                ServerPort = (int)serverPorts[i],
                Service = services[i],
                FirstSeen = first[i],
                LastSeen = last[i],
                Up = up[i],
                Down = down[i],
                Syns = (uint)counts[0][i],
                SynAcks = (uint)counts[1][i],
                Fins = (uint)counts[2][i],
                Resets = (uint)counts[3][i],
                RetransmissionsUp = (uint)counts[4][i],
                RetransmissionsDown = (uint)counts[5][i],
            };
        }

        return flows;
    }

    private static Tally[] Tallies(ref ByteReader reader, int count)
    {
        var packets = Column(ref reader, count, long.MaxValue);
        var bytes = Column(ref reader, count, long.MaxValue);
        var sizes = Histograms(ref reader, packets);
        var gaps = Histograms(ref reader, packets);
        var tallies = new Tally[count];
        for (var i = 0; i < count; i++)
        {
            tallies[i] = new Tally { Packets = packets[i], Bytes = bytes[i], Sizes = sizes[i], Gaps = gaps[i] };
        }

        return tallies;
    }

    private static uint[][] Histograms(ref ByteReader reader, long[] packets)
    {
        var filled = reader.Raw(packets.Length);
        var histograms = new uint[packets.Length][];
        var lefts = new long[packets.Length];
        for (var i = 0; i < packets.Length; i++)
        {
            histograms[i] = new uint[8];
            lefts[i] = unchecked(packets[i] - reader.Signed());
        }

        for (var i = 0; i < filled.Length; i++)
        {
            for (int classes = filled[i]; classes != 0 && reader.Fault is null; classes &= classes - 1)
            {
                var isLast = (classes & (classes - 1)) == 0;
                var value = isLast ? lefts[i] : reader.Count(uint.MaxValue);
                if (value is < 1 or > uint.MaxValue)
                {
                    reader.Fail("a histogram does not add up");
                    break;
                }

                histograms[i][BitOperations.TrailingZeroCount(classes)] = (uint)value;
                lefts[i] -= value;
            }

            if (lefts[i] != 0)
            {
                reader.Fail("a histogram does not add up");
            }
        }

        return histograms;
    }

    private static long[] Column(ref ByteReader reader, int count, long most)
    {
        var values = new long[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = reader.Count(most);
        }

        return values;
    }

    private static long[] Times(ref ByteReader reader, int count, long start)
    {
        var values = new long[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = unchecked(start + reader.Signed());
            if (values[i] < 0)
            {
                reader.Fail("a time lies before 1970");
            }
        }

        return values;
    }

    /// <summary>The lists that devices and flows name things by.</summary>
    private readonly struct Names(ulong[] macs, NetAddress[] addresses, string[] services)
    {
        public static Names Read(ref ByteReader reader)
        {
            var macs = new ulong[reader.Items(int.MaxValue, leastBytes: 1)];
            ulong before = 0;
            for (var i = 0; i < macs.Length; i++)
            {
                macs[i] = before = unchecked(before + reader.Number());
            }

            var addresses = new List<NetAddress> { default };
            var count = reader.Items(int.MaxValue, leastBytes: 1);
            before = 0;
            for (var i = 0; i < count; i++)
            {
                before = unchecked(before + reader.Number());
                if (before > uint.MaxValue)
                {
                    reader.Fail("an IPv4 address has more than 32 bits");
                    break;
                }

                addresses.Add(NetAddress.FromIPv4((uint)before));
            }

            count = reader.Items(int.MaxValue, leastBytes: 16);
            for (var i = 0; i < count; i++)
            {
                var bytes = reader.Raw(16);
                addresses.Add(bytes.Length == 16 ? NetAddress.FromIPv6(bytes) : default);
            }

            var services = new string[reader.Items(int.MaxValue, leastBytes: 1)];
            for (var i = 0; i < services.Length; i++)
            {
                var name = reader.Raw(reader.Small(IntervalCodec.LongestService));
                services[i] = Encoding.ASCII.GetString(name);
                if (name.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
                {
                    reader.Fail("a service's name has other characters than the visible ones of ASCII");
                }
            }

            return new Names(macs, [.. addresses], services);
        }

        public ulong[] Macs(ref ByteReader reader, int count) => Chosen(ref reader, count, macs);

        public NetAddress[] Addresses(ref ByteReader reader, int count) => Chosen(ref reader, count, addresses);

        public string[] Services(ref ByteReader reader, int count) => Chosen(ref reader, count, services);

        private static T[] Chosen<T>(ref ByteReader reader, int count, T[] from)
        {
            var values = new T[count];
            for (var i = 0; i < count; i++)
            {
                var place = (long)reader.Number();
                if (place < 0 || place >= from.Length)
                {
                    reader.Fail("something is named that is not in its list");
                    break;
                }

                values[i] = from[place];
            }

            return values;
        }
    }
}
