using System.Globalization;
using System.Net;
using Sekisho.Traffic.Headers;
using Sekisho.Wire.Features;

namespace Sekisho.Data.Tests.Captures;

/// <summary>One packet as tshark sees it: all occurrences of each field, and the layers that tell which of them is the innermost.</summary>
internal sealed class TsharkRow
{
    private static readonly string[] UdpTunnels = ["vxlan", "geneve", "gre"];

    private readonly Dictionary<string, string[]> fields = [];
    private readonly Dictionary<string, int> met = [];
    private readonly List<(string Kind, int Index)> tags = [];
    private readonly List<(string Kind, int Index)> ips = [];
    private (string Kind, int Index) link;

    // How many headers of IP stand before the last link layer: those of tunnels.
    private int outside;
    private (string Kind, int Index) transport;

    public TsharkRow(IReadOnlyList<string> names, string line)
    {
        var values = line.Split('\t');
        for (var i = 0; i < names.Count; i++)
        {
            fields[names[i]] = values[i].Length == 0 ? [] : values[i].Split(',');
        }

        Walk(Text("frame.protocols").Split(':'));
    }

    public int Interface => Number("frame.interface_id");

    public string Protocols => Text("frame.protocols");

    /// <summary>Says in which fields a header differs from what tshark read, each as "field ours/theirs".</summary>
    public IEnumerable<string> Differences(PacketHeader header)
    {
        var differences = new List<string>();
        Compare("length", header.WireLength, Number("frame.len"));
        Compare("time", header.Timestamp, Time(Text("frame.time_epoch")));
        Compare("source MAC", header.SourceMac, Mac(link.Kind switch { "wlan" => "wlan.sa", "fddi" => "fddi.src", "sll" => "sll.src.eth", _ => "eth.src" }, "wlan.ta"));
        Compare("destination MAC", header.DestinationMac, Mac(link.Kind switch { "wlan" => "wlan.da", "fddi" => "fddi.dst", _ => "eth.dst" }, "wlan.ra"));
        Compare("VLAN", header.Vlan, Vlan(0));
        Compare("inner VLAN", header.InnerVlan, Vlan(1));
        if (transport.Kind == "arp")
        {
            Compare("ARP", header.Marks.HasFlag(PacketMarks.Arp), true);
            Compare("operation", header.SourcePort, Number("arp.opcode"));
            Compare("source", header.Source, Address("arp.src.proto_ipv4", transport.Index));
            Compare("destination", header.Destination, Address("arp.dst.proto_ipv4", transport.Index));
            return differences;
        }

        var ip = ips.Count > outside ? ips[^1] : default;
        var tunnel = ips.Count > 1 || outside > 0 ? ips[0] : default;
        Compare("source", header.Source, Address(ip.Kind + ".src", ip.Index));
        Compare("destination", header.Destination, Address(ip.Kind + ".dst", ip.Index));
        Compare("tunnel source", header.TunnelSource, Address(tunnel.Kind + ".src", tunnel.Index));
        Compare("tunnel destination", header.TunnelDestination, Address(tunnel.Kind + ".dst", tunnel.Index));
        Compare("hops", header.HopLimit, Number(ip.Kind == "ip" ? "ip.ttl" : "ipv6.hlim", ip.Index));
        var ports = transport.Kind is "tcp" or "udp" or "sctp" && At(transport.Kind + ".srcport", transport.Index) is not null;
        Compare("has ports", header.Marks.HasFlag(PacketMarks.HasPorts), ports);
        switch (transport.Kind)
        {
            case "tcp":
                Compare("protocol", header.Protocol, 6);
                Compare("sequence", header.Sequence, Wide("tcp.seq_raw"));
                Compare("acknowledgement", header.Acknowledgement, Wide("tcp.ack_raw"));
                Compare("flags", header.TcpFlags, At("tcp.flags", transport.Index) is { } flags ? (byte)Convert.ToInt32(flags, 16) : 0);
                if (At("tcp.len", transport.Index) is not null)
                {
                    Compare("payload", header.PayloadLength, Number("tcp.len", transport.Index));
                }

                break;
            case "udp":
                Compare("protocol", header.Protocol, 17);
                if (!header.Marks.HasFlag(PacketMarks.Fragment) && !header.Marks.HasFlag(PacketMarks.Malformed) && At("udp.length", transport.Index) is not null)
                {
                    Compare("payload", header.PayloadLength, Number("udp.length", transport.Index) - 8);
                }

                break;
            case "sctp":
                Compare("protocol", header.Protocol, 132);
                break;
            case "icmp" or "icmpv6":
                Compare("protocol", header.Protocol, transport.Kind == "icmp" ? 1 : 58);
                Compare("type", header.SourcePort, Number(transport.Kind + ".type", transport.Index));
                Compare("code", header.DestinationPort, Number(transport.Kind + ".code", transport.Index));
                break;
            case "igmp":
                Compare("protocol", header.Protocol, 2);
                Compare("type", header.SourcePort, Number("igmp.type", transport.Index));
                break;
            default:
                if (ip.Kind == "ip")
                {
                    Compare("protocol", header.Protocol, Number("ip.proto", ip.Index));
                }

                break;
        }

        if (ports)
        {
            Compare("source port", header.SourcePort, Number(transport.Kind + ".srcport", transport.Index));
            Compare("destination port", header.DestinationPort, Number(transport.Kind + ".dstport", transport.Index));
        }

        return differences;

        void Compare<T>(string field, T ours, T theirs)
        {
            if (!EqualityComparer<T>.Default.Equals(ours, theirs))
            {
                differences.Add($"{field} {ours}/{theirs}");
            }
        }
    }

    // The layers in the order in which tshark met them, to the last that belongs to the frame itself: what ICMP quotes is not in it.
    private void Walk(string[] protocols)
    {
        for (var i = 0; i < protocols.Length; i++)
        {
            var kind = protocols[i];
            var index = met.GetValueOrDefault(kind);
            met[kind] = index + 1;
            switch (kind)
            {
                case "eth" or "wlan" or "fddi" or "sll":
                    link = (kind, index);
                    outside = ips.Count;
                    tags.Clear();
                    transport = default;
                    break;
                case "vlan" or "ieee8021ad":
                    tags.Add((kind + ".id", index));
                    break;
                case "ip" or "ipv6":
                    ips.Add((kind, index));
                    transport = default;
                    break;
                case "udp" when i + 1 < protocols.Length && UdpTunnels.Contains(protocols[i + 1]):
                    transport = (kind, index);
                    break;
                case "arp" or "tcp" or "udp" or "sctp" or "icmp" or "icmpv6" or "igmp":
                    transport = (kind, index);
                    return;
                default:
                    break;
            }
        }
    }

    private string? At(string field, int index) => fields.TryGetValue(field, out var values) && index < values.Length ? values[index] : null;

    private string Text(string field) => At(field, 0) ?? "";

    private int Number(string field, int index = 0) => At(field, index) is { } text ? text.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt32(text, 16) : int.Parse(text, CultureInfo.InvariantCulture) : 0;

    private uint Wide(string field) => At(field, transport.Index) is { } text ? uint.Parse(text, CultureInfo.InvariantCulture) : 0;

    private ushort Vlan(int position) => position < tags.Count && At(tags[position].Kind, tags[position].Index) is { } text ? ushort.Parse(text, CultureInfo.InvariantCulture) : HeaderParser.NoVlan;

    private NetAddress Address(string field, int index)
    {
        if (At(field, index) is not { } text)
        {
            return default;
        }

        var bytes = IPAddress.Parse(text).GetAddressBytes();
        return bytes.Length == 4 ? NetAddress.FromIPv4(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes)) : NetAddress.FromIPv6(bytes);
    }

    private ulong Mac(string field, string instead) =>
        (At(field, link.Index) ?? (link.Kind == "wlan" ? At(instead, link.Index) : null)) is { } text ? Convert.ToUInt64(text.Replace(":", "", StringComparison.Ordinal), 16) : 0;

    private static long Time(string epoch)
    {
        var parts = epoch.Split('.');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture) * 1_000_000_000) + long.Parse(parts[1], CultureInfo.InvariantCulture);
    }
}
