using System.Buffers.Binary;
using System.Globalization;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Headers;

namespace Sekisho.Data.Tests.Captures;

/// <summary>Damaged frames and files made from the corpus. SEKISHO_FUZZ_PACKETS is how many frames (a million unless set).</summary>
public class CorpusMutations(ITestOutputHelper output)
{
    private const string Packets = "SEKISHO_FUZZ_PACKETS";
    private const long Usual = 1_000_000;

    [Fact]
    public void A_million_mutated_packets_of_the_corpus_are_read_within_their_bounds_and_without_contradiction()
    {
        var seeds = Seeds();
        var count = Environment.GetEnvironmentVariable(Packets) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : Usual;
        Mutations.Run(seeds, count, Fuzz.Source(259));
        output.WriteLine($"{count} mutations of {seeds.Count} frames of {seeds.Select(s => s.Link).Distinct().Count()} link layers");
    }

    [Fact]
    public void A_mutated_or_cut_file_of_the_corpus_ends_with_what_it_has_or_with_one_kind_of_error()
    {
        var random = Fuzz.Source(260);
        var batch = new PacketHeader[32];
        var (refused, cut, read) = (0, 0, 0L);
        foreach (var file in ParserCorpus.Files())
        {
            var whole = File.ReadAllBytes(file);
            for (var round = Fuzz.Rounds(20); round > 0; round--)
            {
                var bytes = whole.AsSpan(0, random.Next(3) == 0 ? random.Next(whole.Length) : whole.Length).ToArray();
                for (var change = random.Next(8); change > 0 && bytes.Length > 0; change--)
                {
                    // The begin holds the file's own header, and the length of the first record.
                    bytes[random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 128))] = (byte)random.Next(256);
                }

                try
                {
                    using var capture = CaptureFile.Open(new MemoryStream(bytes));
                    while (capture.Read(batch) > 0)
                    {
                    }

                    read += capture.Packets;
                    cut += capture.Truncated ? 1 : 0;
                }
                catch (CaptureFileException)
                {
                    refused++;
                }
            }
        }

        output.WriteLine($"{read} packets; {cut} files cut, {refused} refused");
        Assert.True(read > 0 && cut > 0 && refused > 0);
    }

    // Frames as they lie in the files: mergecap writes them all into one, in the newer format and in this host's byte order.
    private static List<(LinkType Link, byte[] Frame)> Seeds()
    {
        var merged = Path.GetTempFileName();
        try
        {
            _ = Tshark.Run("mergecap", ["-I", "none", "-a", "-w", merged, .. ParserCorpus.Files()]).Count();
            var bytes = File.ReadAllBytes(merged).AsSpan();
            var links = new List<LinkType>();
            var seeds = new List<(LinkType, byte[])>();
            while (bytes.Length > 0)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
                switch (BinaryPrimitives.ReadInt32LittleEndian(bytes))
                {
                    case 1:
                        links.Add((LinkType)BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]));
                        break;
                    case 6:
                        seeds.Add((links[BinaryPrimitives.ReadInt32LittleEndian(bytes[8..])], bytes.Slice(28, BinaryPrimitives.ReadInt32LittleEndian(bytes[20..])).ToArray()));
                        break;
                    default:
                        break;
                }

                bytes = bytes[length..];
            }

            return seeds;
        }
        finally
        {
            File.Delete(merged);
        }
    }
}
