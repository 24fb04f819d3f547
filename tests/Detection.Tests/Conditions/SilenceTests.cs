using Sekisho.Detection.Conditions;
using Sekisho.Detection.Lanes;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Tests.Conditions;

public class SilenceTests
{
    private static readonly string SixHours = $"[{Lab.Condition("silence", "duration: \"06:00:00\"")}]";

    [Fact]
    public void Complaint_11_silence_is_found_while_it_lasts_and_not_when_the_device_comes_back()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start)], Lab.Start.AddHours(7)));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(Lab.Start.AddHours(6), finding.RaisedAt);
        Assert.Equal($"{Lab.Start.ToUnixTimeMilliseconds():x32}", finding.CorrelationId);

        var back = lab.Run(Lab.Message(Lab.Start.AddHours(8)));
        Assert.Equal(Lab.Start.AddHours(8).ToUnixTimeMilliseconds(), Assert.Single(back.Cleared).At);
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddHours(8))], Lab.Start.AddHours(15)));
        Assert.Equal(2, lab.Findings.Count);
    }

    [Fact]
    public void V14_a_device_that_never_sent_is_not_missed()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Change(Lab.Start, LifecycleStates.Registered)], Lab.Start.AddHours(20)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Complaint_16_a_reboot_of_the_gateway_itself_is_no_silence_of_devices()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start)], Lab.Start.AddHours(5)));

        // Down for ten hours: no ticks, nobody could be heard.
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddHours(15))], Lab.Start.AddHours(15).AddMinutes(59)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddHours(16))], Lab.Start.AddHours(16).AddMinutes(1)));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(6 * 3600, evidence.Measured);
        Assert.Equal("10:00:00", evidence.Facts["gatewayDown"]);
    }

    [Fact]
    public void A_device_that_is_locked_out_cannot_be_heard_and_is_not_missed()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start), Lab.Change(Lab.Start.AddHours(1), LifecycleStates.Suspended)], Lab.Start.AddHours(10)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Only_silence_in_the_mode_that_is_watched_counts()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"00:30:00\"", "mode: \"on\"")}]");
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start, "parked", mode: "off"), Lab.Message(Lab.Start, "driving", mode: "on")], Lab.Start.AddHours(2)));
        Assert.Equal("driving", Assert.Single(lab.Findings).DeviceId);
    }

    [Fact]
    public void A_device_that_sends_once_a_day_is_not_missed_by_a_limit_of_six_hours_once_that_is_known_nor_when_one_message_is_lost()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"06:00:00\", longest: \"7.00:00:00\"")}]");
        lab.Run(Lab.WithTicks([.. Enumerable.Range(0, 30).Where(day => day != 25).Select(day => Lab.Message(Lab.Start.AddDays(day)))], Lab.Start.AddDays(31)));
        Assert.All(lab.Findings, f => Assert.True(f.RaisedAt < Lab.Start.AddDays(14)));
        Assert.NotEmpty(lab.Findings);
        // Two days apart were the last two, with the lost one between them: twice and a half of that.
        var known = lab.Findings.Count;
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start.AddDays(31).AddSeconds(1))], Lab.Start.AddDays(37)));
        Assert.InRange(lab.Findings[known].RaisedAt - Lab.Start.AddDays(31), TimeSpan.FromHours(119), TimeSpan.FromHours(121));
    }

    [Fact]
    public void A_duplicate_is_a_sign_of_life()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start, sequence: 1), Lab.Message(Lab.Start.AddHours(5), sequence: 1)], Lab.Start.AddHours(10)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_deleted_device_is_forgotten_and_what_was_raised_is_over()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start)], Lab.Start.AddHours(7)));
        var result = lab.Run(Lab.Change(Lab.Start.AddHours(8), "deleted"));
        Assert.Single(result.Cleared);
        Assert.Equal(ChangeKind.Removed, Assert.Single(result.States.Settled).Kind);
    }

    [Fact]
    public void A_shorter_silence_set_without_restart_holds_for_devices_that_are_silent_already()
    {
        var lab = new Lab(SixHours);
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start)], Lab.Start.AddHours(3)));
        lab.Book = Lab.BookOf(Lab.TemplateOf(SixHours), values: new Dictionary<string, ParameterValue> { ["c1.duration"] = 7200 });
        lab.Run(Lab.Tick(Lab.Start.AddHours(3).AddMinutes(1)));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Ticks_cost_only_what_is_due()
    {
        var lab = new Lab(SixHours);
        lab.Run(Enumerable.Range(0, 1000).Select(i => Lab.Message(Lab.Start, $"d{i}")));
        var quiet = lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start)], Lab.Start.AddHours(5)));
        Assert.Empty(quiet.States.Settled);
        Assert.True(quiet.IsIdle);
        Assert.Equal(1000, lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddHours(5))], Lab.Start.AddHours(6))).Batch.Findings.Count);
    }
}
