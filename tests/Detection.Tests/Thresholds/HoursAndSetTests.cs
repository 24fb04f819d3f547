using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Tests.Thresholds;

public class HoursAndSetTests(ITestOutputHelper output)
{
    private const long Hour = 3_600_000;

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.5)]
    [InlineData(4)]
    [InlineData(30)]
    public void False_alarms_of_hours_stay_below_the_stated_target(double mean)
    {
        var learner = new HoursLearner(1, 1);
        var (alarms, devices, days) = (0, 60, 60);
        for (var device = 1; device <= devices; device++)
        {
            var (draws, state) = (new Draws((ulong)device), new long[learner.Cells]);
            for (var hour = 0; hour < days * 24; hour++)
            {
                var at = Draws.Start + (hour * Hour);
                var value = draws.Poisson(mean * (1 + (0.8 * Math.Sin(2 * Math.PI * hour / 24))));
                var isUsual = learner.At(state, default, at).Contains(value);
                alarms += isUsual ? 0 : 1;
                learner.Observe(state, value, at, isUsual);
            }
        }

        var months = devices * days / 30.0;
        output.WriteLine($"{mean} an hour: {alarms} in {months:F0} device-months, 95 % upper bound {Draws.UpperBound(alarms) / months:F3} a month");
        Assert.InRange(alarms / months, 0, 1);
    }

    [Fact]
    public void What_is_usual_at_noon_is_found_at_night()
    {
        var learner = new HoursLearner(0.1, 1);
        var (draws, state) = (new Draws(1), new long[learner.Cells]);
        for (var hour = 0; hour < 14 * 24; hour++)
        {
            learner.Observe(state, draws.Poisson(hour % 24 is >= 8 and < 18 ? 60 : 0.2), Draws.Start + (hour * Hour), isClean: true);
        }

        var day = Draws.Start + (14 * Draws.Day);
        Assert.True(learner.At(state, default, day + (12 * Hour)).Contains(70));
        Assert.False(learner.At(state, default, day + (2 * Hour)).Contains(70));
    }

    [Fact]
    public void A_network_is_new_once_after_learning_and_never_to_one_who_roams()
    {
        var state = new long[KnownSet.Cells];
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(i == 0 ? Membership.Learning : Membership.Known, KnownSet.Observe(state, 7, Draws.Start + (i * 2 * Hour), isClean: true));
        }

        var later = Draws.Start + (5 * Draws.Day);
        Assert.Equal(Membership.New, KnownSet.Observe(state, 8, later, isClean: true));
        Assert.Equal(Membership.Known, KnownSet.Observe(state, 8, later, isClean: true));
        Assert.Equal(Membership.New, KnownSet.Observe(state, 9, later, isClean: false));
        Assert.Equal(Membership.New, KnownSet.Observe(state, 9, later, isClean: false));
        for (var key = 100; key < 100 + KnownSet.RoamingAfter; key++)
        {
            KnownSet.Observe(state, key, later, isClean: true);
        }

        Assert.Equal(Membership.Roaming, KnownSet.Of(state, 999, later));
    }

    [Fact]
    public void The_member_unseen_for_longest_makes_room_and_memory_stays_what_it_is()
    {
        var state = new long[KnownSet.Cells];
        for (var key = 0; key < 1000; key++)
        {
            KnownSet.Observe(state, 5000, Draws.Start + (key * Hour), isClean: true);
            KnownSet.Observe(state, key, Draws.Start + (key * Hour), isClean: true);
        }

        var end = Draws.Start + (1000 * Hour);
        Assert.Equal(Membership.Known, KnownSet.Of(state, 5000, end));
        Assert.Equal(Membership.Known, KnownSet.Of(state, 999, end));
        Assert.NotEqual(Membership.Known, KnownSet.Of(state, 3, end));
    }
}
