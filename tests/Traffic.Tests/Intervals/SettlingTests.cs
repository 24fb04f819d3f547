using Sekisho.Tests.Support;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>What devices get from their flows at the end of an interval is what each packet would have given them.</summary>
public class SettlingTests(ITestOutputHelper output)
{
    private const int Macs = 6;

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void Devices_have_every_packet_whoever_moves_and_whichever_flow_is_put_out(int flowMemory)
    {
        var random = Fuzz.Source(760 + flowMemory);
        using var watch = new Watch(new ObservationSettings { FlowMemory = flowMemory, IntervalLength = 1000 });
        var expected = new Dictionary<(long Start, ulong Mac), (Counted Sent, Counted Received)>();
        var last = new Dictionary<(ulong Mac, bool Sent), long>();
        var time = Start;
        var packets = Fuzz.Rounds(40_000);
        for (var i = 0; i < packets; i++)
        {
            time += random.Next(4) == 0 ? random.Next(1, 40) * Millisecond : random.Next(1, 5000) * 1000L;

            // Everybody speaks first, for who was only written to is not told of. An address now stays at its MAC, now not; one direction may go another way than the other.
            var (from, to) = (i < Macs ? i : random.Next(Macs), random.Next(Macs));
            var sender = Host.Of(1 + from, $"10.0.0.{1 + (random.Next(3) == 0 ? random.Next(4) : from % 4)}");
            var receiver = random.Next(12) == 0 ? Host.Multicast("224.0.0.5") : Host.Of(1 + to, $"10.0.0.{1 + (random.Next(3) == 0 ? random.Next(4) : to % 4)}");
            var packet = random.Next(10) switch
            {
                0 => sender.Arp(receiver, 1 + random.Next(2), time),
                1 => sender.Frame(receiver, 0x88CC, time),
                < 5 => sender.Tcp(receiver, 502 + random.Next(3), 40_000 + random.Next(3), time, Host.Ack, (uint)i, random.Next(1400)),
                _ => sender.Udp(receiver, 502 + random.Next(3), 502 + random.Next(3), time, random.Next(60, 1500)),
            };
            watch.See(packet);
            Count(packet.SourceMac, sent: true);
            if ((packet.Marks & PacketMarks.Multicast) == 0)
            {
                Count(packet.DestinationMac, sent: false);
            }

            void Count(ulong mac, bool sent)
            {
                var key = (time / (1000 * Millisecond) * 1000, mac);
                if (!expected.TryGetValue(key, out var counted))
                {
                    expected[key] = counted = (new Counted(), new Counted());
                }

                (sent ? counted.Sent : counted.Received).Add(packet.WireLength, last.TryGetValue((mac, sent), out var before) ? time - before : null);
                last[(mac, sent)] = time;
            }
        }

        watch.End();
        output.WriteLine($"{watch.Intervals.Count} intervals, {watch.Intervals.Sum(i => i.State.FlowsEvicted)} flows put out");
        Assert.Equal(flowMemory == 0, watch.Intervals.Sum(i => i.State.FlowsEvicted) > packets / 10);
        Assert.Equal(expected.Count, watch.Intervals.Sum(i => i.Devices.Count));
        foreach (var interval in watch.Intervals)
        {
            foreach (var device in interval.Devices)
            {
                var (sent, received) = expected[(interval.Start, device.Mac)];
                Assert.Equal(sent.Text, Text(device.Sent));
                Assert.Equal(received.Text, Text(device.Received));
            }
        }
    }

    [Fact]
    public void Gaps_of_a_device_stay_exact_beyond_65536()
    {
        const int Packets = 150_000;
        var (a, b) = (Host.Of(1), Host.Of(2));
        using var watch = new Watch();
        for (var i = 0; i < Packets; i++)
        {
            watch.See(a.Udp(b, 40_000 + (i & 3), 502, Start + (i * 50_000L)));
        }

        var devices = watch.See(b.Udp(a, 502, 40_000, Start + (9 * Second))).End().Devices;
        Assert.Equal<uint>([Packets - 1, 0, 0, 0, 0, 0, 0, 0], devices.Single(d => d.Mac == a.Mac).Sent.Gaps);
        Assert.Equal<uint>([Packets - 1, 0, 0, 0, 0, 0, 0, 0], devices.Single(d => d.Mac == b.Mac).Received.Gaps);
    }

    private static string Text(Tally tally) => $"{tally.Packets} {tally.Bytes} | {string.Join(' ', tally.Sizes)} | {string.Join(' ', tally.Gaps)}";

    private sealed class Counted
    {
        private readonly uint[] _sizes = new uint[8];
        private readonly uint[] _gaps = new uint[8];
        private long _bytes;

        public string Text => $"{_sizes.Sum(s => s)} {_bytes} | {string.Join(' ', _sizes)} | {string.Join(' ', _gaps)}";

        public void Add(int length, long? gap)
        {
            _bytes += length;
            _sizes[Tally.SizeBounds.Count(bound => length > bound)]++;
            if (gap is { } nanoseconds)
            {
                _gaps[Tally.GapBounds.Count(bound => nanoseconds > bound * 1000)]++;
            }
        }
    }
}
