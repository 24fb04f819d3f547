using System.Buffers.Binary;
using System.Net;

namespace Sekisho.Wire.Features;

/// <summary>An IPv4 or IPv6 address in 16 bytes, IPv4 mapped as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). The default is ::, which stands for "no address".</summary>
public readonly record struct NetAddress(ulong High, ulong Low) : IComparable<NetAddress>
{
    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    /// <summary>Whether this is an IPv4 address.</summary>
    public bool IsIPv4 => High == 0 && (Low & 0xFFFF_FFFF_0000_0000) == MappedPrefix;

    /// <summary>Whether there is no address.</summary>
    public bool IsNone => High == 0 && Low == 0;

    /// <summary>The address a.b.c.d, given as a number with a in its highest byte.</summary>
    public static NetAddress FromIPv4(uint address) => new(0, MappedPrefix | address);

    /// <summary>The 16 bytes of an IPv6 address in network order. Throws <see cref="ArgumentException"/> for another length.</summary>
    public static NetAddress FromIPv6(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != 16)
        {
            throw new ArgumentException("An IPv6 address has 16 bytes.", nameof(bytes));
        }

        return new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    /// <inheritdoc/>
    public int CompareTo(NetAddress other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    /// <summary>Order by number; IPv4 comes first.</summary>
    public static bool operator <(NetAddress left, NetAddress right) => left.CompareTo(right) < 0;

    /// <summary>Order by number; IPv4 comes first.</summary>
    public static bool operator >(NetAddress left, NetAddress right) => left.CompareTo(right) > 0;

    /// <summary>Order by number; IPv4 comes first.</summary>
    public static bool operator <=(NetAddress left, NetAddress right) => left.CompareTo(right) <= 0;

    /// <summary>Order by number; IPv4 comes first.</summary>
    public static bool operator >=(NetAddress left, NetAddress right) => left.CompareTo(right) >= 0;

    /// <summary>The address as the base library knows it; IPv4 addresses come out as such.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
        return IsIPv4 ? new IPAddress(bytes[12..]) : new IPAddress(bytes);
    }

    /// <summary>As text: 192.0.2.1, 2001:db8::1.</summary>
    public override string ToString() => ToIPAddress().ToString();
}
