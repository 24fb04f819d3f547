using Sekisho.History.Store;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Store;

public class IndexBlockTests
{
    private static readonly DeviceChunk[] Golden = [new(300, new MessageSum(1_000, 1_010, 2, 1024)), new(305, new MessageSum(900, 1_005, 1, 40))];

    [Fact]
    public void The_bytes_are_those_of_the_first_version()
    {
        const string Expected =
            "01" // version
            + "d804" + "e40f" + "0a" + "02" + "8008" // chunk 300, last arrival 1010, ten ms before it the first one, two messages of 1024 bytes
            + "0a" + "09" + "69" + "01" + "28"; // chunk 305, last arrival 1005, first 900, one message of 40 bytes
        var block = new IndexBlock("d1", 0);
        Assert.All(Golden, c => Assert.True(block.TryAdd(c)));
        Assert.Equal(Expected, Convert.ToHexStringLower(block.Data.Span));
        Assert.Equal(Golden, IndexBlock.Read(Convert.FromHexString(Expected)));
        Assert.Equal((300, 305, 1_010), (block.FirstChunk, block.LastChunk, block.LastAt));
    }

    [Fact]
    public void Whatever_fits_reads_back_the_same_and_no_block_is_larger_or_longer_than_promised()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var block = new IndexBlock("d1", 0);
            var added = new List<DeviceChunk>();
            var (id, at) = (random.NextInt64(1L << 40), random.NextInt64(1L << 42));
            while (true)
            {
                id += random.Next(1, 5000);
                at += random.Next(-2000, round % 2 == 0 ? 3000 : 60_000);
                var chunk = new DeviceChunk(id, new MessageSum(at - random.Next(500), at, random.Next(1, 1000), random.NextInt64(1L << 30)));
                if (!block.TryAdd(chunk))
                {
                    break;
                }

                added.Add(chunk);
            }

            Assert.Equal(added, IndexBlock.Read(block.Data.Span));
            Assert.InRange(block.Data.Length, 2, IndexBlock.MostBytes);
            Assert.InRange(added.Max(c => c.Sum.Last) - added.Min(c => c.Sum.Last), 0, IndexBlock.MostSpan);
            Assert.Equal((added.Max(c => c.Sum.Last), added.Max(c => c.Id)), (block.LastAt, block.LastChunk));
        }
    }

    [Fact]
    public void The_most_extreme_numbers_fit_into_a_block_of_their_own()
    {
        var block = new IndexBlock("d1", 0);
        var chunk = new DeviceChunk(long.MaxValue, new MessageSum(-62_135_596_800_000, 253_402_300_799_999, long.MaxValue, long.MaxValue));
        Assert.True(block.TryAdd(chunk));
        Assert.Equal(chunk, Assert.Single(IndexBlock.Read(block.Data.Span)));
        Assert.False(block.TryAdd(new DeviceChunk(1, new MessageSum(0, 0, 1, 1))));
    }

    [Fact]
    public void Changed_and_cut_bytes_give_a_storage_fault_or_other_chunks_but_nothing_else()
    {
        var random = new Random(5);
        var block = new IndexBlock("d1", 0);
        for (var i = 0; i < 20; i++)
        {
            Assert.True(block.TryAdd(new DeviceChunk(100 + i, new MessageSum(i, i + 3, 1, 512))));
        }

        for (var round = 0; round < 20_000; round++)
        {
            var bytes = block.Data.ToArray();
            bytes = bytes[..random.Next(bytes.Length + 1)];
            for (var i = random.Next(6); i > 0 && bytes.Length > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                Assert.InRange(IndexBlock.Read(bytes).Count, 0, bytes.Length);
            }
            catch (StorageException)
            {
                // What cannot be read is said to be damaged.
            }
        }

        Assert.Throws<StorageException>(() => IndexBlock.Read([]));
        Assert.Throws<StorageException>(() => IndexBlock.Read([2]));
        Assert.Throws<StorageException>(() => IndexBlock.Read(block.Data.Span[..^1]));
    }
}
