namespace Sekisho.Traffic.Labels;

/// <summary>Numbers of IANA for protocols above IP, and the EtherTypes of IP itself.</summary>
internal static class IpProtocol
{
    public const int Icmp = 1;
    public const int Igmp = 2;
    public const int Tcp = 6;
    public const int Udp = 17;
    public const int IcmpV6 = 58;
    public const int Sctp = 132;

    public const int EtherTypeV4 = 0x0800;
    public const int EtherTypeV6 = 0x86DD;
}
