using System.Buffers.Binary;
using System.IO.Compression;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Headers;

namespace Sekisho.Traffic.Tests.Files;

public class CaptureFileTests
{
    private static readonly byte[] Frame = Frames.Of(Frames.Ethernet(0x0800), Frames.IPv4(17, 8), Frames.Udp(1, 2, 0));

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Packets_of_either_byte_order_and_resolution_are_read(bool isBig, bool isNano)
    {
        var (file, packets) = ReadAll(Pcap(3, isBig, isNano));
        Assert.Equal((3L, 3L * Frame.Length, false), (file.Packets, file.Bytes, file.Truncated));
        Assert.Equal([1_000_000_005_000L, 1_001_000_005_000L, 1_002_000_005_000L], packets.Select(p => p.Timestamp));
        Assert.All(packets, p => Assert.Equal(("192.0.2.1", 2), (p.Source.ToString(), p.DestinationPort)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Blocks_of_the_newer_format_are_read_and_unknown_ones_passed_over(bool isBig)
    {
        var (file, packets) = ReadAll(PcapNg(isBig));
        Assert.Equal((2L, false), (file.Packets, file.Truncated));
        Assert.Equal(LinkType.Ethernet, Assert.Single(file.Interfaces).Link);
        Assert.Equal([1_000_000_005_000L, 1_001_000_005_000L], packets.Select(p => p.Timestamp));
    }

    [Fact]
    public void A_compressed_file_is_read_like_a_plain_one()
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(Pcap(500, false, false));
        }

        Assert.Equal(500, ReadAll(packed.ToArray()).File.Packets);
    }

    [Fact]
    public void A_file_cut_anywhere_gives_its_whole_packets_and_says_so()
    {
        var whole = Pcap(3, false, false);
        for (var length = 24; length < whole.Length; length++)
        {
            var (file, packets) = ReadAll(whole[..length]);
            Assert.Equal((length - 24) / (16 + Frame.Length), packets.Count);
            Assert.Equal((length - 24) % (16 + Frame.Length) != 0, file.Truncated);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is a text and no capture of packets")]
    public void Another_kind_of_file_is_refused(string text) =>
        Assert.Throws<CaptureFileException>(() => ReadAll(System.Text.Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void A_record_that_claims_to_be_huge_is_an_error_and_no_allocation()
    {
        var bytes = Pcap(2, false, false);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24 + 16 + Frame.Length + 8), uint.MaxValue);
        Assert.Throws<CaptureFileException>(() => ReadAll(bytes));
    }

    [Fact]
    public void Damaged_files_end_with_what_they_have_or_with_one_kind_of_error()
    {
        var random = new Random(11);
        byte[][] seeds = [Pcap(4, false, false), Pcap(4, true, true), PcapNg(false), PcapNg(true)];
        var refused = 0;
        for (var i = 0; i < 2000; i++)
        {
            var bytes = seeds[random.Next(seeds.Length)][..];
            for (var change = random.Next(1, 5); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                Assert.InRange(ReadAll(bytes[..random.Next(bytes.Length + 1)]).Packets.Count, 0, 4);
            }
            catch (CaptureFileException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 1999);
    }

    private static (CaptureFile File, List<PacketHeader> Packets) ReadAll(byte[] bytes)
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

    private static byte[] Pcap(int packets, bool isBig, bool isNano)
    {
        var parts = new List<byte[]> { Number(isNano ? 0xA1B23C4D : 0xA1B2C3D4, isBig), Short(2, isBig), Short(4, isBig), Number(0, isBig), Number(0, isBig), Number(65535, isBig), Number(1, isBig) };
        for (var i = 0u; i < packets; i++)
        {
            parts.AddRange([Number(1000 + i, isBig), Number(isNano ? 5000u : 5u, isBig), Number((uint)Frame.Length, isBig), Number((uint)Frame.Length, isBig), Frame]);
        }

        return Frames.Of([.. parts]);
    }

    private static byte[] PcapNg(bool isBig)
    {
        byte[] Block(uint type, params byte[][] body)
        {
            var content = Frames.Of(body);
            content = [.. content, .. new byte[(4 - (content.Length % 4)) % 4]];
            var length = Number((uint)content.Length + 12, isBig);
            return Frames.Of(Number(type, isBig), length, content, length);
        }

        byte[] Packet(ulong micro) => Block(
            6, Number(0, isBig), Number((uint)(micro >> 32), isBig), Number((uint)micro, isBig), Number((uint)Frame.Length, isBig), Number((uint)Frame.Length, isBig), Frame);

        return Frames.Of(
            Block(0x0A0D0D0A, Number(0x1A2B3C4D, isBig), Short(1, isBig), Short(0, isBig), Number(uint.MaxValue, isBig), Number(uint.MaxValue, isBig)),
            Block(1, Short(1, isBig), Short(0, isBig), Number(65535, isBig)),
            Packet(1_000_000_005),
            Block(0xBAD, Number(1, isBig)),
            Packet(1_001_000_005));
    }

    private static byte[] Number(uint value, bool isBig)
    {
        var bytes = BitConverter.GetBytes(value);
        return isBig == BitConverter.IsLittleEndian ? [.. bytes.Reverse()] : bytes;
    }

    private static byte[] Short(ushort value, bool isBig)
    {
        var bytes = BitConverter.GetBytes(value);
        return isBig == BitConverter.IsLittleEndian ? [.. bytes.Reverse()] : bytes;
    }
}
