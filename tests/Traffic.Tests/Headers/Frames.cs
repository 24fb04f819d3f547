using System.Buffers.Binary;

namespace Sekisho.Traffic.Tests.Headers;

/// <summary>Frames layer by layer, as the standards draw them.</summary>
internal static class Frames
{
    public static byte[] Of(params byte[][] layers) => [.. layers.SelectMany(l => l)];

    public static byte[] Ethernet(ushort type) => [0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01, .. Two(type)];

    public static byte[] Tag(ushort vlan, ushort type) => [.. Two(vlan), .. Two(type)];

    public static byte[] IPv4(byte protocol, int payload, ushort fragment = 0) =>
        [0x45, 0, .. Two((ushort)(20 + payload)), 0x12, 0x34, .. Two(fragment), 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];

    public static byte[] IPv6(byte next, int payload) =>
        [0x60, 0, 0, 0, .. Two((ushort)payload), next, 63, 0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

    public static byte[] Tcp(ushort from, ushort to, byte flags = 0x18) => [.. Two(from), .. Two(to), 0, 0, 0, 100, 0, 0, 0, 200, 0x50, flags, 0x20, 0, 0, 0, 0, 0];

    public static byte[] Udp(ushort from, ushort to, int payload) => [.. Two(from), .. Two(to), .. Two((ushort)(8 + payload)), 0, 0];

    public static byte[] Arp(ushort operation) =>
        [0, 1, 8, 0, 6, 4, .. Two(operation), 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9];

    public static byte[] Two(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }
}
