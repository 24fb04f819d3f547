using Sekisho.Domain.Detection;
using Sekisho.History.Store;

namespace Sekisho.History.Tests.Store;

public class RecentChunksTests
{
    [Fact]
    public void A_chunk_is_given_once_and_without_what_is_transient()
    {
        var recent = new RecentChunks();
        var message = Samples.Message(1);
        Assert.False(message.Transient.IsEmpty);
        recent.Add(new MessageChunk("car", false, [message]));
        Assert.Equal(message.Stored().Content(), Assert.Single(recent.Take(1)!).Content());
        Assert.Null(recent.Take(1));
        Assert.Null(recent.Take(2));
    }

    [Fact]
    public void The_oldest_goes_when_there_are_too_many_bytes_or_too_many_chunks()
    {
        var recent = new RecentChunks();
        var payload = new byte[1 << 20];
        for (var i = 1; i <= 20; i++)
        {
            recent.Add(new MessageChunk("car", false, [Samples.Message(i) with { Payload = payload }]));
        }

        Assert.Null(recent.Take(5));
        Assert.All(Enumerable.Range(6, 15), i => Assert.NotNull(recent.Take(i)));

        // One that nobody takes does not hold the places of all the others that were taken.
        recent.Add(new MessageChunk("car", false, [Samples.Message(100)]));
        for (var i = 101; i <= 100 + RecentChunks.MostChunks; i++)
        {
            recent.Add(new MessageChunk("car", false, [Samples.Message(i)]));
            Assert.NotNull(recent.Take(i));
        }

        Assert.Null(recent.Take(100));
    }
}
