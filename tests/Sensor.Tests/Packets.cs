using Sekisho.Traffic.Tests.Files;
using Sekisho.Traffic.Tests.Headers;

namespace Sekisho.Sensor.Tests;

/// <summary>Frames between devices with the numbers 1 to 250: MAC 02:00:00:00:01:NN, address 10.0.0.N. And captures of them.</summary>
internal static class Packets
{
    public const byte Syn = 0x02;
    public const byte SynAck = 0x12;
    public const byte Push = 0x18;

    public static string Mac(int device) => $"02:00:00:00:01:{device:x2}";

    public static byte[] Udp(int from, int to, ushort fromPort, ushort toPort, int payload) =>
        [.. Ethernet(from, to, 0x0800), .. IPv4(from, to, 17, 8 + payload), .. Frames.Udp(fromPort, toPort, payload), .. new byte[payload]];

    public static byte[] Tcp(int from, int to, ushort fromPort, ushort toPort, byte flags, int payload = 0) =>
        [.. Ethernet(from, to, 0x0800), .. IPv4(from, to, 6, 20 + payload), .. Frames.Tcp(fromPort, toPort, flags), .. new byte[payload]];

    /// <summary>Asks all who has the address.</summary>
    public static byte[] Arp(int from, int to) =>
        [255, 255, 255, 255, 255, 255, .. Ethernet(from, to, 0x0806)[6..], 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 1, (byte)from, 10, 0, 0, (byte)from, 0, 0, 0, 0, 0, 0, 10, 0, 0, (byte)to];

    /// <summary>A capture, pcap with microseconds, of frames at so many seconds after 1,000.</summary>
    public static byte[] Pcap(params IEnumerable<(uint Second, byte[] Frame)> frames) =>
    [
        .. Captures.Word(false, 0xA1B2C3D4), 2, 0, 4, 0, .. new byte[8], .. Captures.Word(false, 65535), .. Captures.Word(false, 1),
        .. frames.SelectMany(f => (byte[])[.. Captures.Word(false, 1000 + f.Second), .. new byte[4], .. Captures.Word(false, (uint)f.Frame.Length), .. Captures.Word(false, (uint)f.Frame.Length), .. f.Frame]),
    ];

    private static byte[] Ethernet(int from, int to, ushort type) => [2, 0, 0, 0, 1, (byte)to, 2, 0, 0, 0, 1, (byte)from, .. Frames.Two(type)];

    private static byte[] IPv4(int from, int to, byte protocol, int payload) =>
        [.. Frames.IPv4(protocol, payload)[..12], 10, 0, 0, (byte)from, 10, 0, 0, (byte)to];
}
