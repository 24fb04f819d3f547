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

    /// <summary>Counts a packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(FlowEntry* flow, int from, in PacketHeader header)
    {
        var direction = &flow->FromA + from;
        var time = header.Timestamp;
        var size = Classes.OfSize(header.WireLength);
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
        if (++direction->Sizes[size] == 0)
        {
            Carry(flow, from, FlowCounter.Sizes + size);
        }

        direction->Bytes += (uint)header.WireLength;
        if (direction->Bytes < (uint)header.WireLength)
        {
            Carry(flow, from, FlowCounter.Bytes);
        }

        if (((int)flow->Flags & ((int)FlowFlags.TouchedA << from)) == 0)
        {
            Touch(flow, direction, from, header);
        }

        var sender = devices.Entries + direction->Sender;
        var receiver = devices.Entries + direction->Receiver;
        if ((!DeviceTable.Is(sender, header.SourceMac, header.Source) && DeviceTable.IsOne(direction->Sender, header.SourceMac))
            || (!DeviceTable.Is(receiver, header.DestinationMac, header.Destination) && DeviceTable.IsOne(direction->Receiver, header.DestinationMac)))
        {
            Meet(flow, direction, from, header);
            sender = devices.Entries + direction->Sender;
            receiver = devices.Entries + direction->Receiver;
        }

        sender->SentBytes += header.WireLength;
        receiver->ReceivedBytes += header.WireLength;
        Add(ref sender->Sent, ref sender->SentLast, time, size);
        Add(ref receiver->Received, ref receiver->ReceivedLast, time, size);
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
    private static void Add(ref DeviceTally tally, ref long last, long time, int size)
    {
        tally.Sizes[size]++;
        if (last != 0)
        {
            tally.Gaps[Classes.OfGap(time - last)]++;
        }

        last = time;
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
        if (from == 0)
        {
            flow->MacA = header.SourceMac;
            flow->MacB = header.DestinationMac;
        }
        else
        {
            flow->MacB = header.SourceMac;
            flow->MacA = header.DestinationMac;
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
