using System.Globalization;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>Names of protocols as they are usual (IANA, IEEE), in lower case.</summary>
internal static class ProtocolNames
{
    /// <summary>The service's label; else the protocol above IP; else the EtherType.</summary>
    public static string Of(FlowFeatures flow)
    {
        if (flow.Service.Length > 0)
        {
            return flow.Service;
        }

        if (flow.Client.IsNone && flow.Server.IsNone)
        {
            return flow.EtherType < 0x600 ? $"llc-{flow.EtherType:x2}" : $"ether-{flow.EtherType:x4}";
        }

        return flow.Protocol switch
        {
            1 => "icmp",
            2 => "igmp",
            6 => "tcp",
            17 => "udp",
            41 => "ipv6",
            47 => "gre",
            50 => "esp",
            51 => "ah",
            58 => "icmpv6",
            89 => "ospf",
            103 => "pim",
            112 => "vrrp",
            132 => "sctp",
            _ => string.Create(CultureInfo.InvariantCulture, $"ip-{flow.Protocol}"),
        };
    }
}
