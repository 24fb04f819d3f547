using System.Security.Cryptography;
using Sekisho.Tests.Support;
using Sekisho.Wire.Features;
using Sekisho.Wire.Orders;

namespace Sekisho.Wire.Tests.Orders;

public sealed class NetworkOrderTests : IDisposable
{
    private const string Sensor = "s0123456789abcde";
    private const long Issued = 1_795_752_000_000;
    private static readonly DateTimeOffset s_now = DateTimeOffset.FromUnixTimeMilliseconds(Issued + 1000);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static readonly NetworkOrder s_quarantine = new()
    {
        SensorId = Sensor,
        Measure = "l0123456789abcde",
        Sequence = 300,
        Kind = NetworkOrderKind.Quarantine,
        IssuedAt = Issued,
        ExpiresAt = Issued + 86_400_000,
        Macs = [0x0080_9200_0001],
        Addresses = [NetAddress.FromIPv4(0xC000_0207), NetAddress.FromIPv6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7])],
        Reachable = [new NetworkService(NetAddress.FromIPv4(0xC633_640A), 6, 443), new NetworkService(NetAddress.FromIPv4(0xC633_6435), 17, 53)],
    };

    // The order above without its signature: taken from the first version, never to change.
    private const string Golden =
        "4f0102733031323334353637383961626364656c303132333435363738396162636465ac0280f4a3d9a13480b8992901008092000001020000000000"
        + "0000000000ffffc000020720010db80000000000000000000000070200000000000000000000ffffc633640a0601bb00000000000000000000ffffc6"
        + "336435110035";

    public void Dispose() => _key.Dispose();

    [Fact]
    public void The_bytes_of_version_1_never_change()
    {
        var bytes = NetworkOrderCodec.Encode(s_quarantine, Sign);
        Assert.Equal(Golden, Convert.ToHexStringLower(bytes[..^NetworkOrderCodec.SignatureSize]));
        Assert.Equal(Text(s_quarantine), Text(Decoded(Signed(Convert.FromHexString(Golden)))));
    }

    [Fact]
    public void A_signature_that_was_made_elsewhere_is_verified()
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(GoldenKey), out _);
        Assert.Equal(OrderFault.None, NetworkOrderCodec.TryDecode(Convert.FromHexString(Golden + GoldenSignature), key, out var order));
        Assert.Equal(Text(s_quarantine), Text(order!));
    }

    // Made by OpenSSL with a key of its own: r and s of the DER signature, and the public key.
    private const string GoldenKey = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEIta4DkW1ODfSxiIAv3XU1XG4E6EkVt8LDOKCt65jRS9jr7tBCPtncpOLUrcU7YmXl5EBIOH8mx4uJv7pzhHew==";
    private const string GoldenSignature = "a0ff703460835a7107fbeba8efc80d5c24e9b6ebe293bed6c3db57ac6c08946e0e60b88b2f6f2c3ccbd59a3fdd4f33f264c5c5428db5f870da9c16c850cfaaeb";

    [Fact]
    public void What_is_written_is_read_again()
    {
        var block = s_quarantine with { Kind = NetworkOrderKind.Block, Reachable = [], Sequence = long.MaxValue };
        var lift = s_quarantine with { Kind = NetworkOrderKind.Lift, Macs = [], Addresses = [], Reachable = [] };
        var largest = s_quarantine with
        {
            ExpiresAt = Issued + (long)NetworkOrderCodec.LongestLife.TotalMilliseconds,
            Macs = [.. Enumerable.Range(1, NetworkOrderCodec.MostMacs).Select(i => (ulong)i)],
            Addresses = [.. Enumerable.Range(1, NetworkOrderCodec.MostAddresses).Select(i => NetAddress.FromIPv4(0x0A00_0000 | (uint)i))],
            Reachable = [.. Enumerable.Range(1, NetworkOrderCodec.MostServices).Select(i => new NetworkService(NetAddress.FromIPv4(0x0A01_0000 | (uint)i), 17, (ushort)i))],
        };
        foreach (var order in (NetworkOrder[])[s_quarantine, block, lift, largest])
        {
            var bytes = NetworkOrderCodec.Encode(order, Sign);
            Assert.InRange(bytes.Length, NetworkOrderCodec.SignatureSize, NetworkOrderCodec.MostBytes);
            Assert.Equal(Text(order), Text(Decoded(bytes)));
        }
    }

    [Fact]
    public void An_order_that_breaks_a_rule_is_neither_written_nor_read()
    {
        NetworkOrder[] wrong =
        [
            s_quarantine with { Kind = NetworkOrderKind.Block },
            s_quarantine with { Kind = NetworkOrderKind.Lift },
            s_quarantine with { Kind = (NetworkOrderKind)4 },
            s_quarantine with { Macs = [], Addresses = [] },
            s_quarantine with { SensorId = "S0123456789abcde" },
            s_quarantine with { Measure = "l0123456789abcd-" },
            s_quarantine with { Sequence = 0 },
            s_quarantine with { ExpiresAt = Issued },
            s_quarantine with { ExpiresAt = Issued + (long)NetworkOrderCodec.LongestLife.TotalMilliseconds + 1 },
            s_quarantine with { Macs = [0] },
            s_quarantine with { Macs = [0xFFFF_FFFF_FFFF] },
            s_quarantine with { Macs = [.. Enumerable.Range(1, NetworkOrderCodec.MostMacs + 1).Select(i => (ulong)i)] },
            s_quarantine with { Addresses = [default] },
            s_quarantine with { Addresses = [NetAddress.FromIPv4(0)] },
            s_quarantine with { Addresses = [NetAddress.FromIPv4(0x7F00_0001)] },
            s_quarantine with { Addresses = [NetAddress.FromIPv4(0xE000_0001)] },
            s_quarantine with { Addresses = [NetAddress.FromIPv4(0xFFFF_FFFF)] },
            s_quarantine with { Addresses = [new NetAddress(0, 1)] },
            s_quarantine with { Addresses = [new NetAddress(0xFF02_0000_0000_0000, 1)] },
            s_quarantine with { Reachable = [new NetworkService(NetAddress.FromIPv4(0xC633_640A), 1, 443)] },
            s_quarantine with { Reachable = [new NetworkService(NetAddress.FromIPv4(0xC633_640A), 6, 0)] },
        ];
        Assert.All(wrong, o => Assert.Throws<ArgumentException>(() => NetworkOrderCodec.Encode(o, Sign)));

        // The same for bytes that the right key signed: other versions, kinds that are not known, bytes behind the end, bytes that lack.
        var body = Convert.FromHexString(Golden);
        byte[][] damaged = [[.. body[..1], 2, .. body[2..]], [.. body[..2], 4, .. body[3..]], [(byte)'P', .. body[1..]], [.. body, 0], body[..^1], [body[0]]];
        Assert.All(damaged, b => Assert.Equal(OrderFault.Damaged, NetworkOrderCodec.TryDecode(Signed(b), _key, out _)));
        Assert.Equal(OrderFault.Damaged, NetworkOrderCodec.TryDecode([], _key, out _));
        Assert.Equal(OrderFault.Damaged, NetworkOrderCodec.TryDecode(new byte[NetworkOrderCodec.MostBytes + 1], _key, out _));
    }

    [Fact]
    public void Each_changed_bit_and_each_other_key_breaks_the_signature()
    {
        var bytes = NetworkOrderCodec.Encode(s_quarantine, Sign);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= (byte)(1 << (i % 8));
            Assert.Equal(OrderFault.WrongSignature, NetworkOrderCodec.TryDecode(bytes, _key, out _));
            bytes[i] ^= (byte)(1 << (i % 8));
        }

        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal(OrderFault.WrongSignature, NetworkOrderCodec.TryDecode(bytes, other, out _));
    }

    [Fact]
    public void An_order_for_another_sensor_repeated_expired_or_from_the_future_is_not_followed()
    {
        Assert.Equal(OrderFault.None, NetworkOrderCodec.Check(s_quarantine, Sensor, 299, s_now));
        Assert.Equal(OrderFault.OtherSensor, NetworkOrderCodec.Check(s_quarantine, "s0123456789abcdf", 299, s_now));
        Assert.Equal(OrderFault.Repeated, NetworkOrderCodec.Check(s_quarantine, Sensor, 300, s_now));
        Assert.Equal(OrderFault.Repeated, NetworkOrderCodec.Check(s_quarantine, Sensor, 301, s_now));
        Assert.Equal(OrderFault.Expired, NetworkOrderCodec.Check(s_quarantine, Sensor, 299, s_now.AddDays(1)));
        Assert.Equal(OrderFault.None, NetworkOrderCodec.Check(s_quarantine, Sensor, 299, s_now.AddMinutes(-5)));
        Assert.Equal(OrderFault.FarFuture, NetworkOrderCodec.Check(s_quarantine, Sensor, 299, s_now.AddMinutes(-6)));
    }

    [Fact]
    public void Whatever_bytes_are_signed_nothing_is_thrown_and_what_is_taken_is_written_again()
    {
        var random = Fuzz.Source(47);
        var body = Convert.FromHexString(Golden);
        for (var round = 0; round < Fuzz.Rounds(2000); round++)
        {
            byte[] bytes = round % 4 == 0 ? new byte[random.Next(1, 300)] : [.. body[..random.Next(1, body.Length + 1)], .. new byte[random.Next(0, 2)]];
            for (var i = round % 4 == 0 ? bytes.Length : random.Next(0, 4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (NetworkOrderCodec.TryDecode(Signed(bytes), _key, out var order) == OrderFault.None)
            {
                Assert.Equal(Text(order!), Text(Decoded(NetworkOrderCodec.Encode(order!, Sign))));
            }

            Assert.NotEqual(OrderFault.None, NetworkOrderCodec.TryDecode(bytes, _key, out _));
        }
    }

    private static string Text(NetworkOrder order) => System.Text.Json.JsonSerializer.Serialize(order);

    private byte[] Sign(byte[] body) => _key.SignData(body, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private byte[] Signed(byte[] body) => [.. body, .. Sign(body)];

    private NetworkOrder Decoded(byte[] bytes)
    {
        Assert.Equal(OrderFault.None, NetworkOrderCodec.TryDecode(bytes, _key, out var order));
        return order!;
    }
}
