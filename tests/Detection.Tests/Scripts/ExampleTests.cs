using System.Text;
using System.Text.Json;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Detection.Scripts;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Scripting;

namespace Sekisho.Detection.Tests.Scripts;

public class ExampleTests
{
    [Fact]
    public void Every_example_can_be_read_and_there_are_both_kinds()
    {
        var files = Directory.GetFiles(Folder, "*.lua");
        Assert.True(files.Length >= 6);
        var kinds = new List<string>();
        foreach (var file in files)
        {
            ScriptSource.Open(File.ReadAllBytes(file), out var manifest, out var faults)?.Dispose();
            Assert.True(faults.Count == 0, $"{file}: {string.Join(' ', faults)}");
            Assert.True(ScriptName.IsGood(Path.GetFileNameWithoutExtension(file)), file);
            kinds.Add(manifest!.Kind);
        }

        Assert.Equal([ScriptKinds.Flow, ScriptKinds.Worker], kinds.Distinct().Order());
    }

    [Fact]
    public void A_door_left_open_is_found_by_the_clock_and_one_that_is_closed_in_time_is_not()
    {
        var lab = Of("door-left-open");
        lab.Run(Lab.WithTicks([Says(0, """{"door":"open"}""")], Lab.Start.AddMinutes(12)));
        var found = Assert.Single(lab.Findings);
        Assert.Equal(("扉が11分間開いたままです", Risks.Theft), (found.Evidence.Facts["text.ja"], found.Risk));
        Assert.Single(lab.Run(Says(13 * 60, """{"door":"closed"}""")).Cleared);
        lab.Run(Lab.WithTicks([Says(20 * 60, """{"door":"open"}"""), Says(29 * 60, """{"door":"closed"}""")], Lab.Start.AddMinutes(50)));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Warm_minutes_of_the_cold_chain_add_up_until_it_is_loaded_again()
    {
        var lab = Of("cold-chain-break");
        lab.Run(Enumerable.Range(0, 6).Select(i => Says(i * 300, $$"""{"temperature":{{(i % 2 == 0 ? 9 : 4)}}}""")));
        Assert.Empty(lab.Findings);
        lab.Run(Says(1800, """{"temperature":12}"""), Says(2100, """{"temperature":12}"""), Says(2400, """{"temperature":4}"""));
        Assert.Equal("too-warm", Assert.Single(lab.Findings).Evidence.Metric);
        Assert.Single(lab.Run(Says(2500, """{"loaded":true}""")).Cleared);
    }

    [Fact]
    public void A_meter_that_goes_back_or_jumps_is_found_and_one_that_counts_up_is_not()
    {
        var lab = Of("meter-runs-backwards");
        lab.Run(Says(0, """{"reading":100}"""), Says(3600, """{"reading":140}"""), Says(7200, """{"reading":150}"""));
        Assert.Empty(lab.Findings);
        lab.Run(Says(10_800, """{"reading":90}"""), Says(14_400, """{"reading":300}"""));
        Assert.Equal(["backwards", "jump"], lab.Findings.Select(f => f.Evidence.Metric));
        Assert.Equal("The reading went back from 150 to 90", lab.Findings[0].Evidence.Facts["text.en"]);
    }

    [Fact]
    public void Use_at_night_is_found_the_third_time_on_the_clock_of_the_field()
    {
        // 2026-04-01 00:00 UTC is 09:00 in Tokyo; 14:00 UTC is 23:00.
        var lab = Of("used-at-night");
        lab.Run(Enumerable.Range(0, 5).Select(i => Says(i * 60, """{"used":true}""")));
        Assert.Empty(lab.Findings);
        lab.Run(Enumerable.Range(0, 2).Select(i => Says((14 * 3600) + (i * 60), """{"used":true}""")));
        Assert.Empty(lab.Findings);
        lab.Run(Says(15 * 3600, """{"used":true}"""));
        Assert.Equal(3, Assert.Single(lab.Findings).Evidence.Measured);
    }

    [Fact]
    public void Who_is_let_in_after_ten_refusals_is_found_and_after_nine_is_not()
    {
        var lab = Of("let-in-after-refusals");
        lab.Run(Lab.Refusal(Lab.Start, RefusalReasons.BadToken, "d1", count: 9), Says(60, "{}", "d1"));
        Assert.Empty(lab.Findings);
        lab.Run(
            Lab.Refusal(Lab.Start.AddSeconds(100), RefusalReasons.BadToken, "d1", count: 6), Lab.Refusal(Lab.Start.AddSeconds(200), RefusalReasons.BadToken, "d1", count: 4), Says(250, "{}", "d1"),
            Lab.Refusal(Lab.Start.AddSeconds(300), RefusalReasons.BadToken, "d2", count: 20), Says(700, "{}", "d2"));
        Assert.Equal("d1", Assert.Single(lab.Findings).DeviceId);
    }

    [Fact]
    public void The_worker_finds_a_device_that_sends_less_than_half_and_its_report_is_an_event_like_any_other()
    {
        var feed = new FakeFeed();
        var lab = new Lab();
        lab.Directory.SetDevice("d1");
        lab.Directory.SetDevice("d2");
        feed.Append(Enumerable.Range(0, 48).SelectMany(h => new[] { Says(h * 3600, "{}", "d1"), Says((h * 3600) + 1, "{}", "d2") }).Where(m => m.DeviceId == "d1" || m.ArrivedAt < Lab.Start.AddHours(30)));
        var change = Activate("half-of-yesterday");
        lab.Run(change);
        var now = Lab.Start.AddHours(48);
        var report = ScriptWorkers.Run(change, default, new ScriptHistory("field", now, new FakeEventHistory(feed), lab.Directory, CancellationToken.None), now);
        Assert.Null(report.Fault);
        lab.Run(report);
        var found = Assert.Single(lab.Findings);
        Assert.Equal(("d2", 6.0, 24.0), (found.DeviceId, found.Evidence.Measured, found.Evidence.ExpectedHigh));
        Assert.Equal(now.ToUnixTimeSeconds(), JsonDocument.Parse(lab.Runner.Books.Scripts.All[0].WorkerState).RootElement.GetProperty("ran").GetInt64());

        // The report of another version, and devices of other fields, are passed over.
        lab.Run(report with { Version = 7, Result = Encoding.UTF8.GetBytes("""[{},{"d1":{"less":true}}]""") }, report with { Result = Encoding.UTF8.GetBytes("""[{},{"stranger":{"less":true}}]""") });
        Assert.Single(lab.Findings);
    }

    [Theory]
    [InlineData("while true do end")]
    [InlineData("while true do history.devices() end")]
    [InlineData("local t = {} while true do t[#t + 1] = string.rep('x', 60000) end")]
    [InlineData("return history.files()")]
    [InlineData("history.messages { from = 0, to = 9e9 }")]
    public void A_stuck_or_greedy_worker_ends_within_its_budget_and_is_switched_off_in_the_end(string body)
    {
        var source = $$"""
            return { manifest = { kind = "worker", title = { ja = "試", en = "t" }, findings = { found = { ja = "あ", en = "a", risk = "theft", level = "warning" } } },
              run = function(state) {{body}} end }
            """;
        var lab = new Lab();
        var change = FlowScriptTests.Activate(source);
        lab.Run(change);
        for (var i = 0; i < RunningScript.MostInARow; i++)
        {
            var report = ScriptWorkers.Run(change, default, new ScriptHistory("field", Lab.Start, new FakeEventHistory(new FakeFeed()), lab.Directory, CancellationToken.None), Lab.Start);
            Assert.NotNull(report.Fault);
            lab.Run(report);
        }

        Assert.Equal("off", lab.Findings[^1].Stage);
        Assert.True(lab.Runner.Books.Scripts.All[0].IsOff);
    }

    internal static string Folder { get; } = Find();

    private static string Find()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Sekisho.slnx")))
        {
            at = Path.GetDirectoryName(at.TrimEnd(Path.DirectorySeparatorChar))!;
        }

        return Path.Combine(at, "scripts");
    }

    private static ScriptChangedEvent Activate(string name) => FlowScriptTests.Activate(File.ReadAllText(Path.Combine(Folder, name + ".lua")), id: name);

    private static Lab Of(string name)
    {
        var lab = new Lab();
        lab.Run(Activate(name));
        return lab;
    }

    private static MessageEvent Says(int at, string payload, string device = "d1") => Lab.Message(Lab.Start.AddSeconds(at), device) with { Payload = Encoding.UTF8.GetBytes(payload) };
}
