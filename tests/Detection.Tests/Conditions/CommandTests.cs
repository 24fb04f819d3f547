using Sekisho.Detection.Findings;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Tests.Conditions;

public class CommandTests
{
    private static readonly string Command = $"[{Lab.Condition("command", "", "stages: [ { name: sensitive, level: information }, { name: argument, level: important } ]")}]";

    [Fact]
    public void A_command_that_the_list_does_not_allow_is_found_with_its_bound_sender_and_value()
    {
        var lab = new Lab(Command);
        lab.Run(Held(1, "c1", CommandBounds.Argument, "/dose", "50", "0 – 5", 50, 0, 5));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("d1", Risks.Takeover, Levels.Important, CommandBounds.Argument), (finding.DeviceId, finding.Risk, finding.Level, finding.Stage));
        Assert.Equal((50.0, 0.0, 5.0), (finding.Evidence.Measured, finding.Evidence.ExpectedLow, finding.Evidence.ExpectedHigh));
        Assert.Equal(("c1", "key:cloud", "set-dose"), (finding.Evidence.Facts["command"], finding.Evidence.Claim, finding.Evidence.Facts["name"]));
        var sentences = new Sentences(new Texts([typeof(DetectionFeature).Assembly]), lab.Directory);
        foreach (var language in Texts.Languages)
        {
            var sentence = sentences.Of(finding, language);
            Assert.All((string[])["set-dose", "key:cloud", "/dose", "50", "0 – 5"], part => Assert.Contains(part, sentence, StringComparison.Ordinal));
            Assert.NotEmpty(sentences.Counterfactual(finding, language));
        }
    }

    [Fact]
    public void Each_bound_has_its_sentence_and_a_device_that_only_works_is_not_found()
    {
        var texts = new Texts([typeof(DetectionFeature).Assembly]);
        var lab = new Lab(Command);
        lab.Run(Enumerable.Range(0, 500).Select(i => Lab.Message(Lab.Start.AddMinutes(i), sequence: i)));
        Assert.Empty(lab.Findings);
        lab.Run(CommandBounds.All.Select((bound, i) => Held(600, "c" + i, bound)));
        Assert.Equal(CommandBounds.All, lab.Findings.Select(f => f.Stage));
        Assert.All(CommandBounds.All, b => Assert.Contains($"finding.command.{b}.sentence", texts.Keys("ja")));
        Assert.Equal([Levels.Warning, Levels.Information], lab.Findings.Take(2).Select(f => f.Level));
    }

    [Fact]
    public void Every_command_is_raised_once_however_many_come_in_a_second_and_however_often_one_is_told()
    {
        var lab = new Lab(Command);
        var told = Enumerable.Range(0, 30).Select(i => Held(i / 100.0, "c" + i, CommandBounds.Sender)).ToList();
        lab.Run([.. told, .. told.TakeLast(10), Held(1, "x", CommandBounds.Sensitive)]);
        Assert.Equal([.. told.Select(t => t.CommandId), "x"], lab.Findings.Select(f => f.Evidence.Facts["command"]));

        // What comes after something worse is not told as that.
        Assert.Equal(CommandBounds.Sensitive, lab.Findings[^1].Stage);
        lab.Run(Held(2, "y", CommandBounds.Time, device: "d2"));
        Assert.Equal("d2", lab.Findings[^1].DeviceId);
    }

    [Fact]
    public void A_restart_anywhere_finds_the_same()
    {
        var random = new Random(63);
        var events = Lab.WithTicks(
            Enumerable.Range(0, 300).Select(GatewayEvent (i) => random.Next(3) == 0
                ? Held(random.Next(3000), "c" + random.Next(200), CommandBounds.All[random.Next(CommandBounds.All.Count)], device: "d" + random.Next(3))
                : Lab.Message(Lab.Start.AddMinutes(random.Next(3000)), "d" + random.Next(3), sequence: i)),
            Lab.Start.AddMinutes(3100));
        Restarts.GiveTheSame(() => new Lab(Command), events, random);
    }

    private static CommandHeldEvent Held(
        double minute, string id, string bound, string? pointer = null, string value = "x", string allowed = "y", double? measured = null, double? low = null, double? high = null, string device = "d1") => new()
        {
            ArrivedAt = Lab.Start.AddMilliseconds((long)(minute * 60_000)),
            CorrelationId = "0123456789abcdef0123456789abcdef",
            FieldId = "field",
            DeviceId = device,
            CommandId = id,
            Name = "set-dose",
            Sender = "key:cloud",
            Bound = bound,
            Argument = pointer,
            Value = value,
            Allowed = allowed,
            Measured = measured,
            Low = low,
            High = high,
        };
}
