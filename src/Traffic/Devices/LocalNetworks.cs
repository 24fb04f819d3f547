using System.Net;
using System.Net.Sockets;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Devices;

/// <summary>Which addresses belong to the site: private, link-local and loopback ranges (RFC 1918, 3927, 4193, 4291) and the prefixes that the settings name. Any thread.</summary>
public sealed class LocalNetworks
{
    private static readonly IPNetwork[] Always =
        [.. "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 127.0.0.0/8 fc00::/7 fe80::/10 ::1/128".Split(' ').Select(p => IPNetwork.Parse(p))];

    private readonly (NetAddress Prefix, NetAddress Mask)[] _prefixes;

    /// <summary>The ranges that are always local, and the given ones.</summary>
    public LocalNetworks(IEnumerable<IPNetwork> given) => _prefixes = [.. Always.Concat(given).Select(Prefix)];

    /// <summary>Whether an address belongs to the site.</summary>
    public bool Contains(in NetAddress address)
    {
        foreach (var (prefix, mask) in _prefixes)
        {
            if ((address.High & mask.High) == prefix.High && (address.Low & mask.Low) == prefix.Low)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an address never leaves its link: 169.254.0.0/16 and fe80::/10.</summary>
    public static bool IsLinkLocal(in NetAddress address) => address.IsIPv4 ? (address.Low & 0xFFFF_0000) == 0xA9FE_0000 : address.High >> 54 == 0xFE80 >> 6;

    /// <summary>Whether an address stands for many or for none: multicast, broadcast, unspecified.</summary>
    public static bool IsGroupOrNone(in NetAddress address) =>
        address.IsIPv4 ? (uint)address.Low is 0 or >= 0xE000_0000 and (< 0xF000_0000 or uint.MaxValue) : address.High >> 56 == 0xFF || address.IsNone;

    private static (NetAddress Prefix, NetAddress Mask) Prefix(IPNetwork network)
    {
        var mapped = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        var address = NetAddress.FromIPv6(network.BaseAddress.MapToIPv6().GetAddressBytes());
        var length = network.PrefixLength + (mapped ? 96 : 0);
        var mask = new NetAddress(Ones(Math.Min(length, 64)), Ones(Math.Max(0, length - 64)));
        return (new NetAddress(address.High & mask.High, address.Low & mask.Low), mask);
    }

    private static ulong Ones(int count) => count == 0 ? 0 : ulong.MaxValue << (64 - count);
}
