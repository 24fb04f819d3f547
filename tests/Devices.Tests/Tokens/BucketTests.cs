using Sekisho.Devices.Tokens;
using Sekisho.Tests.Support;

namespace Sekisho.Devices.Tests.Tokens;

public sealed class BucketTests
{
    [Fact]
    public void A_bucket_gives_what_fits_at_once_and_then_its_rate()
    {
        var clock = new ManualClock();
        long slot = 0;
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(TimeSpan.Zero, Bucket.Take(ref slot, clock.GetUtcNow(), 10));
        }

        Assert.Equal(TimeSpan.FromSeconds(6), Bucket.Take(ref slot, clock.GetUtcNow(), 10));
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(TimeSpan.Zero, Bucket.Take(ref slot, clock.GetUtcNow(), 10));
        Assert.NotEqual(TimeSpan.Zero, Bucket.Take(ref slot, clock.GetUtcNow(), 10));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => Bucket.Take(ref slot, clock.GetUtcNow(), 10) == TimeSpan.Zero));
    }
}
