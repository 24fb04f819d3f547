using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Headers;
using static Sekisho.Traffic.Tests.Files.Captures;

namespace Sekisho.Traffic.Tests.Files;

/// <summary>Corners of the formats: sections, clocks, old and simple blocks, compression, and what is refused.</summary>
public class CaptureFormatTests
{
    // Three hundred frames in pcap, packed by xz in blocks of 6000 bytes.
    private const string Packed = "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4BdvAFddAGow0ch9i/gJm62US4rzSIc23MjTOc0sbCh1YVGhJJgnpDFp7Xp7D5cR7AX9RLE7qG42SiBLoKYV8iwPyOjMBPRUOzMyHTDYKTzHEwbFlQF/C4eEhvbKAAAAvtchLKrYYnECACEBHAAAABDPWMzgF28AS10AAGASgcRAwonnmvVplmQ9b7sQ5yDAcFaCMovuFSn2wG7c2f6XfHqzq9FNxmNFODTFwljpU3Z2lCPxU5fypoF1DP2SFOc0Hpf4bOcAAADfgL33s2AizAIAIQEcAAAAEM9YzOAVLwBMXQAEAAaO/1idJVqg6QR/NgSCx/M1q3Jf0G0W6seM0PwgVs6OwpS/biWCva8VKcK6P185Mhx9AW06rFI0FW8RIbvp53lHHTApJ/uwbSYAABVoUOdznsWTAANz8C5n8C5osCoAyDqW9BQXOzADAAAAAARZWg==";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_section_has_its_own_interfaces_and_each_interface_its_own_clock(bool isBig)
    {
        var file = Frames.Of(
            Section(isBig),
            Interface(isBig, LinkType.Ethernet, Option(isBig, 9, [9])),
            Interface(isBig, LinkType.Raw, Option(isBig, 9, [0x8A])),
            Enhanced(isBig, 0, 1_500_000_000_000_000_007),
            Enhanced(isBig, 1, 3 * 1024 + 512),
            Section(!isBig),
            Interface(!isBig, LinkType.Ethernet, Option(!isBig, 14, Long(!isBig, 1000)), Option(!isBig, 9, [3])),
            Enhanced(!isBig, 0, 2_001),
            Interface(!isBig, LinkType.Ethernet, Option(!isBig, 9, [12])),
            Enhanced(!isBig, 1, 5_000_999));
        var (capture, packets) = ReadAll(file);
        Assert.Equal([1_500_000_000_000_000_007, 3_500_000_000, 1_002_001_000_000, 5_000], packets.Select(p => p.Timestamp));
        Assert.Equal([LinkType.Ethernet, LinkType.Raw, LinkType.Ethernet, LinkType.Ethernet], capture.Interfaces.Select(i => i.Link));
        Assert.Equal([2, 0, 2, 2], packets.Select(p => (int)p.DestinationPort));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Simple_and_obsolete_packet_blocks_are_read(bool isBig)
    {
        var length = Word(isBig, (uint)Frame.Length);
        var file = Frames.Of(
            Section(isBig),
            Interface(isBig, LinkType.Ethernet),
            Block(isBig, 3, length, Frame),
            Block(isBig, 2, [0, 0, 0, 9], Word(isBig, 0), Word(isBig, 5), length, Word(isBig, 999), Frame));
        var (capture, packets) = ReadAll(file);
        Assert.Equal([(0L, Frame.Length, 2), (5_000L, 999, 2)], packets.Select(p => (p.Timestamp, p.WireLength, (int)p.DestinationPort)));
        Assert.Equal(999 + Frame.Length, capture.Bytes);
    }

    [Fact]
    public void A_simple_packet_is_as_long_as_the_snap_length_lets_it_be()
    {
        var file = Frames.Of(Section(false), Block(false, 1, [1, 0, 0, 0], Word(false, 20)), Block(false, 3, Word(false, 1000), Frame[..20]));
        var header = Assert.Single(ReadAll(file).Packets);
        Assert.Equal((1000, PacketMarks.Truncated), (header.WireLength, header.Marks));
    }

    [Fact]
    public void A_newer_capture_cut_anywhere_gives_its_whole_packets_and_says_so()
    {
        var begin = Frames.Of(Section(false), Interface(false, LinkType.Ethernet));
        var block = Enhanced(false, 0, 1);
        var whole = Frames.Of(begin, block, block, Block(false, 0xBAD, new byte[40]));
        for (var length = 12; length < whole.Length; length++)
        {
            var (capture, packets) = ReadAll(whole[..length]);
            Assert.Equal(Math.Clamp((length - begin.Length) / block.Length, 0, 2), packets.Count);
            Assert.Equal(length != begin.Length && length != Section(false).Length && (length - begin.Length) % block.Length != 0, capture.Truncated);
        }
    }

    [Fact]
    public void A_block_larger_than_the_buffer_is_passed_over()
    {
        var file = Frames.Of(Section(false), Interface(false, LinkType.Ethernet), Block(false, 0xBAD, new byte[3 << 20]), Enhanced(false, 0, 1));
        Assert.Single(ReadAll(file).Packets);
    }

    [Fact]
    public void A_file_in_xz_is_read_and_one_cut_short_gives_what_it_has()
    {
        var whole = Convert.FromBase64String(Packed);
        var (capture, packets) = ReadAll(whole);
        Assert.Equal((300, false, "pcap.xz"), (packets.Count, capture.Truncated, capture.Format));
        var (cut, some) = ReadAll(whole[..(whole.Length / 2)]);
        Assert.True(cut.Truncated);
        Assert.InRange(some.Count, 50, 250);
        Assert.Equal(CaptureFileFault.DamagedCompression, Assert.Throws<CaptureFileException>(() => ReadAll(whole[..30])).Fault);
    }

    [Fact]
    public void A_file_in_gzip_that_was_cut_gives_what_it_has_and_says_so()
    {
        var random = new Random(3);
        var pcap = new List<byte>(Pcap(0));
        for (var i = 0; i < 2000; i++)
        {
            random.NextBytes(Frame.AsSpan(6, 6));
            pcap.AddRange(Pcap(1)[24..]);
        }

        var whole = Zip([.. pcap]);
        Assert.Equal((2000, false), (ReadAll(whole).Packets.Count, ReadAll(whole).Capture.Truncated));
        var (capture, packets) = ReadAll(whole[..(whole.Length / 2)]);
        Assert.True(capture.Truncated);
        Assert.InRange(packets.Count, 200, 1999);
    }

    [Fact]
    public void Damaged_compression_is_an_error_and_no_cut()
    {
        var random = new byte[100_000];
        new Random(3).NextBytes(random);
        var whole = Zip([.. Pcap(1000), .. random]);
        Array.Fill(whole, (byte)0xFF, 2000, 2000);
        var fault = Assert.Throws<CaptureFileException>(() => ReadAll(whole));
        Assert.Contains(fault.Fault, (CaptureFileFault[])[CaptureFileFault.DamagedCompression, CaptureFileFault.DamagedRecord]);
    }

    [Theory]
    [InlineData("", CaptureFileFault.Empty, "0 bytes")]
    [InlineData("D4C3", CaptureFileFault.UnknownFormat, "D4C3")]
    [InlineData("FFD8FFE000104A464946", CaptureFileFault.UnknownFormat, "FFD8FFE000104A46")]
    [InlineData("28B52FFD0058", CaptureFileFault.UnsupportedCompression, "Zstandard")]
    [InlineData("504B030414000000", CaptureFileFault.UnsupportedCompression, "ZIP")]
    [InlineData("736E6F6F70000000", CaptureFileFault.UnknownFormat, "snoop")]
    [InlineData("D4C3B2A1030004000000000000000000FFFF000001000000", CaptureFileFault.UnsupportedVersion, "pcap 3")]
    [InlineData("0A0D0D0A1C0000004D3C2B1A02000000FFFFFFFFFFFFFFFF1C000000", CaptureFileFault.UnsupportedVersion, "pcapng 2")]
    [InlineData("0A0D0D0A1C000000000000000100000000000000000000001C000000", CaptureFileFault.DamagedRecord, "offset 0: a section without its mark of byte order")]
    public void What_is_no_capture_is_refused_by_name(string hex, CaptureFileFault fault, string found)
    {
        var exception = Assert.Throws<CaptureFileException>(() => ReadAll(Convert.FromHexString(hex)));
        Assert.Equal((fault, found), (exception.Fault, exception.Found));
    }

    [Fact]
    public void Before_a_damaged_record_comes_what_stands_before_it()
    {
        byte[] whole = [.. Pcap(3), .. new byte[8], 0xFF, 0xFF, 0xFF, 0x7F, .. new byte[20]];
        using var capture = CaptureFile.Open(new MemoryStream(whole));
        Assert.Equal(3, capture.Read(new PacketHeader[32]));
        Assert.Equal(CaptureFileFault.DamagedRecord, Assert.Throws<CaptureFileException>(() => capture.Read(new PacketHeader[32])).Fault);
    }

    [Theory]
    [InlineData("a packet of an interface that is not described", 7u, 14u)]
    [InlineData("a packet longer than its block", 0u, 1000u)]
    public void Blocks_that_contradict_themselves_are_damage(string what, uint number, uint captured)
    {
        var file = Frames.Of(Section(false), Interface(false, LinkType.Ethernet), Block(false, 6, Word(false, number), new byte[8], Word(false, captured), Word(false, 1000), Frame));
        Assert.Equal((what, CaptureFileFault.DamagedRecord), (what, Assert.Throws<CaptureFileException>(() => ReadAll(file)).Fault));
    }

    [Fact]
    public void A_pipe_is_read_without_being_sought()
    {
        using var capture = CaptureFile.Open(new Pipe(Pcap(5)));
        Assert.Equal((5, 0L, 0L), (capture.Read(new PacketHeader[32]), capture.Length, capture.Position));
        Assert.Equal(CaptureFileFault.UnsupportedCompression, Assert.Throws<CaptureFileException>(() => CaptureFile.Open(new Pipe(Zip(Pcap(5))))).Fault);
    }

    [Fact]
    public void Reading_a_file_allocates_nothing_per_packet()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Pcap(60_000));
            var batch = new PacketHeader[32];

            // The first round is for the runtime, which takes a little for itself.
            for (var round = 0; round < 2; round++)
            {
                using var capture = CaptureFile.Open(path);
                Assert.Equal(32, capture.Read(batch));
                var before = GC.GetAllocatedBytesForCurrentThread();
                while (capture.Read(batch) > 0)
                {
                }

                var taken = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(round == 0 || taken == 0, $"{taken} bytes");
                Assert.Equal((60_000, capture.Length), (capture.Packets, capture.Position));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Pipe(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        // A pipe gives what it has, not what was asked for.
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 7));
    }
}
