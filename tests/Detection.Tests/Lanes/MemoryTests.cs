namespace Sekisho.Detection.Tests.Lanes;

/// <summary>Measures the whole process, so nothing else runs beside it.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public class MemoryTests
{
    [Fact]
    public void Ten_thousand_devices_with_twelve_conditions_stay_below_six_kilobytes_each()
    {
        var conditions = string.Join(", ", Enumerable.Range(0, 4).SelectMany(i => new[]
        {
            Lab.Condition("frequency", "messages: 1, window: \"00:05:00\"", key: $"f{i}"),
            Lab.Condition("silence", "duration: \"06:00:00\"", key: $"s{i}"),
            Lab.Condition("size", "bytes: 10000", key: $"b{i}"),
        }));
        var lab = new Lab($"[{conditions}]");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var round = 0; round < 3; round++)
        {
            lab.Run(Enumerable.Range(0, 10_000).Select(i => Lab.Message(Lab.Start.AddMinutes(5 * round), $"d{i:d15}", sequence: round)));
            lab.Results.Clear();
        }

        // What the lanes needed to compare so many devices at once is given back when fewer change.
        for (var i = 0; i < 100; i++)
        {
            lab.Run(Lab.Message(Lab.Start.AddMinutes(20 + i), "d000000000000001", sequence: 3 + i));
            lab.Results.Clear();
        }

        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / 10_000;
        GC.KeepAlive(lab);
        Assert.InRange(bytes, 1, 6144);
    }
}
