using System.Net;
using System.Net.Sockets;

namespace Sekisho.Devices.Tokens;

/// <summary>Compares addresses of senders. An IPv6 host changes the lower half of its address at will (RFC 8981), so the network part counts.</summary>
internal static class Sources
{
    private const int NetworkBytes = 8;

    /// <summary>Text of an address: IPv4 also when it arrived over an IPv6 socket, no zone, "unknown" when there is none.</summary>
    public static string Of(IPAddress? address) => address switch
    {
        null => "unknown",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => new IPAddress(address.GetAddressBytes()).ToString(),
        _ => address.ToString(),
    };

    /// <summary>True when both addresses may be one sender.</summary>
    public static bool Same(string? one, string? other) =>
        one is not null && other is not null && (string.Equals(one, other, StringComparison.Ordinal) || Network(one) == Network(other));

    /// <summary>The part of an address that a sender cannot change at will.</summary>
    public static string Network(string source)
    {
        if (!IPAddress.TryParse(source, out var address))
        {
            return source;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4().ToString();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address.ToString();
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new IPAddress(bytes) + "/64";
    }
}
