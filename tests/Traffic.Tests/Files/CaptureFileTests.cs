using System.Buffers.Binary;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Headers;
using static Sekisho.Traffic.Tests.Files.Captures;

namespace Sekisho.Traffic.Tests.Files;

public class CaptureFileTests
{
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
    public void A_compressed_file_is_read_like_a_plain_one() =>
        Assert.Equal(500, ReadAll(Zip(Pcap(500))).Capture.Packets);

    [Fact]
    public void A_file_cut_anywhere_gives_its_whole_packets_and_says_so()
    {
        var whole = Pcap(3);
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
        var bytes = Pcap(2);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24 + 16 + Frame.Length + 8), uint.MaxValue);
        Assert.Throws<CaptureFileException>(() => ReadAll(bytes));
    }

    [Fact]
    public void Damaged_files_end_with_what_they_have_or_with_one_kind_of_error()
    {
        var random = new Random(11);
        byte[][] seeds = [Pcap(4), Pcap(4, true, true), PcapNg(false), PcapNg(true)];
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

    private static byte[] PcapNg(bool isBig) =>
        Frames.Of(Section(isBig), Interface(isBig, LinkType.Ethernet), Enhanced(isBig, 0, 1_000_000_005), Block(isBig, 0xBAD, Word(isBig, 1)), Enhanced(isBig, 0, 1_001_000_005));
}
