using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>What one device did in all intervals.</summary>
/// <param name="mac">The low 48 bits are the MAC.</param>
/// <param name="behindRouter">The address behind a router that it is known by; none for a device of the segment.</param>
internal sealed class DeviceTotal(ulong mac, NetAddress behindRouter)
{
    /// <summary>Addresses that are remembered of one device; a router can have any number.</summary>
    public const int MostAddresses = 64;

    private readonly SortedSet<NetAddress> _addresses = [];

    public ulong Mac { get; } = mac;

    public NetAddress BehindRouter { get; } = behindRouter;

    public IReadOnlyCollection<NetAddress> Addresses => _addresses;

    public Volume Sent { get; private set; }

    public Volume Received { get; private set; }

    public Volume All => Sent + Received;

    /// <summary>In milliseconds since 1970.</summary>
    public long First { get; private set; } = long.MaxValue;

    /// <summary>See <see cref="First"/>.</summary>
    public long Last { get; private set; }

    public long Broadcasts { get; private set; }

    public long Multicasts { get; private set; }

    public long Arp { get; private set; }

    public long Dhcp { get; private set; }

    public long Begun { get; private set; }

    public long Failed { get; private set; }

    public long Retransmissions { get; private set; }

    public void Add(DeviceFeatures device)
    {
        Sent += new Volume(device.Sent.Packets, device.Sent.Bytes);
        Received += new Volume(device.Received.Packets, device.Received.Bytes);
        First = Math.Min(First, device.FirstSeen);
        Last = Math.Max(Last, device.LastSeen);
        Broadcasts += device.Broadcasts;
        Multicasts += device.Multicasts;
        Arp += device.ArpRequests + device.ArpReplies + device.ArpAnnouncements;
        Dhcp += device.DhcpExchanges;
        Begun += device.ConnectionsBegun;
        Failed += device.ConnectionsFailed;
        Retransmissions += device.Retransmissions;
        foreach (var address in device.Addresses)
        {
            if (_addresses.Count < MostAddresses)
            {
                _addresses.Add(address);
            }
        }
    }
}
