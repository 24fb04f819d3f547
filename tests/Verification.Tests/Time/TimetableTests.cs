using Sekisho.Verification.Time;

namespace Sekisho.Verification.Tests.Time;

public class TimetableTests
{
    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Plays_share_time_and_each_comes_on_at_its_moment()
    {
        var clock = new VirtualClock(Start);
        var table = new Timetable(clock, _ => Task.CompletedTask);
        var seen = new List<string>();
        var turn = new Lock();
        async Task PlayAsync(string name, params int[] minutes)
        {
            foreach (var minute in minutes)
            {
                await table.UntilAsync(Start.AddMinutes(minute));
                lock (turn)
                {
                    seen.Add($"{name} {(table.Now - Start).TotalMinutes}");
                }
            }
        }

        await table.RunAsync([() => PlayAsync("a", 1, 5, 600), () => PlayAsync("b", 3, 7)], CancellationToken.None);
        Assert.Equal(["a 1", "b 3", "a 5", "b 7", "a 600"], seen);
        Assert.Equal(Start.AddMinutes(600), clock.GetUtcNow());
    }

    [Fact]
    public async Task Time_moves_in_steps_and_everything_is_worked_off_before_each()
    {
        var clock = new VirtualClock(Start);
        var settled = new List<double>();
        var table = new Timetable(clock, _ =>
        {
            settled.Add((clock.GetUtcNow() - Start).TotalSeconds);
            return Task.CompletedTask;
        });
        await table.RunAsync([async () => await table.UntilAsync(Start.AddSeconds(150))], CancellationToken.None);
        Assert.Equal([0, 60, 120, 150, 150], settled);
    }

    [Fact]
    public async Task A_moment_that_has_passed_means_when_all_is_worked_off()
    {
        var clock = new VirtualClock(Start);
        var table = new Timetable(clock, _ => Task.CompletedTask);
        await table.RunAsync([async () => await table.UntilAsync(Start.AddHours(-1))], CancellationToken.None);
        Assert.Equal(Start, clock.GetUtcNow());
    }

    [Fact]
    public async Task A_play_that_fails_does_not_hold_the_others_up_and_is_told()
    {
        var clock = new VirtualClock(Start);
        var table = new Timetable(clock, _ => Task.CompletedTask);
        var wentOn = false;
        await Assert.ThrowsAsync<FormatException>(() => table.RunAsync(
            [
                () => throw new FormatException(),
                async () =>
                {
                    await table.UntilAsync(Start.AddDays(1));
                    wentOn = true;
                },
            ],
            CancellationToken.None));
        Assert.True(wentOn);
    }

    [Fact]
    public async Task It_can_be_broken_off()
    {
        var table = new Timetable(new VirtualClock(Start), _ => Task.CompletedTask);
        using var stop = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        var run = table.RunAsync([() => never.Task], stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }
}
