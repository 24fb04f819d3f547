using System.Globalization;
using System.Net;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Enforcement;

/// <summary>An element of one of the enforcer's sets: the parts of its key as nftables writes them.</summary>
/// <param name="Set">Name of the set.</param>
/// <param name="Key">MAC, address, protocol, port, joined by a space.</param>
internal readonly record struct SetElement(string Set, string Key)
{
    /// <summary>What an order asks for, in every set that it touches.</summary>
    public static IEnumerable<SetElement> Of(NetworkOrder order)
    {
        var kind = order.Kind == NetworkOrderKind.Block ? "blocked" : "quarantined";
        foreach (var mac in order.Macs)
        {
            yield return new(kind + "_mac", Text(mac));
        }

        foreach (var address in order.Addresses)
        {
            yield return new(kind + (address.IsIPv4 ? "4" : "6"), address.ToString());
        }

        foreach (var service in order.Reachable)
        {
            var (four, end) = (service.Address.IsIPv4, string.Create(CultureInfo.InvariantCulture, $"{service.Address} {service.Protocol} {service.Port}"));
            foreach (var mac in order.Macs)
            {
                yield return new(four ? "reach_mac4" : "reach_mac6", $"{Text(mac)} {end}");
                if (!four)
                {
                    yield return new("near_mac6", $"{Text(mac)} {service.Address}");
                }
            }

            foreach (var address in order.Addresses.Where(a => a.IsIPv4 == four))
            {
                yield return new(four ? "reach4" : "reach6", $"{address} {end}");
                if (!four)
                {
                    yield return new("near6", $"{address} {service.Address}");
                }
            }
        }
    }

    /// <summary>The elements of all orders, each until the last order that asks for it ends; none for longer than an order was made for, however far behind the clock is.</summary>
    public static Dictionary<SetElement, DateTimeOffset> Wanted(IEnumerable<NetworkOrder> orders, DateTimeOffset now)
    {
        var wanted = new Dictionary<SetElement, DateTimeOffset>();
        foreach (var order in orders)
        {
            var (end, longest) = (DateTimeOffset.FromUnixTimeMilliseconds(order.ExpiresAt), now.AddMilliseconds(order.ExpiresAt - order.IssuedAt));
            var until = end < longest ? end : longest;
            foreach (var element in Of(order))
            {
                wanted[element] = wanted.TryGetValue(element, out var other) && other > until ? other : until;
            }
        }

        return wanted;
    }

    /// <summary>A MAC as nftables writes it.</summary>
    public static string Text(ulong mac) => string.Join(':', Enumerable.Range(0, 6).Select(i => ((mac >> (40 - (8 * i))) & 0xFF).ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>A part of a key in one form, whichever nftables or the kernel chose.</summary>
    public static string Canonical(string part) => part switch
    {
        "tcp" => "6",
        "udp" => "17",
        _ => part.AsSpan().IndexOfAny(':', '.') >= 0 && IPAddress.TryParse(part, out var address) ? address.ToString() : part.ToLowerInvariant(),
    };
}
