using System.Runtime.CompilerServices;
using Sekisho.Traffic.Devices;
using Sekisho.Traffic.Flows;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Labels;
using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>Writes packets into flows and devices. One caller at a time.</summary>
internal sealed unsafe class Accounts(FlowTable flows, DeviceTable devices, Carries carries)
{
    private const int ArpRequest = 1;
    private const int ArpReply = 2;
    private const int BootpHeader = 236;

    // Of Linux; that of IANA, Windows and the small stacks is 49152 (RFC 6335, 6).
    private const int FirstEphemeral = 32_768;

    /// <summary>Flows that had to leave for others since this was last set to 0.</summary>
    public long Evicted { get; set; }

    /// <summary>The flow of a key; null for a frame of which no header was readable.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public FlowEntry* FindOrMake(in FlowKey key, in PacketHeader header)
    {
        var flow = flows.Find(key);
        if (flow != null)
        {
            return flow;
        }

        if (header.IpVersion == 0 && (header.SourceMac | header.DestinationMac | header.EtherType) == 0)
        {
            return null;
        }

        if (flows.IsFull)
        {
            Leave(flows.Victim((uint)(header.Timestamp >> 30)));
            Evicted++;
        }

        flow = flows.Make(key);
        flow->First = header.Timestamp / 1_000_000;
        flow->Client = SenderIsClient(header) ? key.Direction : 1 - key.Direction;
        if (header.Protocol == IpProtocol.Udp && IsDhcp(header.DestinationPort))
        {
            flow->Flags |= FlowFlags.Dhcp;
        }

        return flow;
    }

    /// <summary>Takes a flow out of the table. A connection in it that never had an answer has failed.</summary>
    public void Leave(FlowEntry* flow)
    {
        if ((flow->Flags & FlowFlags.Pending) != 0)
        {
            Failed(flow);
        }

        Settle(flow);
        if ((flow->Flags & FlowFlags.Carried) != 0)
        {
            carries.Forget(flows.NumberOf(flow));
        }

        flows.Remove(flow);
    }

    /// <summary>Counts a failed connection for the client of a flow, who then is told of in this interval even if he was silent.</summary>
    public void Failed(FlowEntry* flow)
    {
        var up = flow->Client == 0 ? &flow->FromA : &flow->FromB;
        var down = flow->Client == 0 ? &flow->FromB : &flow->FromA;
        var client = devices.Entries + (up->Sender != 0 ? up->Sender : down->Receiver);
        if (DeviceTable.Is(client, flow->Client == 0 ? flow->MacA : flow->MacB, flow->Client == 0 ? flow->A : flow->B))
        {
            client->Failed++;
            devices.Touched.Set((int)(client - devices.Entries));
        }
    }

    /// <summary>Counts packets. Where <paramref name="found"/> is not the flow of the key, that one is looked up or made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(PacketHeader* headers, FlowKey* keys, FlowEntry** found, int count)
    {
        var entries = devices.Entries;
        for (var i = 0; i < count; i++)
        {
            var flow = found[i];
            if (!FlowTable.Is(flow, keys[i]))
            {
                flow = FindOrMake(keys[i], headers[i]);
                if (flow == null)
                {
                    continue;
                }
            }

            Add(entries, flow, keys[i].Direction, headers[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(DeviceEntry* entries, FlowEntry* flow, int from, in PacketHeader header)
    {
        var direction = &flow->FromA + from;
        var sender = entries + direction->Sender;
        var receiver = entries + direction->Receiver;
        if (((int)flow->Flags & (((int)FlowFlags.TouchedA | (int)FlowFlags.SingleA) << from)) != (int)FlowFlags.TouchedA << from
            || ((sender->Mac ^ header.SourceMac) | (receiver->Mac ^ header.DestinationMac)) != 0
            || ((sender->Flags | receiver->Flags) & DeviceFlags.IsBehind) != 0)
        {
            Attribute(flow, direction, from, header);
            sender = entries + direction->Sender;
            receiver = entries + direction->Receiver;
        }

        var time = header.Timestamp;
        var gap = long.MaxValue;
        flow->Age = (uint)(time >> 30);
        if (direction->Last != 0)
        {
            gap = time - direction->Last;
            var pause = Classes.OfGap(gap);
            if (++direction->Gaps[pause] == 0)
            {
                Carry(flow, from, FlowCounter.Gaps + pause);
            }
        }

        direction->Last = time;
        var size = Classes.OfSize(header.WireLength);
        if (++direction->Sizes[size] == 0)
        {
            Carry(flow, from, FlowCounter.Sizes + size);
        }

        direction->Bytes += (uint)header.WireLength;
        if (direction->Bytes < (uint)header.WireLength)
        {
            Carry(flow, from, FlowCounter.Bytes);
        }

        AddGap(sender->SentGaps, ref sender->SentLast, time, &sender->Sent);
        AddGap(receiver->ReceivedGaps, ref receiver->ReceivedLast, time, &receiver->Received);
        if (header.Protocol == IpProtocol.Tcp && (header.Marks & (PacketMarks.LaterFragment | PacketMarks.HasPorts)) == PacketMarks.HasPorts)
        {
            var outcome = TcpTracking.Follow(flow, direction, from, header, gap);
            if (outcome != TcpOutcome.None)
            {
                Heed(outcome, flow, direction, from, sender);
            }
        }

        if ((header.Marks & (PacketMarks.Arp | PacketMarks.Broadcast | PacketMarks.Multicast)) != 0 || (flow->Flags & FlowFlags.Dhcp) != 0)
        {
            AddSpecial(sender, header);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddGap(ushort* gaps, ref long last, long time, DeviceTally* tally)
    {
        if (last != 0)
        {
            var pause = Classes.OfGap(time - last);
            if (++gaps[pause] == 0)
            {
                tally->GapsCarried[pause]++;
            }
        }

        last = time;
    }

    /// <summary>Adds what a flow counted in the interval to its devices, both directions. To be called once, before it is cleared.</summary>
    public void Settle(FlowEntry* flow)
    {
        Settle(flow, 0);
        Settle(flow, 1);
    }

    // A direction that is counted packet by packet has nothing left to be settled. Who has left the table since, or lost its place to another, gets nothing.
    private void Settle(FlowEntry* flow, int from)
    {
        if (((int)flow->Flags & (((int)FlowFlags.TouchedA | (int)FlowFlags.SingleA) << from)) != (int)FlowFlags.TouchedA << from)
        {
            return;
        }

        var direction = &flow->FromA + from;
        var sender = devices.Entries + direction->Sender;
        var receiver = devices.Entries + direction->Receiver;
        if (IsEnd(sender, flow, from))
        {
            DeviceTally.Add(&sender->Sent, direction->Sizes, direction->Bytes);
            AddCarried(&sender->Sent, flow, from);
        }

        if (IsEnd(receiver, flow, 1 - from))
        {
            DeviceTally.Add(&receiver->Received, direction->Sizes, direction->Bytes);
            AddCarried(&receiver->Received, flow, from);
        }
    }

    private void AddCarried(DeviceTally* tally, FlowEntry* flow, int from)
    {
        if ((flow->Flags & FlowFlags.Carried) == 0)
        {
            return;
        }

        var number = flows.NumberOf(flow);
        tally->Bytes += carries.Of(number, from, FlowCounter.Bytes);
        for (var size = 0; size < 8; size++)
        {
            tally->Sizes[size] += (uint)carries.Of(number, from, FlowCounter.Sizes + size);
        }
    }

    // Whether a device is the one at an end of a flow, 0 for A, 1 for B.
    private static bool IsEnd(DeviceEntry* device, FlowEntry* flow, int end) => DeviceTable.Is(device, end == 0 ? flow->MacA : flow->MacB, end == 0 ? flow->A : flow->B);

    // Settles a direction and counts for its devices packet by packet until the interval ends.
    private void CountSingly(FlowEntry* flow, int from)
    {
        Settle(flow, from);
        flow->Flags |= (FlowFlags)((int)FlowFlags.SingleA << from);
    }

    // Makes sure that a direction names the devices of a packet, and counts for them what is not left to Settle.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Attribute(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header)
    {
        if (((int)flow->Flags & ((int)FlowFlags.TouchedA << from)) == 0)
        {
            Touch(flow, direction, from, header);
        }

        // After Touch too: in a full table the receiver may have put the sender out.
        if ((!DeviceTable.Is(devices.Entries + direction->Sender, header.SourceMac, header.Source) && DeviceTable.IsOne(direction->Sender, header.SourceMac))
            || (!DeviceTable.Is(devices.Entries + direction->Receiver, header.DestinationMac, header.Destination) && DeviceTable.IsOne(direction->Receiver, header.DestinationMac)))
        {
            CountSingly(flow, from);
            Meet(flow, direction, from, header);
        }

        if (((int)flow->Flags & ((int)FlowFlags.SingleA << from)) != 0)
        {
            var size = Classes.OfSize(header.WireLength);
            var sender = devices.Entries + direction->Sender;
            var receiver = devices.Entries + direction->Receiver;
            sender->Sent.Sizes[size]++;
            sender->Sent.Bytes += header.WireLength;
            receiver->Received.Sizes[size]++;
            receiver->Received.Bytes += header.WireLength;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddSpecial(DeviceEntry* sender, in PacketHeader header)
    {
        if ((header.Marks & PacketMarks.Broadcast) != 0)
        {
            sender->Broadcasts++;
        }
        else if ((header.Marks & PacketMarks.Multicast) != 0)
        {
            sender->Multicasts++;
        }

        if ((header.Marks & PacketMarks.Arp) != 0)
        {
            // All frames of ARP between two MACs are one flow, but each may announce another address.
            if (!sender->IsAnnounced(header.Source))
            {
                _ = devices.Sender(header);
            }

            if (header.Source == header.Destination && !header.Source.IsNone)
            {
                sender->ArpAnnouncements++;
            }
            else if (header.SourcePort == ArpRequest)
            {
                sender->ArpRequests++;
            }
            else if (header.SourcePort == ArpReply)
            {
                sender->ArpReplies++;
            }
        }
        else if (header.Protocol == IpProtocol.Udp && IsDhcp(header.DestinationPort) && header.PayloadLength >= (header.DestinationPort < 100 ? BootpHeader : 4))
        {
            sender->Dhcp++;
        }
    }

    // The first packet of a direction in an interval: who it is between, whom and what it calls.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Touch(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header)
    {
        flows.Touched.Set(flows.NumberOf(flow));
        flow->Flags |= (FlowFlags)((int)FlowFlags.TouchedA << from);
        if ((from == 0 ? flow->FromB.Last : flow->FromA.Last) != 0)
        {
            flow->Flags |= FlowFlags.Answered;
        }

        Meet(flow, direction, from, header);
        if (direction->Sender != 0 && from == flow->Client && header.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp)
        {
            var called = from == 0 ? flow->PortB : flow->PortA;
            // 0 where a fragment or a cut header has none.
            if (called != 0)
            {
                devices.Entries[direction->Sender].Ports.Add(devices.HashOf(header.Protocol, called));
            }
        }
    }

    // Again when a flow is seen with another MAC: an address moved, or the mirror shows both sides of a router.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Meet(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header)
    {
        direction->Sender = devices.Sender(header);
        direction->Receiver = devices.Receiver(header);
        var (macA, macB) = from == 0 ? (header.SourceMac, header.DestinationMac) : (header.DestinationMac, header.SourceMac);
        if (((flow->MacA ^ macA) | (flow->MacB ^ macB)) != 0)
        {
            // The other direction would be settled by these.
            if (((int)flow->Flags & ((int)FlowFlags.TouchedA << (1 - from))) != 0)
            {
                CountSingly(flow, 1 - from);
            }

            flow->MacA = macA;
            flow->MacB = macB;
        }

        // Inside a tunnel, or in ARP, the device may be at another address than the flow's.
        if ((direction->Sender != 0 && !IsEnd(devices.Entries + direction->Sender, flow, from)) || (direction->Receiver != 0 && !IsEnd(devices.Entries + direction->Receiver, flow, 1 - from)))
        {
            flow->Flags |= (FlowFlags)((int)FlowFlags.SingleA << from);
        }

        if ((header.Marks & (PacketMarks.Broadcast | PacketMarks.Multicast)) == 0 && (header.IpVersion == 0 || !LocalNetworks.IsGroupOrNone(header.Destination)))
        {
            AddPeer(devices.Entries + direction->Sender, header.Destination, header.DestinationMac);
            AddPeer(devices.Entries + direction->Receiver, header.Source, header.SourceMac);
        }
    }

    // By address where there is one, also that of ARP: so who speaks IP and ARP with another has one peer.
    private void AddPeer(DeviceEntry* device, in NetAddress address, ulong mac)
    {
        if (LocalNetworks.IsGroupOrNone(address))
        {
            device->PeersLocal.Add(devices.HashOf(mac, ulong.MaxValue));
        }
        else if (devices.IsLocal(address))
        {
            device->PeersLocal.Add(devices.HashOf(address.High, address.Low));
        }
        else
        {
            device->PeersBeyond.Add(devices.HashOf(address.High, address.Low));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Heed(TcpOutcome outcome, FlowEntry* flow, FlowDirection* direction, int from, DeviceEntry* sender)
    {
        if ((outcome & TcpOutcome.Retransmitted) != 0)
        {
            sender->Retransmissions++;
            Increase(ref direction->Retransmissions, flow, from, FlowCounter.Retransmissions);
        }

        if ((outcome & TcpOutcome.Syn) != 0)
        {
            Increase(ref direction->Syns, flow, from, FlowCounter.Syns);
        }

        if ((outcome & TcpOutcome.SynAck) != 0)
        {
            Increase(ref direction->SynAcks, flow, from, FlowCounter.SynAcks);
        }

        if ((outcome & TcpOutcome.Fin) != 0)
        {
            Increase(ref direction->Fins, flow, from, FlowCounter.Fins);
        }

        if ((outcome & TcpOutcome.Reset) != 0)
        {
            Increase(ref direction->Resets, flow, from, FlowCounter.Resets);
        }

        if ((outcome & (TcpOutcome.Failed | TcpOutcome.EarlierFailed)) != 0)
        {
            Failed(flow);
        }

        if ((outcome & TcpOutcome.Begun) != 0)
        {
            flow->Client = from;
            sender->Begun++;
            flows.Pending.Set(flows.NumberOf(flow));
        }
    }

    private void Increase(ref ushort counter, FlowEntry* flow, int from, int name)
    {
        if (++counter == 0)
        {
            Carry(flow, from, name);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Carry(FlowEntry* flow, int from, int name)
    {
        flow->Flags |= FlowFlags.Carried;
        carries.Add(flows.NumberOf(flow), from, name);
    }

    // Who began is the client. Where the begin was not seen: who does not speak from a service's port, else who spoke first.
    // Of two ports of services the one is by chance that systems give out to clients, where the other is none of these.
    private static bool SenderIsClient(in PacketHeader header)
    {
        if (header.Protocol == IpProtocol.Tcp)
        {
            if (TcpTracking.IsBegin(header))
            {
                return true;
            }

            if (TcpTracking.IsAnswer(header))
            {
                return false;
            }
        }
        else if (FlowKey.IsReply(header))
        {
            return false;
        }

        return (header.Marks & (PacketMarks.Broadcast | PacketMarks.Multicast)) != 0
            || !IsService(header.Protocol, header.SourcePort)
            || (IsService(header.Protocol, header.DestinationPort) && (header.SourcePort >= FirstEphemeral || header.DestinationPort < FirstEphemeral));
    }

    private static bool IsService(byte protocol, ushort port) => ServiceTable.IsServerPort(protocol, port);

    internal static bool IsDhcp(ushort port) => port is 67 or 68 or 546 or 547;
}
