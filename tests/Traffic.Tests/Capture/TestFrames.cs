using System.Buffers.Binary;

namespace Sekisho.Traffic.Tests.Capture;

/// <summary>Ethernet frames with plain headers, written byte by byte.</summary>
internal static class TestFrames
{
    public const ulong ClientMac = 0x02_00_00_00_00_01;
    public const ulong ServerMac = 0x02_00_00_00_00_02;

    public static byte[] Udp4(int sourcePort, int destinationPort, ReadOnlySpan<byte> payload, params int[] tags) =>
        Ethernet(0x0800, IPv4(17, [.. Ports(sourcePort, destinationPort), .. Number16(8 + payload.Length), 0, 0, .. payload]), tags);

    public static byte[] Tcp4(int sourcePort, int destinationPort, int optionBytes, ReadOnlySpan<byte> payload, params int[] tags) =>
        Ethernet(0x0800, IPv4(6, Tcp(sourcePort, destinationPort, optionBytes, payload)), tags);

    public static byte[] Udp6(int sourcePort, int destinationPort, ReadOnlySpan<byte> payload, params int[] tags) =>
        Ethernet(0x86DD, IPv6(17, [.. Ports(sourcePort, destinationPort), .. Number16(8 + payload.Length), 0, 0, .. payload]), tags);

    public static byte[] Tcp6(int sourcePort, int destinationPort, int optionBytes, ReadOnlySpan<byte> payload, params int[] tags) =>
        Ethernet(0x86DD, IPv6(6, Tcp(sourcePort, destinationPort, optionBytes, payload)), tags);

    public static byte[] Ethernet(int etherType, ReadOnlySpan<byte> packet, params int[] tags)
    {
        var frame = new List<byte>([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        foreach (var tag in tags)
        {
            frame.AddRange([0x81, 0x00, .. Number16(tag)]);
        }

        return [.. frame, .. Number16(etherType), .. packet];
    }

    public static byte[] IPv4(byte protocol, ReadOnlySpan<byte> payload, int fragment = 0, int optionBytes = 0)
    {
        byte[] header = [(byte)(0x40 | ((20 + optionBytes) / 4)), 0, .. Number16(20 + optionBytes + payload.Length), 0, 1, .. Number16(fragment), 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, .. Enumerable.Repeat((byte)1, optionBytes)];
        var sum = 0;
        for (var i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(i));
        }

        while (sum > 0xFFFF)
        {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), (ushort)~sum);
        return [.. header, .. payload];
    }

    public static byte[] IPv6(byte next, ReadOnlySpan<byte> payload) =>
        [0x60, 0, 0, 0, .. Number16(payload.Length), next, 64, 0x20, 1, 0x0D, 0xB8, .. new byte[11], 1, 0x20, 1, 0x0D, 0xB8, .. new byte[11], 2, .. payload];

    private static byte[] Tcp(int sourcePort, int destinationPort, int optionBytes, ReadOnlySpan<byte> payload) =>
        [.. Ports(sourcePort, destinationPort), 0, 0, 0, 1, 0, 0, 0, 2, (byte)((20 + optionBytes) / 4 << 4), 0x18, 1, 0, 0, 0, 0, 0, .. Enumerable.Repeat((byte)1, optionBytes), .. payload];

    private static byte[] Ports(int source, int destination) => [.. Number16(source), .. Number16(destination)];

    private static byte[] Number16(int value) => [(byte)(value >> 8), (byte)value];
}
