using Sekisho.Wire.Features;

namespace Sekisho.Wire.Tests;

/// <summary>A production line as it looks to a sensor: 108 devices with 8 flows each, most of them to one server, the rest among themselves.</summary>
internal static class Factory
{
    public const int Devices = 108;
    public const int FlowsEach = 8;
    private const long Start = 1_795_752_000_000;

    private static readonly (string Name, int Port, int Protocol)[] Known =
        [("modbus", 502, 6), ("slmp", 5007, 6), ("echonet-lite", 3610, 17), ("bacnet", 47808, 17), ("mqtt", 1883, 6), ("opc-ua", 4840, 6), ("ntp", 123, 17), ("dns", 53, 17), ("https", 443, 6), ("", 20_000, 17)];

    /// <summary>One interval of 10 s in which the line sends so many bits each second.</summary>
    public static IntervalFeatures Interval(long sequence, double bitsPerSecond, int seed = 1)
    {
        var random = new Random(seed + (int)sequence);
        var fixedParts = new Random(seed);
        var bytesPerFlow = bitsPerSecond * 10 / 8 / (Devices * FlowsEach);
        var start = Start + (sequence * 10_000);
        var macs = Enumerable.Range(0, Devices).Select(i => 0x0080_9200_0000UL + (ulong)((i % 5) << 24) + (ulong)fixedParts.Next(1 << 24)).ToArray();
        var addresses = Enumerable.Range(0, Devices).Select(i => NetAddress.FromIPv4(0xC0A8_0A00u + (uint)i + 10)).ToArray();
        var server = (Mac: 0x0011_2233_4455UL, Address: NetAddress.FromIPv4(0xC0A8_0A02u));
        var flows = new List<FlowFeatures>();
        var devices = new List<DeviceFeatures>();
        for (var i = 0; i < Devices; i++)
        {
            var sent = new List<Tally>();
            var received = new List<Tally>();
            for (var j = 0; j < FlowsEach; j++)
            {
                var service = Known[(i + j) % Known.Length];
                var toServer = j < 5;
                var peer = (i + j + 1) % Devices;
                var born = Start - fixedParts.Next(1, 80_000_000);
                var clientPort = fixedParts.Next(32_768, 60_999);
                // Exponential: some flows carry much, many next to nothing, and some are quiet in this interval.
                var bytes = -Math.Log(1 - random.NextDouble()) * bytesPerFlow;
                if (bytes < 40)
                {
                    continue;
                }

                var (up, down) = (Share(random, bytes * 0.6), Share(random, bytes * 0.4));
                sent.Add(up);
                received.Add(down);
                flows.Add(new FlowFeatures
                {
                    ClientMac = macs[i],
                    ServerMac = toServer ? server.Mac : macs[peer],
                    Client = addresses[i],
                    Server = toServer ? server.Address : addresses[peer],
                    EtherType = 0x0800,
                    Protocol = service.Protocol,
                    ClientPort = clientPort,
                    ServerPort = service.Port,
                    Service = service.Name,
                    FirstSeen = born,
                    LastSeen = start + random.Next(5_000, 10_000),
                    Up = up,
                    Down = down,
                    RetransmissionsUp = random.Next(50) == 0 ? 1u : 0,
                });
            }

            devices.Add(new DeviceFeatures
            {
                Mac = macs[i],
                Addresses = [addresses[i]],
                FirstSeen = Start - fixedParts.Next(1, 80_000_000),
                LastSeen = start + random.Next(8_000, 10_000),
                Sent = Sum(sent),
                Received = Sum(received),
                Broadcasts = random.Next(3),
                ArpRequests = random.Next(2),
                ArpReplies = random.Next(2),
                PeersLocal = 4,
                PortsCalled = FlowsEach,
            });
        }

        return new IntervalFeatures(sequence, start, 10_000, [.. devices.OrderBy(d => d.Mac)], flows, State());
    }

    public static SensorState State() => new()
    {
        Cpu = 0.0125,
        Memory = 41 << 20,
        Packets = 12_345,
        Bytes = 1_234_567,
        KernelDrops = 1,
        Malformed = 2,
        Truncated = 3,
        Unknown = 4,
        FlowsHeld = 864,
        FlowsLimit = 65_536,
        DevicesHeld = 108,
        DevicesLimit = 4_096,
        FlowsEvicted = 5,
        FlowsOmitted = 9,
        DevicesEvicted = 6,
        UplinkBytes = 10_240,
        Waiting = 7,
        Lost = 8,
        ClockOffset = -1.5,
    };

    private static Tally Share(Random random, double bytes)
    {
        var sizes = new uint[8];
        var gaps = new uint[8];
        long packets = 0;
        long total = 0;
        while (total < bytes)
        {
            var size = random.Next(4) == 0 ? random.Next(300, 1514) : random.Next(60, 140);
            total += size;
            packets++;
            sizes[Class(Tally.SizeBounds.Select(b => (long)b), size)]++;
            if (packets > 1)
            {
                gaps[Class(Tally.GapBounds, random.Next(3) == 0 ? random.Next(1_000, 9_000) : random.Next(200_000, 2_000_000))]++;
            }
        }

        return new Tally { Packets = packets, Bytes = total, Sizes = sizes, Gaps = gaps };
    }

    private static int Class(IEnumerable<long> bounds, long value) => bounds.TakeWhile(b => value > b).Count();

    private static Tally Sum(List<Tally> tallies) => new()
    {
        Packets = tallies.Sum(t => t.Packets),
        Bytes = tallies.Sum(t => t.Bytes),
        Sizes = [.. Enumerable.Range(0, 8).Select(i => (uint)tallies.Sum(t => t.Sizes[i]))],
        Gaps = [.. Enumerable.Range(0, 8).Select(i => (uint)tallies.Sum(t => t.Gaps[i]))],
    };
}
