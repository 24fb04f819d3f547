using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Tests.Headers;

/// <summary>Damaged frames, and what must be true of every header whatever the frame was.</summary>
internal static class Mutations
{
    private const int LongestFrame = 4096;

    // Numbers that headers turn on: versions, lengths at their limits, EtherTypes, protocols and ports of tunnels by halves.
    private static readonly byte[] Interesting = [0, 1, 2, 4, 6, 8, 17, 41, 43, 44, 47, 51, 58, 59, 60, 0x45, 0x4F, 0x60, 0x65, 0x7F, 0x80, 0x81, 0x86, 0x88, 0xAA, 0xBE, 0xDD, 0xFF];

    /// <summary>Parses so many mutated frames between guard pages and checks each header.</summary>
    public static void Run(IReadOnlyList<(LinkType Link, byte[] Frame)> seeds, long count, Random random, Action<byte[], LinkType, int>? also = null)
    {
        var links = Enum.GetValues<LinkType>();
        using var pages = new GuardedPages(2 * LongestFrame);
        for (var i = 0L; i < count; i++)
        {
            var (link, whole) = seeds[random.Next(seeds.Count)];
            var frame = Mutate(whole, seeds[random.Next(seeds.Count)].Frame, random);
            link = random.Next(16) == 0 ? links[random.Next(links.Length)] : link;
            var wire = random.Next(8) switch
            {
                0 => random.Next(2 * LongestFrame),
                1 => frame.Length + random.Next(64),
                _ => Math.Max(frame.Length, whole.Length),
            };
            HeaderParser.Parse(pages.AtEnd(frame), link, wire, i, out var atEnd);
            HeaderParser.Parse(pages.AtBegin(frame), link, wire, i, out var atBegin);
            if (Fault(atEnd, wire, i) is { } fault || !atEnd.Equals(atBegin))
            {
                Assert.Fail($"{link}, {wire} bytes on the wire, {Convert.ToHexString(frame)}: {Fault(atEnd, wire, i) ?? "differs with its place in memory"}");
            }

            also?.Invoke(frame, link, wire);
        }
    }

    private static byte[] Mutate(byte[] whole, byte[] other, Random random)
    {
        var frame = whole.Length > LongestFrame ? whole[..LongestFrame] : whole[..];
        switch (random.Next(8))
        {
            case 0 when frame.Length > 0:
                frame = frame[..random.Next(frame.Length + 1)];
                break;
            case 1 when frame.Length > 0 && other.Length > 0:
                frame = [.. frame[..random.Next(frame.Length)], .. other[random.Next(other.Length)..]];
                frame = frame.Length > LongestFrame ? frame[..LongestFrame] : frame;
                break;
            default:
                break;
        }

        for (var change = random.Next(6); change > 0 && frame.Length > 0; change--)
        {
            // Headers stand at the begin, so that is where most damage is done.
            var place = random.Next(4) == 0 ? random.Next(frame.Length) : random.Next(Math.Min(frame.Length, 96));
            frame[place] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => Interesting[random.Next(Interesting.Length)],
                _ => (byte)(frame[place] ^ (1 << random.Next(8))),
            };
        }

        return frame;
    }

    /// <summary>What contradicts itself in a header; null where nothing does.</summary>
    private static string? Fault(in PacketHeader header, int wire, long timestamp)
    {
        var marks = header.Marks;
        var ports = marks.HasFlag(PacketMarks.HasPorts);
        return header switch
        {
            _ when header.WireLength != wire || header.Timestamp != timestamp => "length or time of another frame",
            _ when header.PayloadLength < 0 || header.PayloadLength > wire => $"payload of {header.PayloadLength} bytes",
            _ when header.IpVersion is not (0 or 4 or 6) => $"version {header.IpVersion}",
            _ when header.IpVersion == 4 && !(header.Source.IsIPv4 && header.Destination.IsIPv4) => "IPv4 without its addresses",
            _ when header.IpVersion == 0 && (header.Protocol != 0 || header.HopLimit != 0 || ports) => "layer 4 without IP",
            _ when header.IpVersion == 0 && !marks.HasFlag(PacketMarks.Arp) && !(header.Source.IsNone && header.Destination.IsNone) => "addresses without IP",
            _ when header.IpVersion == 4 != (header.EtherType == 0x0800) && header.IpVersion == 4 => $"IPv4 as {header.EtherType:X4}",
            _ when header.IpVersion == 6 && header.EtherType != 0x86DD => $"IPv6 as {header.EtherType:X4}",
            _ when marks.HasFlag(PacketMarks.Arp) && (header.IpVersion != 0 || header.EtherType != 0x0806) => "ARP and IP in one",
            _ when ports && header.Protocol is not (6 or 17 or 33 or 132 or 136) => $"ports of protocol {header.Protocol}",
            _ when ports && marks.HasFlag(PacketMarks.LaterFragment) => "ports of a later fragment",
            _ when marks.HasFlag(PacketMarks.LaterFragment) && !marks.HasFlag(PacketMarks.Fragment) => "a later fragment that is none",
            _ when !ports && header.Protocol == 6 && (header.TcpFlags | header.Sequence | header.Acknowledgement) != 0 => "TCP without ports",
            _ when header.Protocol != 6 && (header.TcpFlags | header.Sequence | header.Acknowledgement) != 0 => "numbers of TCP without TCP",
            _ when (header.SourceMac | header.DestinationMac) >> 48 != 0 => "a MAC of more than 48 bits",
            _ when header.Vlan != 0xFFFF && header.Vlan > 0xFFF => $"VLAN {header.Vlan}",
            _ when header.InnerVlan != 0xFFFF && (header.InnerVlan > 0xFFF || header.Vlan == 0xFFFF) => $"inner VLAN {header.InnerVlan} in {header.Vlan}",
            _ when !(header.TunnelSource.IsNone && header.TunnelDestination.IsNone) && !marks.HasFlag(PacketMarks.Tunnelled) => "a tunnel that is none",
            _ when marks.HasFlag(PacketMarks.Broadcast) && marks.HasFlag(PacketMarks.Multicast) => "broadcast and multicast",
            _ => null,
        };
    }
}
