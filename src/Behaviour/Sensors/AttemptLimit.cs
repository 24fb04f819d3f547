using System.Net;
using System.Net.Sockets;

namespace Sekisho.Behaviour.Sensors;

/// <summary>
/// Limits failed attempts to enrol by the sender's address. The table has a fixed size: addresses that fall on one place share a budget, and where
/// one falls nobody can aim at, because the hash is this process's own. Any thread.
/// </summary>
internal sealed class AttemptLimit(SensorSettings settings, TimeProvider clock)
{
    private const int Places = 1 << 12;
    private const int NetworkBytes = 8;

    private readonly long[] _places = new long[Places];

    /// <summary>Charges a failure; zero while within the limit, else how long to wait.</summary>
    public TimeSpan Failed(IPAddress? source) => Bucket.Take(ref _places[Place(source)], clock.GetUtcNow(), settings.FailuresPerSourcePerMinute);

    // An IPv6 host changes the lower half of its address at will (RFC 8981).
    private static int Place(IPAddress? source)
    {
        if (source is null)
        {
            return 0;
        }

        var bytes = (source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source).GetAddressBytes();
        var hash = default(HashCode);
        hash.AddBytes(source.AddressFamily == AddressFamily.InterNetworkV6 && !source.IsIPv4MappedToIPv6 ? bytes.AsSpan(0, NetworkBytes) : bytes);
        return hash.ToHashCode() & (Places - 1);
    }
}
