using System.Diagnostics;
using System.Text;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Detection;
using static Sekisho.Detection.Tests.Scripts.FlowScriptTests;

namespace Sekisho.Detection.Tests.Scripts;

public class HostileScriptTests
{
    private const string Good = "return nil, { found = event.payload.t > 80 }";

    [Theory]
    [InlineData("while true do end", "instructions")]
    [InlineData("local t = {} while true do t[#t + 1] = string.rep('x', 60000) end", "bytes")]
    [InlineData("local s = 'x' while true do s = s .. s end", "bytes")]
    [InlineData("error({ 'not', 'a', 'text' })", "error")]
    [InlineData("local function f() error(f()) end f()", "bytes")]
    [InlineData("while true do pcall(function() while true do end end) end", "instructions")]
    [InlineData("io.open('/etc/passwd')", "io")]
    [InlineData("os.execute('true')", "os")]
    [InlineData("require('socket')", "require")]
    [InlineData("load('return 1')()", "load")]
    [InlineData("debug.getregistry()", "debug")]
    [InlineData("history.messages({})", "")]
    [InlineData("return 1", "state")]
    [InlineData("return {}, { unknown = true }", "unknown")]
    [InlineData("return {}, { found = 'yes' }", "found")]
    [InlineData("return { f = function() end }", "function")]
    public void A_bad_script_is_told_of_switched_off_and_never_harms_the_lane(string body, string fault)
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        lab.Run(Activate(Script(Good), id: "good"), Activate(Script(body), id: "bad"));
        var started = Stopwatch.GetTimestamp();
        var results = Enumerable.Range(1, 20).Select(i => lab.Run(Message(i, 90, $"d{i}") with { Size = 2000 })).ToList();

        // Every message goes its way, and what the others look for is found.
        Assert.Equal(20, results.Sum(r => r.Batch.Chunks.Sum(c => c.Messages.Count)));
        Assert.Equal(20, lab.Findings.Count(f => f.ConditionKey == "good.found"));
        Assert.Equal(20, lab.Findings.Count(f => f.Condition == "size"));

        var told = lab.Findings.Where(f => f.Condition == ScriptFaultFinding.Condition).ToList();
        Assert.Equal("off", told[^1].Stage);
        Assert.Equal(("field", "bad", Levels.Important), (told[^1].ScopeKey, told[^1].ConditionKey, told[^1].Level));
        Assert.Contains(fault, told[^1].Evidence.Facts["fault"], StringComparison.Ordinal);
        Assert.InRange(told.Count, 1, 2);
        var bad = lab.Runner.Books.Scripts.Find("field", "bad")!;
        Assert.True(bad.IsOff);
        Assert.InRange(bad.Health.Faults, 1, RunningScript.MostInARow);
        Assert.False(lab.Runner.Books.Scripts.Find("field", "good")!.IsOff);

        // Five calls at their budget of 500 ms are the most it can take.
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 20);
    }

    [Fact]
    public void A_device_that_makes_a_script_fail_now_and_then_does_not_switch_it_off_for_the_others()
    {
        var lab = new Lab();
        lab.Run(Activate(Script("if event.payload.t == 0 then error('zero') end return nil, { found = event.payload.t > 80 }")));
        for (var i = 1; i <= 200; i++)
        {
            lab.Run(Message(i, 0, "hostile"), Message(i, 1, "d1"));
        }

        lab.Run(Message(300, 90, "d1"));
        Assert.Equal(["script-fault", "script"], lab.Findings.Select(f => f.Condition));
        Assert.Equal(200, lab.Runner.Books.Scripts.All[0].Health.Faults);
    }

    [Fact]
    public void Another_version_begins_anew_and_ends_what_was_told_of_the_old_one()
    {
        var lab = new Lab();
        lab.Run(Activate(Script("error('no')")));
        for (var i = 1; i <= 10; i++)
        {
            lab.Run(Message(i, 90));
        }

        Assert.Equal(["fails", "off"], lab.Findings.Select(f => f.Stage));
        var result = lab.Run(Activate(Script(Good), 2, at: 20));
        Assert.Contains(result.Cleared, c => c.Identity == ScriptFaultFinding.Identity("test") && c.Subject.Scope == Scopes.Field);
        lab.Run(Message(30, 90));
        Assert.Equal("test.found", lab.Findings[^1].ConditionKey);
        Assert.Equal(ScriptHealth.Good, lab.Runner.Books.Scripts.All[0].Health);
    }

    [Fact]
    public void Content_that_Lua_cannot_take_and_a_version_that_cannot_be_read_are_faults_like_others()
    {
        var lab = new Lab();
        lab.Run(Activate(Script(Good)), Message(1, 90) with { Payload = Encoding.UTF8.GetBytes("{\"t\":" + new string('[', 40) + new string(']', 40) + "}") }, Message(2, 90));
        Assert.Equal(["script-fault", "script"], lab.Findings.Select(f => f.Condition));
        lab.Run(Activate("this is no Lua", 2, at: 3), Message(4, 90));
        Assert.Equal(("script-fault", "off"), (lab.Findings[^1].Condition, lab.Findings[^1].Stage));
    }

    [Fact]
    public void A_sentence_is_filled_once_and_values_bring_no_line_breaks()
    {
        Assert.Equal("a {b} 1 {c", ScriptResult.Fill("a {x} {b} {c", [("x", "{b}"), ("b", "1")]));
        var lab = new Lab();
        lab.Run(Activate(Script("return nil, { found = { values = { text = 'a\\nb' .. string.rep('x', 500) } } }")), Message(1, 1));
        Assert.StartsWith("a bx", lab.Findings[0].Evidence.Facts["value.text"], StringComparison.Ordinal);
        Assert.Equal(100, lab.Findings[0].Evidence.Facts["value.text"].Length);
    }
}
