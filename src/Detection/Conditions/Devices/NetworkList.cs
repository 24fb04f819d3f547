namespace Sekisho.Detection.Conditions.Devices;

/// <summary>Networks that somebody has named. Immutable.</summary>
/// <param name="texts">In CIDR form, or single addresses; templates are checked for that when they are read.</param>
internal sealed class NetworkList(IEnumerable<string> texts)
{
    /// <summary>Addresses that nobody has on the Internet: private ones, link-local ones, and those between a carrier and its NAT.</summary>
    public static readonly NetworkList Private = new(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"]);

    private readonly NetworkRange[] _ranges = [.. texts.Select(text => NetworkRange.TryParse(text, out var range) ? range : throw new FormatException($"'{text}' is no network."))];

    public bool IsEmpty => _ranges.Length == 0;

    public bool Contains(in SourceKey source)
    {
        foreach (var range in _ranges)
        {
            if (range.Contains(source))
            {
                return true;
            }
        }

        return false;
    }
}
