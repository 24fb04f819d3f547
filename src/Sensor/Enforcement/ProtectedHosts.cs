using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Enforcement;

/// <summary>
/// Whom an order never touches, whoever signed it: this machine, its gateway, the routers on the way there, and the networks that the site names. One thread at a time.
/// </summary>
/// <param name="gateway">The gateway.</param>
/// <param name="networks">What the site names.</param>
internal sealed class ProtectedHosts(Uri gateway, IReadOnlyList<IPNetwork> networks)
{
    private const int MacLength = 17;
    private readonly HashSet<IPAddress> _gateway = [];
    private readonly HashSet<IPAddress> _own = [];
    private readonly HashSet<ulong> _macs = [];

    /// <summary>Looks again who is who. What the gateway's name led to once stays protected.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        try
        {
            // An address that is written as one is not asked for anywhere.
            _gateway.UnionWith((await Dns.GetHostAddressesAsync(gateway.DnsSafeHost, cancellation).ConfigureAwait(false)).Select(Plain));
        }
        catch (SocketException)
        {
            // No name service now: what is known already stays.
        }

        _own.Clear();
        _macs.Clear();
        foreach (var one in NetworkInterface.GetAllNetworkInterfaces())
        {
            _own.UnionWith(one.GetIPProperties().UnicastAddresses.Select(a => Plain(a.Address)));
            if (one.GetPhysicalAddress().GetAddressBytes() is { Length: 6 } bytes)
            {
                _macs.Add(bytes.Aggregate(0UL, (mac, b) => (mac << 8) | b));
            }
        }

        _own.UnionWith(NextHops(Lines("/proc/net/route")));
        _own.UnionWith(NextHops6(Lines("/proc/net/ipv6_route")));
        foreach (var (address, mac) in Neighbours(Lines("/proc/net/arp")).Concat(NeighbourTable.Ipv6Neighbours()))
        {
            if (IsProtected(address))
            {
                _macs.Add(mac);
            }
        }
    }

    /// <summary>Whether an order would touch somebody who is protected.</summary>
    public bool Holds(NetworkOrder order) => order.Macs.Any(_macs.Contains) || order.Addresses.Any(a => IsProtected(a.ToIPAddress()));

    private bool IsProtected(IPAddress address) => _gateway.Contains(address) || _own.Contains(address) || networks.Any(n => n.BaseAddress.AddressFamily == address.AddressFamily && n.Contains(address));

    /// <summary>The routers that /proc/net/route names.</summary>
    internal static IEnumerable<IPAddress> NextHops(IEnumerable<string> lines) =>
        from line in lines.Skip(1)
        let columns = line.Split('\t')
        where columns.Length > 2 && columns[2].Length == 8
        let hop = uint.TryParse(columns[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var raw) ? raw : 0
        where hop != 0
        select new IPAddress(hop);

    /// <summary>The routers that /proc/net/ipv6_route names: its fifth column, in network order.</summary>
    internal static IEnumerable<IPAddress> NextHops6(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 4 && columns[4].Length == 32 && columns[4].All(char.IsAsciiHexDigit) && columns[4].Any(c => c != '0'))
            {
                yield return new IPAddress(Convert.FromHexString(columns[4]));
            }
        }
    }

    /// <summary>Addresses and MACs that /proc/net/arp names.</summary>
    internal static IEnumerable<(IPAddress Address, ulong Mac)> Neighbours(IEnumerable<string> lines)
    {
        foreach (var line in lines.Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 3 && columns[3].Length == MacLength && IPAddress.TryParse(columns[0], out var address)
                && ulong.TryParse(columns[3].Replace(":", "", StringComparison.Ordinal), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mac) && mac != 0)
            {
                yield return (address, mac);
            }
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (IOException)
        {
            // A kernel without it has no such neighbours to tell.
            return [];
        }
    }
}
