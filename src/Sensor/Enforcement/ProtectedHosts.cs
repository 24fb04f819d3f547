using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Numerics;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Enforcement;

/// <summary>A neighbour as the kernel knows it.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Mac">Its MAC, the low 48 bits.</param>
/// <param name="Interface">The interface it is at.</param>
internal readonly record struct Neighbour(IPAddress Address, ulong Mac, string Interface);

/// <summary>A route as the kernel has it.</summary>
/// <param name="To">Where it leads.</param>
/// <param name="Hop">The router; null where the hosts themselves are at the interface.</param>
/// <param name="Interface">The interface it leaves by.</param>
internal readonly record struct Route(IPNetwork To, IPAddress? Hop, string Interface);

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

    // Any device can claim a router's address in ARP or neighbour discovery: of each, the MAC that was seen first counts.
    private readonly Dictionary<(IPAddress Address, string Interface), ulong> _routers = [];

    /// <summary>
    /// Looks again who is who. What the gateway's name led to once stays protected. Whom an order in force names becomes no router: else a device could end
    /// its block by claiming to be one.
    /// </summary>
    public async Task LookAsync(IReadOnlyCollection<NetworkOrder> inForce, CancellationToken cancellation)
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

        Route[] routes = [.. Routes(Lines("/proc/net/route")), .. Routes6(Lines("/proc/net/ipv6_route"))];
        var blocked = inForce.SelectMany(o => o.Addresses).Select(a => a.ToIPAddress()).ToHashSet();
        var hops = routes.Where(r => r.Hop is not null && !blocked.Contains(r.Hop)).Select(r => (Address: r.Hop!, r.Interface)).ToHashSet();
        _own.UnionWith(hops.Select(h => h.Address));
        hops.UnionWith(from address in _gateway let way = Way(routes, address) where way is { Hop: null } select (address, way.Value.Interface));
        var blockedMacs = inForce.SelectMany(o => o.Macs).ToHashSet();
        foreach (var neighbour in Neighbours(Lines("/proc/net/arp")).Concat(NeighbourTable.Ipv6Neighbours()))
        {
            if (hops.Contains((neighbour.Address, neighbour.Interface)) && !blockedMacs.Contains(neighbour.Mac))
            {
                _routers.TryAdd((neighbour.Address, neighbour.Interface), neighbour.Mac);
            }
        }
    }

    /// <summary>Whether an order would touch somebody who is protected.</summary>
    public bool Holds(NetworkOrder order) => order.Macs.Any(m => _macs.Contains(m) || _routers.ContainsValue(m)) || order.Addresses.Any(a => IsProtected(a.ToIPAddress()));

    private bool IsProtected(IPAddress address) => _gateway.Contains(address) || _own.Contains(address) || networks.Any(n => n.BaseAddress.AddressFamily == address.AddressFamily && n.Contains(address));

    /// <summary>The route that leads to an address; null for none.</summary>
    internal static Route? Way(IEnumerable<Route> routes, IPAddress to) =>
        routes.Where(r => r.To.BaseAddress.AddressFamily == to.AddressFamily && r.To.Contains(to)).Select(r => (Route?)r).MaxBy(r => r!.Value.To.PrefixLength);

    /// <summary>The routes that /proc/net/route names; each number has the machine's byte order.</summary>
    internal static IEnumerable<Route> Routes(IEnumerable<string> lines)
    {
        foreach (var line in lines.Skip(1))
        {
            var columns = line.Split('\t');
            if (columns.Length > 7 && Number(columns[1]) is { } to && Number(columns[2]) is { } hop && Number(columns[7]) is { } mask
                && IPNetwork.TryParse(string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(to)}/{BitOperations.PopCount(mask)}"), out var network))
            {
                yield return new Route(network, hop == 0 ? null : new IPAddress(hop), columns[0]);
            }
        }

        static uint? Number(string hex) => hex.Length == 8 && uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>The routes that /proc/net/ipv6_route names: destination and its length, source and its length, router, four numbers, interface.</summary>
    internal static IEnumerable<Route> Routes6(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 9 && Address(columns[0]) is { } to && Address(columns[4]) is { } hop && byte.TryParse(columns[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length)
                && IPNetwork.TryParse(string.Create(CultureInfo.InvariantCulture, $"{to}/{length}"), out var network))
            {
                yield return new Route(network, hop.Equals(IPAddress.IPv6Any) ? null : hop, columns[9]);
            }
        }

        static IPAddress? Address(string hex) => hex.Length == 32 && hex.All(char.IsAsciiHexDigit) ? new IPAddress(Convert.FromHexString(hex)) : null;
    }

    /// <summary>Neighbours that /proc/net/arp names.</summary>
    internal static IEnumerable<Neighbour> Neighbours(IEnumerable<string> lines)
    {
        foreach (var line in lines.Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 5 && columns[3].Length == MacLength && IPAddress.TryParse(columns[0], out var address)
                && ulong.TryParse(columns[3].Replace(":", "", StringComparison.Ordinal), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mac) && mac != 0)
            {
                yield return new Neighbour(address, mac, columns[5]);
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
