using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class CloneCadenceTests
{
    private const double Interval = 600;
    private static readonly string Condition = $"[{Lab.Condition("clone-cadence", "")}]";

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.35)]
    [InlineData(0.7)]
    public void A_second_unit_in_the_same_rhythm_is_found(double phase)
    {
        var random = new Random(4);
        var lab = new Lab(Condition);
        lab.Run(Series(0, 200, 0, random));
        Assert.Empty(lab.Findings);
        lab.Run(Merged(Series(200, 220, 0, random), Series(200, 220, phase, random)));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal((8.0, "00:10:00"), (evidence.Measured, evidence.Facts["interval"]));
        Assert.Equal(2, evidence.Events.Count);
    }

    [Fact]
    public void A_lost_message_does_not_hide_it()
    {
        var random = new Random(5);
        var lab = new Lab(Condition);
        lab.Run(Series(0, 200, 0, random));
        lab.Run(Merged(Series(200, 230, 0, random), [.. Series(200, 230, 0.3, random).Where((_, i) => i % 6 != 5)]));
        Assert.Single(lab.Findings);
    }

    /// <summary>An update may do all of these; none of them is a second unit.</summary>
    [Theory]
    [InlineData("twice as often")]
    [InlineData("two at a time")]
    [InlineData("another interval")]
    [InlineData("events between")]
    [InlineData("lost messages")]
    [InlineData("jitter")]
    public void What_one_unit_does_is_no_second_one(string what)
    {
        var random = new Random(6);
        var lab = new Lab(Condition);
        lab.Run(Series(0, 200, 0, random));
        var then = Series(200, 400, 0, random);
        lab.Run(what switch
        {
            "twice as often" => Merged(then, Series(200, 400, 0.5, random)),
            "two at a time" => Merged(then, [.. then.Select(m => Late(m, 5))]),
            "another interval" => [.. Enumerable.Range(0, 200).Select(i => At((200 * Interval) + (i * Interval * 0.7)))],
            "events between" => Merged(then, [.. Enumerable.Range(0, 200).Select(_ => At(Interval * (200 + (200 * random.NextDouble())))).OrderBy(m => m.ArrivedAt)]),
            "lost messages" => [.. then.Where(_ => random.Next(3) > 0)],
            _ => [.. then.Select(m => Late(m, Interval * 0.4 * random.NextDouble()))],
        });
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_device_that_goes_on_like_this_is_told_once()
    {
        var random = new Random(7);
        var lab = new Lab(Condition);
        lab.Run(Series(0, 200, 0, random));
        lab.Run(Merged(Series(200, 2000, 0, random), Series(200, 2000, 0.3, random)));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Stored_readings_do_not_count()
    {
        var random = new Random(8);
        var lab = new Lab(Condition);
        lab.Run(Series(0, 200, 0, random));
        var live = Series(212, 230, 0, random);
        var stored = Enumerable.Range(0, 36).Select(i => Lab.Message(Lab.Start.AddSeconds((212 * Interval) + 1 + (i * 0.1)), time: Lab.Start.AddSeconds((200 * Interval) + (i * Interval / 3)))).ToArray();
        lab.Run(Merged(live, stored));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var events = Series(0, 300, 0, random).Concat(Merged(Series(300, 500, 0, random), [.. Series(300, 500, 0.3, random).Where(_ => random.Next(9) > 0)])).Cast<GatewayEvent>().ToList();
            Restarts.GiveTheSame(() => new Lab(Condition), events, random);
        }
    }

    private static MessageEvent[] Series(int from, int to, double phase, Random random) =>
        [.. Enumerable.Range(from, to - from).Select(i => At(Interval * (i + phase + (0.02 * random.NextDouble()))))];

    private static MessageEvent[] Merged(MessageEvent[] one, MessageEvent[] other) => [.. one.Concat(other).OrderBy(m => m.ArrivedAt)];

    private static MessageEvent Late(MessageEvent message, double seconds) => At((message.ArrivedAt - Lab.Start).TotalSeconds + seconds);

    private static MessageEvent At(double second) => Lab.Message(Lab.Start.AddSeconds(second), time: Lab.Start.AddSeconds(second));
}
