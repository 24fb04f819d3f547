using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Sekisho.Wire.Bytes;
using Sekisho.Wire.Features;

namespace Sekisho.Wire.Orders;

/// <summary>
/// Orders as bytes. Version 1:
/// <code>
/// byte 0      'O'
/// byte 1      version, 1
/// byte 2      kind: 1 block, 2 quarantine, 3 lift
/// 16 bytes    sensor, ASCII
/// 16 bytes    measure, ASCII
/// number      sequence
/// number      issued at, milliseconds since 1970
/// number      life, milliseconds
/// number      how many MACs · each 6 bytes
/// number      how many addresses · each 16 bytes, IPv4 mapped
/// number      how many services · each: address 16 bytes · protocol 1 byte · port 2 bytes
/// 64 bytes    ECDSA on P-256 with SHA-256 over all bytes before, r and s (IEEE P1363)
/// </code>
/// Numbers are LEB128, others have the highest byte first. Any thread.
/// </summary>
public static class NetworkOrderCodec
{
    /// <summary>Version of the layout.</summary>
    public const byte Version = 1;

    /// <summary>Bytes of a signature.</summary>
    public const int SignatureSize = 64;

    /// <summary>MACs of one order at most.</summary>
    public const int MostMacs = 16;

    /// <summary>Addresses of one order at most.</summary>
    public const int MostAddresses = 32;

    /// <summary>Services of one order at most.</summary>
    public const int MostServices = 32;

    /// <summary>Bytes of an order at most.</summary>
    public const int MostBytes = 2048;

    /// <summary>Characters of the names of sensors and measures.</summary>
    public const int NameSize = 16;

    /// <summary>How long an order may be good for.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(7);

    /// <summary>How far a sensor's clock may be behind the gateway's.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    private const byte Mark = (byte)'O';
    private const int MacSize = 6;
    private const int AddressSize = 16;
    private const int ServiceSize = AddressSize + 1 + 2;

    /// <summary>The signed bytes of an order.</summary>
    /// <param name="order">The order.</param>
    /// <param name="sign">Signs bytes: ECDSA on P-256 with SHA-256, IEEE P1363.</param>
    /// <exception cref="ArgumentException">The order is none that a reader takes.</exception>
    public static byte[] Encode(NetworkOrder order, Func<byte[], byte[]> sign)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(sign);
        var body = Body(order);
        if (Read(body) is null)
        {
            throw new ArgumentException("The order breaks a rule of its layout.", nameof(order));
        }

        return [.. body, .. sign(body)];
    }

    /// <summary>Takes an order apart, its signature first. Whatever the bytes are, it throws nothing.</summary>
    /// <param name="bytes">What <see cref="Encode"/> made, or anything else.</param>
    /// <param name="key">The gateway's order key.</param>
    /// <param name="order">The order; null unless the result is <see cref="OrderFault.None"/>.</param>
    public static OrderFault TryDecode(ReadOnlySpan<byte> bytes, ECDsa key, out NetworkOrder? order)
    {
        ArgumentNullException.ThrowIfNull(key);
        order = null;
        if (bytes.Length is <= SignatureSize or > MostBytes)
        {
            return OrderFault.Damaged;
        }

        var body = bytes[..^SignatureSize];
        if (!key.VerifyData(body, bytes[^SignatureSize..], HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
        {
            return OrderFault.WrongSignature;
        }

        order = Read(body);
        return order is null ? OrderFault.Damaged : OrderFault.None;
    }

    /// <summary>Whether a sensor follows an order that its gateway signed.</summary>
    /// <param name="order">The order.</param>
    /// <param name="sensorId">The sensor.</param>
    /// <param name="last">Highest sequence that it has seen.</param>
    /// <param name="now">Its clock.</param>
    public static OrderFault Check(NetworkOrder order, string sensorId, long last, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(order);
        var clock = now.ToUnixTimeMilliseconds();
        return order.SensorId != sensorId ? OrderFault.OtherSensor
            : order.Sequence <= last ? OrderFault.Repeated
            : order.HasEnded(now) ? OrderFault.Expired
            : order.IssuedAt > clock + (long)ClockTolerance.TotalMilliseconds ? OrderFault.FarFuture
            : OrderFault.None;
    }

    private static byte[] Body(NetworkOrder order)
    {
        var writer = new ByteWriter(256);
        writer.Byte(Mark);
        writer.Byte(Version);
        writer.Byte((byte)order.Kind);
        writer.Raw(Encoding.ASCII.GetBytes(order.SensorId));
        writer.Raw(Encoding.ASCII.GetBytes(order.Measure));
        writer.Count(order.Sequence);
        writer.Count(order.IssuedAt);
        writer.Count(order.ExpiresAt - order.IssuedAt);
        Span<byte> place = stackalloc byte[ServiceSize];
        writer.Count(order.Macs.Count);
        foreach (var mac in order.Macs)
        {
            BinaryPrimitives.WriteUInt64BigEndian(place, mac);
            writer.Raw(place[2..8]);
        }

        writer.Count(order.Addresses.Count);
        foreach (var address in order.Addresses)
        {
            Put(place, address);
            writer.Raw(place[..AddressSize]);
        }

        writer.Count(order.Reachable.Count);
        foreach (var service in order.Reachable)
        {
            Put(place, service.Address);
            place[AddressSize] = service.Protocol;
            BinaryPrimitives.WriteUInt16BigEndian(place[(AddressSize + 1)..], service.Port);
            writer.Raw(place);
        }

        return writer.Written.ToArray();
    }

    // Null for anything that is not exactly an order: a reader that passed over what it does not know might do less than it was told, or more.
    private static NetworkOrder? Read(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        var known = reader.Byte() == Mark & reader.Byte() == Version;
        var kind = (NetworkOrderKind)reader.Byte();
        var sensor = Name(reader.Raw(NameSize));
        var measure = Name(reader.Raw(NameSize));
        var sequence = reader.Count();
        var issued = reader.Count(long.MaxValue / 2);
        var life = reader.Count((long)LongestLife.TotalMilliseconds);
        var macs = new ulong[reader.Items(MostMacs, MacSize)];
        Span<byte> place = stackalloc byte[8];
        for (var i = 0; i < macs.Length; i++)
        {
            place.Clear();
            reader.Raw(MacSize).CopyTo(place[2..]);
            macs[i] = BinaryPrimitives.ReadUInt64BigEndian(place);
        }

        var addresses = new NetAddress[reader.Items(MostAddresses, AddressSize)];
        for (var i = 0; i < addresses.Length; i++)
        {
            addresses[i] = NetAddress.FromIPv6(reader.Raw(AddressSize));
        }

        var services = new NetworkService[reader.Items(MostServices, ServiceSize)];
        for (var i = 0; i < services.Length; i++)
        {
            var bytes = reader.Raw(ServiceSize);
            services[i] = new NetworkService(NetAddress.FromIPv6(bytes[..AddressSize]), bytes[AddressSize], BinaryPrimitives.ReadUInt16BigEndian(bytes[(AddressSize + 1)..]));
        }

        var targets = macs.Length + addresses.Length;
        var fits = kind switch
        {
            NetworkOrderKind.Block => targets > 0 && services.Length == 0,
            NetworkOrderKind.Quarantine => targets > 0,
            NetworkOrderKind.Lift => targets == 0 && services.Length == 0,
            _ => false,
        };
        if (reader.Fault is not null || reader.Left > 0 || !known || !fits || sensor is null || measure is null || sequence == 0 || life == 0
            || !macs.All(Station) || !addresses.All(Host) || !services.All(s => Host(s.Address) && s.Protocol is 6 or 17 && s.Port > 0))
        {
            return null;
        }

        return new NetworkOrder
        {
            SensorId = sensor,
            Measure = measure,
            Sequence = sequence,
            Kind = kind,
            IssuedAt = issued,
            ExpiresAt = issued + life,
            Macs = macs,
            Addresses = addresses,
            Reachable = services,
        };
    }

    /// <summary>Whether a MAC is that of one station: no group, not zero.</summary>
    public static bool Station(ulong mac) => mac is > 0 and < 1UL << 48 && ((mac >> 40) & 1) == 0;

    /// <summary>Whether an address is that of one host that others can talk to: no group, no loopback, not "none".</summary>
    public static bool Host(NetAddress address)
    {
        if (address.IsIPv4)
        {
            var first = (byte)(address.Low >> 24);
            return first is > 0 and < 224 and not 127;
        }

        return address.High >> 56 != 0xFF && !(address.High == 0 && address.Low <= 1) && !(address.High == 0 && address.Low >> 32 == 0xFFFF);
    }

    private static void Put(Span<byte> place, NetAddress address)
    {
        BinaryPrimitives.WriteUInt64BigEndian(place, address.High);
        BinaryPrimitives.WriteUInt64BigEndian(place[8..], address.Low);
    }

    private static string? Name(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            if (!char.IsAsciiLetterLower((char)b) && !char.IsAsciiDigit((char)b))
            {
                return null;
            }
        }

        return bytes.Length == NameSize ? Encoding.ASCII.GetString(bytes) : null;
    }
}
