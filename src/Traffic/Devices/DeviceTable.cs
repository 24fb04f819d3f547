using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Devices;

/// <summary>The devices: by MAC on the mirrored segment, by address behind routers. At most as many as the memory limit holds; when all places are taken the one that was silent longest of sixteen goes, one that never spoke before all others. One caller at a time.</summary>
/// <remarks>
/// <para>A device is who sends from a unicast MAC. Each frame counts for one sender and one receiver at most. What is sent to a MAC is counted from the first frame on, and shown once that MAC has spoken.</para>
/// <para>A MAC is a router when it has sent for four others: addresses outside of the local networks (of IPv6 their /64, as a host has several addresses in one), or local addresses that arrive with a hop limit
/// no host starts with (64, 128, 255; to groups hosts send with any) and that the MAC never announced by ARP. One or two public addresses on a MAC are a device with public addresses. A router stays one until it leaves the table.</para>
/// <para>Of a router's frames those belong to the router itself that come from link-local addresses, from addresses that it announced by ARP, from local addresses with a starting hop limit, and from everywhere outside of the
/// local networks (what it brings in from there is no device of the site). Every other local address is a device behind it. A choice once made for an address stays. What was counted before the fourth witness stays with the MAC.</para>
/// <para>Links without MACs (raw IP, PPP) are one router with MAC 0 whose every local address is a device. Behind a router that answers ARP for others (proxy ARP) devices cannot be told from the router.
/// In a tunnel the outer address is the one that counts here. A router's hop limit of 64 for a forwarded packet (a host that starts with 65) makes the address the router's own.</para>
/// </remarks>
internal sealed unsafe class DeviceTable : IDisposable
{
    private const int Looked = 16;
    private const int SmallestSweep = 1024;
    private const int SweepsForAll = 6;

    private readonly NativeBlock _memory;
    private readonly SlotIndex _index = new();
    private readonly LocalNetworks _networks;
    private readonly ulong _seed;
    private readonly int[] _free;
    private int _freeCount;
    private int _used = 1;
    private int _hand;
    private int _sweep = 1;

    public DeviceTable(long memory, LocalNetworks networks, ulong seed)
    {
        _networks = networks;
        _seed = seed;
        Capacity = (int)Math.Clamp(memory / (DeviceEntry.Size + 40), 64, ushort.MaxValue - 1);
        _memory = new NativeBlock((Capacity + 1L) * DeviceEntry.Size);
        _free = new int[Capacity];
        Entries = (DeviceEntry*)_memory.Start;
        Entries->Mac = DeviceEntry.NoMac;
        Touched = new Bits(Capacity + 1);
    }

    /// <summary>Entry 0 is nobody: what is counted there is never read.</summary>
    public DeviceEntry* Entries { get; }

    public int Capacity { get; }

    public int Count { get; private set; }

    /// <summary>Devices that had to leave for others since this was last set to 0.</summary>
    public long Evicted { get; set; }

    /// <summary>Devices that sent or received in this interval.</summary>
    public Bits Touched { get; }

    /// <summary>The number of the device that sent a packet; notes the address that it used. 0 for nobody.</summary>
    public ushort Sender(in PacketHeader header)
    {
        if (IsGroup(header.SourceMac))
        {
            return 0;
        }

        var number = FindOrMake(header.SourceMac, default, header.Timestamp);
        var entry = Entries + number;
        if (entry->Mac == 0)
        {
            entry->Flags |= DeviceFlags.Router;
        }

        var tunnelled = (header.Marks & PacketMarks.Tunnelled) != 0;
        var address = tunnelled ? header.TunnelSource : header.Source;
        number = address.IsNone || LocalNetworks.IsGroupOrNone(address) ? number
            : (header.Marks & PacketMarks.Arp) != 0 ? Own(number, address, announced: true)
            : OfAddress(number, address, (Started(header.HopLimit) || IsGroup(header.DestinationMac)) && !tunnelled, header.Timestamp);
        Entries[number].Flags |= DeviceFlags.Spoke;
        Touched.Set(number);
        return number;
    }

    /// <summary>The number of the device that a packet was sent to; 0 where it went to many or to nobody.</summary>
    public ushort Receiver(in PacketHeader header)
    {
        if (IsGroup(header.DestinationMac))
        {
            return 0;
        }

        var number = FindOrMake(header.DestinationMac, default, header.Timestamp);
        if (((Entries + number)->Flags & DeviceFlags.Router) != 0 || header.DestinationMac == 0)
        {
            var address = (header.Marks & PacketMarks.Tunnelled) != 0 ? header.TunnelDestination : header.Destination;
            var behind = address.IsNone ? (ushort)0 : Find(header.DestinationMac, address);
            number = behind != 0 ? behind : header.DestinationMac == 0 && LocalNetworks.IsGroupOrNone(address) ? (ushort)0 : number;
        }

        Touched.Set(number);
        return number;
    }

    public bool IsLocal(in NetAddress address) => _networks.Contains(address);

    /// <summary>Whether an entry still is the device that sent or received at this MAC and address.</summary>
    public static bool Is(DeviceEntry* entry, ulong mac, in NetAddress address) =>
        entry->Mac == mac && ((entry->Flags & DeviceFlags.IsBehind) == 0 || entry->Behind == address);

    /// <summary>Whether there is a device to be looked for: one was found before, or the MAC is of one alone.</summary>
    public static bool IsOne(ushort number, ulong mac) => number != 0 || (mac != 0 && !IsGroup(mac));

    /// <summary>Drops devices that were silent longer than the given time, a part of the table at each call.</summary>
    public void Expire(long now, long silence)
    {
        var end = Math.Min(_used, _sweep + Math.Max(SmallestSweep, _used / SweepsForAll));
        for (; _sweep < end; _sweep++)
        {
            if (Entries[_sweep].Mac != DeviceEntry.NoMac && Silence.IsLonger(now, Math.Max(Entries[_sweep].First, Entries[_sweep].Last), silence))
            {
                Remove((ushort)_sweep);
            }
        }

        // Not at the next call: a table that grew meanwhile would have its newest entries looked through for ever.
        _sweep = _sweep == _used ? 1 : _sweep;
    }

    public int Next(int number) => Touched.Next(number, _used);

    public void Dispose()
    {
        _index.Dispose();
        _memory.Dispose();
        Touched.Dispose();
    }

    private static bool IsGroup(ulong mac) => (mac >> 40 & 1) != 0;

    private static bool Started(byte hopLimit) => hopLimit is 64 or 128 or 255;

    private ushort OfAddress(ushort number, in NetAddress address, bool started, long time)
    {
        var entry = Entries + number;
        if (LocalNetworks.IsLinkLocal(address) && entry->Mac != 0)
        {
            return Own(number, address, announced: false);
        }

        var local = _networks.Contains(address);
        if ((entry->Flags & DeviceFlags.Router) == 0)
        {
            var foreign = !entry->IsAnnounced(address) && (!local || !started);
            if (!foreign || !entry->Forwarded(local || address.IsIPv4 ? HashOf(address.High, address.Low) : HashOf(address.High, 0)))
            {
                return Own(number, address, announced: false);
            }

            BecomeRouter(entry);
        }

        if (!local)
        {
            return number;
        }

        if (Find(entry->Mac, address) is var behind and not 0)
        {
            return behind;
        }

        if (entry->Mac != 0 && (started || entry->IndexOf(address) >= 0))
        {
            return Own(number, address, announced: false);
        }

        return Own(FindOrMake(entry->Mac, address, time), address, announced: false);
    }

    private ushort Own(ushort number, in NetAddress address, bool announced)
    {
        var entry = Entries + number;
        if (announced || entry->AddressCount == 0 || entry->Addresses[entry->AddressCount - 1] != address)
        {
            entry->Note(address, announced);
        }

        return number;
    }

    private static void BecomeRouter(DeviceEntry* entry)
    {
        entry->Flags |= DeviceFlags.Router;
        for (var i = entry->AddressCount - 1; i >= 0; i--)
        {
            if ((entry->Announced >> i & 1) == 0 && !LocalNetworks.IsLinkLocal(entry->Addresses[i]))
            {
                entry->TakeOut(i);
            }
        }
    }

    /// <summary>The number of a device; 0 when it is not known.</summary>
    public ushort Find(ulong mac, in NetAddress behind)
    {
        var hash = HashOf(mac, behind);
        var place = hash >> _index.Shift;
        for (var number = _index.Next(hash, ref place); number >= 0; number = _index.Next(hash, ref place))
        {
            if (Entries[number].Mac == mac && Entries[number].Behind == behind)
            {
                return (ushort)number;
            }
        }

        return 0;
    }

    private ushort FindOrMake(ulong mac, in NetAddress behind, long time)
    {
        var number = Find(mac, behind);
        if (number != 0)
        {
            return number;
        }

        if (Count == Capacity)
        {
            Remove(Victim());
            Evicted++;
        }

        number = (ushort)(_freeCount > 0 ? _free[--_freeCount] : _used++);
        Entries[number] = default;
        Entries[number].Mac = mac;
        Entries[number].Behind = behind;
        Entries[number].Flags = behind.IsNone ? DeviceFlags.None : DeviceFlags.IsBehind;
        Entries[number].First = time;
        _index.Insert(HashOf(mac, behind), number);
        Count++;
        return number;
    }

    private ushort Victim()
    {
        var best = (ushort)0;
        var bestTime = long.MaxValue;
        for (var i = 0; i < Looked; i++)
        {
            _hand = _hand >= Capacity ? 1 : _hand + 1;
            var entry = Entries + _hand;
            var time = (entry->Flags & DeviceFlags.Spoke) == 0 ? long.MinValue : Math.Max(entry->First, entry->Last);
            if (best == 0 || time < bestTime)
            {
                best = (ushort)_hand;
                bestTime = time;
            }
        }

        return best;
    }

    private void Remove(ushort number)
    {
        _index.Remove(HashOf(Entries[number].Mac, Entries[number].Behind), number);
        Entries[number].Mac = DeviceEntry.NoMac;
        Touched.Clear(number);
        _free[_freeCount++] = number;
        Count--;
    }

    private uint HashOf(ulong mac, in NetAddress behind) => (uint)(Hash.Of(_seed, mac, behind.High, behind.Low) >> 32);

    /// <summary>Hash for counting different values.</summary>
    public uint HashOf(ulong a, ulong b) => (uint)(Hash.Of(~_seed, a, b, 1) >> 32);
}
