using System.Globalization;

namespace Sekisho.Traffic.Labels;

/// <summary>Labels a flow by protocol, ports and shape; no payload is read, so a label says what speaks there as a rule. Any thread.</summary>
/// <remarks>
/// The called port decides, the caller's only where the called one is unknown (a flow whose begin was not seen). A port that stands twice in the list belongs to the first line.
/// CoAP and LwM2M share 5683 and 5684 and the same headers: a flow is called lwm2m where the other end uses 56830 to 56839, from which the clients of Wakaama and Anjay speak, or both ends use the
/// server's port, as LwM2M in queue mode and its server do; everything else on these ports is coap or coaps.
/// RTP agrees on its ports elsewhere: UDP between unknown ports, one of them even and none below 1024, is called rtp when a direction sends at least <see cref="RtpPackets"/> packets in the interval, and nine of ten gaps are at most
/// 100 ms and two thirds of the packets fall into two neighbouring classes of size.
/// </remarks>
public static class ServiceTable
{
    private const int RtpPackets = 50;

    private static readonly Dictionary<int, string> Tcp = [];
    private static readonly Dictionary<int, string> Udp = [];
    private static readonly Dictionary<int, string> OverSctp = [];
    private static readonly Dictionary<int, string> EtherTypes = Numbers(ServiceList.EtherTypes);
    private static readonly Dictionary<int, string> Protocols = Numbers(ServiceList.Protocols);
    private static readonly bool[] KnownTcp = new bool[65536];
    private static readonly bool[] KnownUdp = new bool[65536];

    static ServiceTable()
    {
        foreach (var words in Lines(ServiceList.Ports))
        {
            foreach (var transport in words[1])
            {
                foreach (var port in words.Skip(2).SelectMany(Range))
                {
                    (transport switch { 't' => Tcp, 'u' => Udp, _ => OverSctp }).TryAdd(port, words[0]);
                }
            }
        }

        foreach (var port in Tcp.Keys)
        {
            KnownTcp[port] = true;
        }

        foreach (var port in Udp.Keys)
        {
            KnownUdp[port] = true;
        }

        // Field initialisers would run before the ports are read.
        Labels = [.. Tcp.Values.Concat(Udp.Values).Concat(OverSctp.Values).Concat(EtherTypes.Values).Concat(Protocols.Values).Concat(["lwm2m", "rtp"]).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Every label that a flow can get, in order.</summary>
    public static IReadOnlyList<string> Labels { get; }

    /// <summary>Whether a service listens on the port as a rule: the tie-break for who is the client when the begin was not seen.</summary>
    public static bool IsServerPort(byte protocol, int port) => protocol switch
    {
        IpProtocol.Tcp => KnownTcp[port],
        IpProtocol.Udp => KnownUdp[port],
        _ => false,
    };

    /// <summary>The label of a frame's flow without IP; empty for unknown.</summary>
    public static string OfEtherType(int etherType) => EtherTypes.GetValueOrDefault(etherType, "");

    /// <summary>The label of a flow over IP by its ports; empty for unknown.</summary>
    public static string OfPorts(int protocol, int clientPort, int serverPort)
    {
        var ports = protocol switch { IpProtocol.Tcp => Tcp, IpProtocol.Udp => Udp, IpProtocol.Sctp => OverSctp, _ => null };
        if (ports is null)
        {
            return Protocols.GetValueOrDefault(protocol, "");
        }

        if (!ports.TryGetValue(serverPort, out var label) && !ports.TryGetValue(clientPort, out label))
        {
            return "";
        }

        return label is "coap" or "coaps" && (clientPort == serverPort || clientPort is >= 56830 and <= 56839 || serverPort is >= 56830 and <= 56839) ? "lwm2m" : label;
    }

    /// <summary>Whether a direction of UDP between unknown ports has the shape of RTP.</summary>
    /// <param name="clientPort">The one port.</param>
    /// <param name="serverPort">The other.</param>
    /// <param name="sizes">Frames by size in the interval.</param>
    /// <param name="gaps">Gaps in the interval.</param>
    public static bool IsRtp(int clientPort, int serverPort, ReadOnlySpan<long> sizes, ReadOnlySpan<long> gaps)
    {
        if (clientPort < 1024 || serverPort < 1024 || (clientPort & serverPort & 1) != 0)
        {
            return false;
        }

        long packets = 0, neighbours = 0, all = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            packets += sizes[i];
            all += gaps[i];
            neighbours = Math.Max(neighbours, sizes[i] + (i > 0 ? sizes[i - 1] : 0));
        }

        return packets >= RtpPackets && neighbours * 3 >= packets * 2 && (gaps[0] + gaps[1] + gaps[2]) * 10 >= all * 9;
    }

    private static Dictionary<int, string> Numbers(string list)
    {
        var labels = new Dictionary<int, string>();
        foreach (var words in Lines(list))
        {
            foreach (var number in words.Skip(1))
            {
                labels.Add(number.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt32(number, 16) : int.Parse(number, CultureInfo.InvariantCulture), words[0]);
            }
        }

        return labels;
    }

    private static IEnumerable<int> Range(string ports)
    {
        var ends = ports.Split('-');
        var first = int.Parse(ends[0], CultureInfo.InvariantCulture);
        return Enumerable.Range(first, int.Parse(ends[^1], CultureInfo.InvariantCulture) - first + 1);
    }

    private static IEnumerable<string[]> Lines(string list) =>
        list.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
