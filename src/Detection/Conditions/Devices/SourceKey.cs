using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sekisho.Detection.Conditions.Devices;

/// <summary>
/// A sender's address in the forms that conditions compare. The default stands for "nobody".
/// </summary>
/// <param name="Text">The address as text; null when there is none.</param>
/// <param name="Hash">Stable hash of the address; 0 when there is none.</param>
/// <param name="Network">Stable hash of its network (/24 or /48); 0 when there is none.</param>
/// <param name="NetworkText">That network in CIDR form; for what is no address the text itself.</param>
/// <param name="Bits">The address as a number, IPv4 in its mapped form (::ffff:0:0/96); zero when it is no address.</param>
internal readonly record struct SourceKey(string? Text, ulong Hash, ulong Network, string? NetworkText, UInt128 Bits)
{
    /// <summary>True for an IPv4 address.</summary>
    public bool IsIPv4 => Bits >> 32 == 0xFFFF;

    public static SourceKey Of(string source)
    {
        if (!IPAddress.TryParse(source, out var address))
        {
            return new SourceKey(source, StableHash.Of("address", source), StableHash.Of("network", source), source, 0);
        }

        var bits = BitsOf(address);
        var network = address.AddressFamily == AddressFamily.InterNetwork ? TextOf(bits, 120) + "/24" : TextOf(bits, 48) + "/48";
        return new SourceKey(source, StableHash.Of("address", source), StableHash.Of("network", network), network, bits);
    }

    public static UInt128 BitsOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static string TextOf(UInt128 bits, int prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, bits & NetworkRange.Mask(prefix));
        var address = new IPAddress(bytes);
        return (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
    }
}

/// <summary>A network in CIDR form, ready to compare.</summary>
/// <param name="Bits">Its address, IPv4 mapped.</param>
/// <param name="Prefix">Leading bits that count, 0 to 128.</param>
internal readonly record struct NetworkRange(UInt128 Bits, int Prefix)
{
    public static UInt128 Mask(int prefix) => prefix == 0 ? 0 : UInt128.MaxValue << (128 - prefix);

    /// <summary>Reads "192.0.2.0/24", "2001:db8::/32" or a single address.</summary>
    public static bool TryParse(string text, out NetworkRange range)
    {
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address) || (address.AddressFamily == AddressFamily.InterNetwork && text.AsSpan(0, slash < 0 ? text.Length : slash).Count('.') != 3))
        {
            return false;
        }

        var most = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var prefix = most;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out prefix) || prefix > most))
        {
            return false;
        }

        prefix += 128 - most;
        range = new NetworkRange(SourceKey.BitsOf(address) & Mask(prefix), prefix);
        return true;
    }

    public bool Contains(in SourceKey source) => source.Bits != 0 && (source.Bits & Mask(Prefix)) == Bits;
}

/// <summary>
/// Keeps what was worked out about addresses and names, so that it is not worked out per message. Only a shortcut: what it gives depends on the
/// text alone. One lane at a time.
/// </summary>
internal sealed class SourceCache
{
    private const int Most = 16_384;
    private readonly Dictionary<string, SourceKey> _sources = [];
    private readonly Dictionary<string, ulong> _hashes = [];

    public SourceKey Source(string? source)
    {
        if (source is null)
        {
            return default;
        }

        if (!_sources.TryGetValue(source, out var key))
        {
            if (_sources.Count >= Most)
            {
                _sources.Clear();
            }

            _sources[source] = key = SourceKey.Of(source);
        }

        return key;
    }

    /// <summary>Stable hash of a text; 0 for null.</summary>
    public ulong Hash(string? text)
    {
        if (text is null)
        {
            return 0;
        }

        if (!_hashes.TryGetValue(text, out var hash))
        {
            if (_hashes.Count >= Most)
            {
                _hashes.Clear();
            }

            _hashes[text] = hash = StableHash.Of("text", text);
        }

        return hash;
    }
}
