using System.Net;
using System.Net.Sockets;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>
/// Which addresses a webhook may be posted to: those of the public internet, and the internal networks that the operator named. Whoever may
/// write a field's webhook could otherwise have the gateway knock at hosts that only the gateway can reach (loopback, neighbours, a cloud's
/// metadata service). Source: the IANA special-purpose address registries (RFC 6890). Pure.
/// </summary>
internal sealed class ReceiverAddresses(IReadOnlyList<IPNetwork> allowed)
{
    private static readonly IPNetwork[] Special4 =
    [
        .. ((string[])["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"]).Select(n => IPNetwork.Parse(n)),
    ];

    // Global unicast is 2000::/3; these parts of it are protocol assignments (Teredo among them), documentation, and 6to4, which carries an IPv4 address.
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Special6 = [.. ((string[])["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]).Select(n => IPNetwork.Parse(n))];

    /// <summary>True when a webhook may be posted there.</summary>
    public bool Allows(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return IsPublic(plain) || allowed.Any(n => n.Contains(plain));
    }

    private static bool IsPublic(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !Special4.Any(n => n.Contains(address)),
        AddressFamily.InterNetworkV6 => Global6.Contains(address) && !Special6.Any(n => n.Contains(address)),
        _ => false,
    };
}

/// <summary>The receiver's name leads to no address that a webhook may be posted to.</summary>
internal sealed class AddressNotAllowedException() : IOException("The receiver's name leads to no address that a webhook may be posted to.");
