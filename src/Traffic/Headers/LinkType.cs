namespace Sekisho.Traffic.Headers;

/// <summary>Link layers that are read; the numbers are those of the LINKTYPE_ registry of tcpdump.org, which pcap files carry.</summary>
public enum LinkType
{
    /// <summary>BSD loopback: the address family in the capturing host's byte order.</summary>
    Null = 0,

    /// <summary>Ethernet.</summary>
    Ethernet = 1,

    /// <summary>FDDI, its addresses in the order of bits of Ethernet.</summary>
    Fddi = 10,

    /// <summary>Raw IP, the number used before the registry.</summary>
    RawOld = 12,

    /// <summary>Raw IP, the number used by OpenBSD.</summary>
    RawOpenBsd = 14,

    /// <summary>Point-to-point protocol.</summary>
    Ppp = 9,

    /// <summary>Raw IP.</summary>
    Raw = 101,

    /// <summary>802.11 without radiotap.</summary>
    Wlan = 105,

    /// <summary>OpenBSD loopback: the address family in network byte order.</summary>
    Loop = 108,

    /// <summary>Linux cooked capture.</summary>
    LinuxSll = 113,

    /// <summary>802.11 with radiotap.</summary>
    Radiotap = 127,

    /// <summary>Raw IPv4.</summary>
    IPv4 = 228,

    /// <summary>Raw IPv6.</summary>
    IPv6 = 229,

    /// <summary>Linux netfilter log.</summary>
    Nflog = 239,

    /// <summary>Linux cooked capture, second version.</summary>
    LinuxSll2 = 276,
}
