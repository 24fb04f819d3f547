using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.History.Store;

namespace Sekisho.History.Tests.Store;

public class FreshChunksTests
{
    [Fact]
    public void A_chunk_is_given_once()
    {
        var fresh = new FreshChunks();
        var chunk = Chunk(7, bytes: 10);
        fresh.Add([chunk]);
        Assert.Same(chunk.Messages, fresh.Take(7));
        Assert.Null(fresh.Take(7));
        Assert.Null(fresh.Take(8));
    }

    [Fact]
    public void What_nobody_reads_is_bounded_and_the_oldest_goes_first()
    {
        var fresh = new FreshChunks();
        const int Size = 1 << 20;
        for (var id = 1; id <= 40; id++)
        {
            fresh.Add([Chunk(id, Size)]);
        }

        var kept = Enumerable.Range(1, 40).Where(id => fresh.Take(id) is not null).ToList();
        Assert.Equal(Enumerable.Range(40 - kept.Count + 1, kept.Count), kept);
        Assert.Equal(FreshChunks.MostBytes / Size, kept.Count);
    }

    [Fact]
    public void Chunks_that_were_read_leave_nothing_behind()
    {
        var fresh = new FreshChunks();
        for (var id = 1; id <= 10_000; id++)
        {
            fresh.Add([Chunk(id, bytes: 100)]);
            Assert.NotNull(fresh.Take(id));
        }

        fresh.Add([Chunk(10_001, bytes: 100)]);
        Assert.NotNull(fresh.Take(10_001));
    }

    private static MessageChunk Chunk(long id, int bytes) => new("cars", false, [new MessageEvent
    {
        Position = id,
        ArrivedAt = DateTimeOffset.UnixEpoch,
        CorrelationId = "",
        FieldId = "cars",
        DeviceId = "d",
        Epoch = 1,
        Source = "192.0.2.1",
        Size = bytes,
        Payload = new byte[bytes],
        MessageId = id.ToString("x32", System.Globalization.CultureInfo.InvariantCulture),
    }]);
}
