using System.Collections;
using System.Runtime.CompilerServices;
using Sekisho.Traffic.Labels;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Flows;

/// <summary>The flows of one interval, copied out of the table as they lie there; a record is made each time one is asked for. So a flush copies 192 bytes a flow, and who encodes the rows has one record at a time in memory.</summary>
internal sealed class FlowRows : IReadOnlyList<FlowFeatures>
{
    // Blocks stay below the large object heap.
    private const int BlockBits = 8;

    private readonly List<FlowEntry[]> _blocks = [];
    private Dictionary<(int Row, int Counter), long>? _carried;

    public int Count { get; private set; }

    public FlowFeatures this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return Features(index, _blocks[index >> BlockBits][index & ((1 << BlockBits) - 1)]);
        }
    }

    public void Add(in FlowEntry flow, int number, Carries carries)
    {
        if (Count >> BlockBits == _blocks.Count)
        {
            _blocks.Add(new FlowEntry[1 << BlockBits]);
        }

        if ((flow.Flags & FlowFlags.Carried) != 0)
        {
            _carried ??= [];
            for (var direction = 0; direction < 2; direction++)
            {
                for (var counter = 0; counter < FlowCounter.Count; counter++)
                {
                    if (carries.Of(number, direction, counter) is var carried and not 0)
                    {
                        _carried[(Count, (direction * FlowCounter.Count) + counter)] = carried;
                    }
                }
            }
        }

        _blocks[^1][Count & ((1 << BlockBits) - 1)] = flow;
        Count++;
    }

    public IEnumerator<FlowFeatures> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    [SkipLocalsInit]
    private FlowFeatures Features(int row, in FlowEntry flow)
    {
        var client = flow.Client;
        var ip = flow.HasIp;
        var turned = client != 0 && flow.Protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6 or IpProtocol.Igmp);
        var clientPort = turned ? flow.PortB : flow.PortA;
        var serverPort = turned ? flow.PortA : flow.PortB;
        ref readonly var up = ref client == 0 ? ref flow.FromA : ref flow.FromB;
        ref readonly var down = ref client == 0 ? ref flow.FromB : ref flow.FromA;
        Span<long> sizesUp = stackalloc long[8], gapsUp = stackalloc long[8], sizesDown = stackalloc long[8], gapsDown = stackalloc long[8];
        var upTally = Tally(row, client, up, sizesUp, gapsUp);
        var downTally = Tally(row, 1 - client, down, sizesDown, gapsDown);
        return new FlowFeatures
        {
            ClientMac = client == 0 ? flow.MacA : flow.MacB,
            ServerMac = client == 0 ? flow.MacB : flow.MacA,
            Client = ip ? client == 0 ? flow.A : flow.B : default,
            Server = ip ? client == 0 ? flow.B : flow.A : default,
            EtherType = flow.EtherType,
            Protocol = flow.Protocol,
            ClientPort = clientPort,
            ServerPort = serverPort,
            Service = Service(flow, ip, clientPort, serverPort, sizesUp, gapsUp, sizesDown, gapsDown),
            FirstSeen = flow.First,
            LastSeen = Math.Max(flow.First, Math.Max(flow.FromA.Last, flow.FromB.Last) / 1_000_000),
            Up = upTally,
            Down = downTally,
            Syns = (uint)(Counter(row, FlowCounter.Syns, up.Syns, down.Syns, client)),
            SynAcks = (uint)(Counter(row, FlowCounter.SynAcks, up.SynAcks, down.SynAcks, client)),
            Fins = (uint)(Counter(row, FlowCounter.Fins, up.Fins, down.Fins, client)),
            Resets = (uint)(Counter(row, FlowCounter.Resets, up.Resets, down.Resets, client)),
            RetransmissionsUp = (uint)(up.Retransmissions + Carried(row, client, FlowCounter.Retransmissions)),
            RetransmissionsDown = (uint)(down.Retransmissions + Carried(row, 1 - client, FlowCounter.Retransmissions)),
        };
    }

    private static string Service(in FlowEntry flow, bool ip, int clientPort, int serverPort, ReadOnlySpan<long> sizesUp, ReadOnlySpan<long> gapsUp, ReadOnlySpan<long> sizesDown, ReadOnlySpan<long> gapsDown)
    {
        if (!ip)
        {
            return ServiceTable.OfEtherType(flow.EtherType);
        }

        // The port of a client says nothing where it is known who the client is: systems give them out by chance.
        if ((flow.Flags & FlowFlags.Begun) != 0 && !ServiceTable.IsServerPort(flow.Protocol, serverPort))
        {
            return "";
        }

        var label = ServiceTable.OfPorts(flow.Protocol, clientPort, serverPort);
        return label.Length == 0 && flow.Protocol == IpProtocol.Udp
            && (ServiceTable.IsRtp(clientPort, serverPort, sizesUp, gapsUp) || ServiceTable.IsRtp(clientPort, serverPort, sizesDown, gapsDown)) ? "rtp" : label;
    }

    private long Counter(int row, int counter, long up, long down, int client) => up + down + Carried(row, client, counter) + Carried(row, 1 - client, counter);

    private unsafe Tally Tally(int row, int from, in FlowDirection direction, Span<long> sizes, Span<long> gaps)
    {
        long packets = 0, pauses = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            sizes[i] = direction.Sizes[i] + Carried(row, from, FlowCounter.Sizes + i);
            gaps[i] = direction.Gaps[i] + Carried(row, from, FlowCounter.Gaps + i);
            packets += sizes[i];
            pauses += gaps[i];
        }

        return packets == 0
            ? Wire.Features.Tally.None
            : new Tally { Packets = packets, Bytes = direction.Bytes + Carried(row, from, FlowCounter.Bytes), Sizes = Narrow(sizes), Gaps = pauses == 0 ? Wire.Features.Tally.None.Gaps : Narrow(gaps) };
    }

    private long Carried(int row, int direction, int counter) => _carried is null ? 0 : _carried.GetValueOrDefault((row, (direction * FlowCounter.Count) + counter));

    private static uint[] Narrow(ReadOnlySpan<long> counts)
    {
        var narrow = new uint[counts.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            narrow[i] = (uint)Math.Min(counts[i], uint.MaxValue);
        }

        return narrow;
    }
}
