using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tests.Tables;

public sealed class ClassesTests
{
    [Fact]
    public void Each_gap_falls_into_the_class_that_its_bounds_say()
    {
        var gaps = Enumerable.Range(0, 63).SelectMany(log => (long[])[(1L << log) - 1, 1L << log, (1L << log) + 1])
            .Concat(Tally.GapBounds.SelectMany(bound => (long[])[(bound * 1000) - 1, bound * 1000, (bound * 1000) + 1]))
            .Append(long.MaxValue);

        Assert.All(gaps, gap => Assert.Equal(Tally.GapBounds.Count(bound => gap > bound * 1000), Classes.OfGap(gap)));
        Assert.Equal(0, Classes.OfGap(-5));
    }

    [Fact]
    public void Each_size_falls_into_the_class_that_its_bounds_say() =>
        Assert.All(Enumerable.Range(0, 3000).Append(int.MaxValue), size => Assert.Equal(Tally.SizeBounds.Count(bound => size > bound), Classes.OfSize(size)));
}
