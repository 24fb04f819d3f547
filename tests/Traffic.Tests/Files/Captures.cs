using System.Buffers.Binary;
using System.IO.Compression;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Headers;

namespace Sekisho.Traffic.Tests.Files;

/// <summary>Captures byte by byte, and their reading.</summary>
internal static class Captures
{
    public static readonly byte[] Frame = Frames.Of(Frames.Ethernet(0x0800), Frames.IPv4(17, 8), Frames.Udp(1, 2, 0));

    public static (CaptureFile Capture, List<PacketHeader> Packets) ReadAll(byte[] bytes)
    {
        using var file = CaptureFile.Open(new MemoryStream(bytes));
        var packets = new List<PacketHeader>();
        var batch = new PacketHeader[32];
        for (int read; (read = file.Read(batch)) > 0;)
        {
            packets.AddRange(batch.AsSpan(0, read));
        }

        return (file, packets);
    }

    /// <summary>Packets of one second each from 1,000 s and 5 µs on.</summary>
    public static byte[] Pcap(int packets, bool isBig = false, bool isNano = false)
    {
        var length = Word(isBig, (uint)Frame.Length);
        return Frames.Of(
        [
            Word(isBig, isNano ? 0xA1B23C4D : 0xA1B2C3D4), isBig ? [0, 2, 0, 4] : [2, 0, 4, 0], new byte[8], Word(isBig, 65535), Word(isBig, 1),
            .. Enumerable.Range(0, packets).Select(i => Frames.Of(Word(isBig, 1000 + (uint)i), Word(isBig, isNano ? 5000u : 5u), length, length, Frame)),
        ]);
    }

    public static byte[] Zip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(bytes);
        }

        return packed.ToArray();
    }

    public static byte[] Section(bool isBig) => Block(isBig, 0x0A0D0D0A, Word(isBig, 0x1A2B3C4D), isBig ? [0, 1, 0, 0] : [1, 0, 0, 0], new byte[8]);

    public static byte[] Interface(bool isBig, LinkType link, params byte[][] options) =>
        Block(isBig, 1, [.. isBig ? (byte[])[0, (byte)link, 0, 0] : [(byte)link, 0, 0, 0], .. Word(isBig, 0), .. Frames.Of(options)]);

    public static byte[] Option(bool isBig, byte code, byte[] value) =>
        [.. isBig ? (byte[])[0, code, 0, (byte)value.Length] : [code, 0, (byte)value.Length, 0], .. value, .. new byte[(4 - (value.Length % 4)) % 4]];

    public static byte[] Enhanced(bool isBig, uint number, ulong time) =>
        Block(isBig, 6, Word(isBig, number), Word(isBig, (uint)(time >> 32)), Word(isBig, (uint)time), Word(isBig, (uint)Frame.Length), Word(isBig, (uint)Frame.Length), Frame);

    public static byte[] Block(bool isBig, uint type, params byte[][] body)
    {
        var content = Frames.Of(body);
        content = [.. content, .. new byte[(4 - (content.Length % 4)) % 4]];
        var length = Word(isBig, (uint)content.Length + 12);
        return Frames.Of(Word(isBig, type), length, content, length);
    }

    public static byte[] Word(bool isBig, uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, isBig ? BinaryPrimitives.ReverseEndianness(value) : value);
        return bytes;
    }

    public static byte[] Long(bool isBig, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, isBig ? BinaryPrimitives.ReverseEndianness(value) : value);
        return bytes;
    }
}
