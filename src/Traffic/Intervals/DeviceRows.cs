using Sekisho.Traffic.Devices;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>Takes what devices did in an interval out of the table.</summary>
internal static unsafe class DeviceRows
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    public static IReadOnlyList<DeviceFeatures> Take(DeviceTable table)
    {
        var rows = new List<DeviceFeatures>();
        for (var number = table.Next(1); number >= 0; number = table.Next(number + 1))
        {
            var entry = table.Entries + number;
            table.Touched.Clear(number);
            if ((entry->Flags & DeviceFlags.Spoke) != 0)
            {
                rows.Add(Features(entry));
                DeviceEntry.ClearInterval(entry);
            }
        }

        rows.Sort((a, b) => a.Mac != b.Mac ? a.Mac.CompareTo(b.Mac) : a.BehindRouter.CompareTo(b.BehindRouter));
        return rows;
    }

    private static DeviceFeatures Features(DeviceEntry* entry) => new()
    {
        Mac = entry->Mac,
        BehindRouter = entry->Behind,
        Addresses = new ReadOnlySpan<NetAddress>(entry->Addresses, entry->AddressCount).ToArray(),
        FirstSeen = entry->First / NanosecondsPerMillisecond,
        LastSeen = Math.Max(entry->First, entry->Last) / NanosecondsPerMillisecond,
        Sent = Tally(&entry->Sent, entry->SentGaps),
        Received = Tally(&entry->Received, entry->ReceivedGaps),
        Broadcasts = entry->Broadcasts,
        Multicasts = entry->Multicasts,
        ArpRequests = entry->ArpRequests,
        ArpReplies = entry->ArpReplies,
        ArpAnnouncements = entry->ArpAnnouncements,
        DhcpExchanges = entry->Dhcp,
        ConnectionsBegun = entry->Begun,
        ConnectionsFailed = entry->Failed,
        Retransmissions = entry->Retransmissions,
        PeersLocal = entry->PeersLocal.Estimate(),
        PeersBeyond = entry->PeersBeyond.Estimate(),
        PortsCalled = entry->Ports.Estimate(),
    };

    private static Tally Tally(DeviceTally* counted, ushort* gaps)
    {
        var packets = 0L;
        var wide = new uint[8];
        for (var i = 0; i < wide.Length; i++)
        {
            packets += counted->Sizes[i];
            wide[i] = gaps[i] + (counted->GapsCarried[i] << 16);
        }

        return packets == 0 ? Wire.Features.Tally.None : new Tally { Packets = packets, Bytes = counted->Bytes, Sizes = new Span<uint>(counted->Sizes, 8).ToArray(), Gaps = wide };
    }
}
