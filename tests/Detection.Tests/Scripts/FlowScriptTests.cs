using System.Text;
using System.Text.Json;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Detection.Tests.Lanes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Scripts;

public class FlowScriptTests
{
    private const string Hot = """
        return {
          manifest = {
            title = { ja = "高温", en = "Hot" },
            state = 128,
            findings = {
              hot = { ja = "{degrees}度になりました", en = "It reached {degrees} degrees", risk = "takeover", threat = "destruction", level = "warning" },
              often = { ja = "{n}回目", en = "Message {n}", risk = "spoofing", level = "information", repeatAfter = 3600 },
            },
          },
          step = function(event, state)
            local n = (state.n or 0) + 1
            local t = event.payload.t
            return { n = n }, { hot = t > 80 and { measured = t, expected = 80, values = { degrees = t } }, often = n > 2 and { measured = n, values = { n = n } } or nil }
          end,
        }
        """;

    [Fact]
    public void A_script_sees_each_message_and_says_in_both_languages_what_it_found()
    {
        var lab = new Lab();
        lab.Run(Activate(Hot));
        lab.Run(Message(1, 20), Message(2, 95), Message(3, 96), Message(4, 20), Message(5, 97));
        var hot = lab.Findings.Where(f => f.ConditionKey == "test.hot").ToList();
        Assert.Equal([3L, 6L], hot.Select(f => f.Position));
        var first = hot[0];
        Assert.Equal(("script", "d1", Risks.Takeover, Threats.Destruction, Levels.Warning), (first.Condition, first.DeviceId, first.Risk, first.Threat, first.Level));
        Assert.Equal(("script.test", 1, 95.0, 80.0), (first.TemplateId, first.TemplateVersion, first.Evidence.Measured, first.Evidence.ExpectedHigh));
        Assert.Equal(("95度になりました", "It reached 95 degrees"), (first.Evidence.Facts["text.ja"], first.Evidence.Facts["text.en"]));
        Assert.Equal("test.often", Assert.Single(lab.Findings, f => f.ConditionKey == "test.often").ConditionKey);
        Assert.Equal(StableHash.Of("test.hot", "script"), Assert.Single(lab.Results[^1].Cleared).Identity);
    }

    [Fact]
    public void Each_device_has_its_own_bounded_state()
    {
        var lab = new Lab();
        lab.Run(Activate(Hot), Message(1, 1, "d1"), Message(2, 1, "d2"), Message(3, 1, "d1"), Message(4, 1, "d2"));
        Assert.Empty(lab.Findings);
        lab.Run(Message(5, 1, "d1"));
        Assert.Equal("d1", Assert.Single(lab.Findings).DeviceId);
        lab = new Lab();
        lab.Run(Activate(Script("return { long = string.rep('x', 300) }, {}")), Message(1, 1));
        var told = Assert.Single(lab.Findings);
        Assert.Equal(ScriptFaultFinding.Condition, told.Condition);
        Assert.Contains("the manifest says 256", told.Evidence.Facts["fault"], StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_in_force_is_the_one_at_that_place_in_the_journal_and_a_replay_says_the_same()
    {
        static string Above(int limit) => Script($"return nil, {{ found = event.payload.t > {limit} }}");
        List<GatewayEvent> events =
        [
            Message(1, 50), Activate(Above(40), at: 2), Message(3, 50), Message(4, 10), Activate(Above(60), 2, at: 5), Message(6, 50), Message(7, 70), Message(8, 10),
            Activate(Above(40), 1, at: 9), Message(10, 50), Withdraw(11), Message(12, 90),
        ];
        var lab = new Lab();
        lab.Run(events);
        Assert.Equal([(3L, 1), (7L, 2), (10L, 1)], lab.Findings.Select(f => (f.Position, f.TemplateVersion)));

        // What was raised under a script that is withdrawn is over from there on, not before.
        Assert.Equal(11, lab.Results[0].Cleared[^1].Position);
        foreach (var size in Enumerable.Range(1, events.Count))
        {
            var again = new Lab();
            foreach (var stretch in events.Chunk(size))
            {
                again.Run(stretch);
            }

            Assert.Equal(lab.Findings.Select(f => JsonSerializer.Serialize(f)), again.Findings.Select(f => JsonSerializer.Serialize(f)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_restart_at_any_point_gives_the_same_findings(int seed)
    {
        // Counts, falls over now and then, and is shown the clock.
        var source = Script(
            """
            local n = (state.n or 0) + 1
            if event.kind == 'tick' then return { n = 0 }, { found = n > 30 } end
            if event.payload.t == 13 then error('thirteen') end
            return { n = n, last = event.at }, { found = event.payload.t > 95 and { measured = event.payload.t } }
            """,
            "on = { 'message', 'tick' }, every = 120,");
        var random = new Random(seed);
        var events = new List<GatewayEvent> { Activate(source) };
        for (var i = 1; i < 2000; i++)
        {
            events.Add(random.Next(8) == 0 ? Lab.Tick(Lab.Start.AddSeconds(i * 5)) : Message(i * 5, random.Next(100), $"d{random.Next(5)}"));
        }

        var whole = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        whole.Run(events);
        Assert.True(whole.Findings.Count > 50, $"{whole.Findings.Count} findings");
        var cut = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        for (var i = 0; i < events.Count;)
        {
            var length = random.Next(1, 60);
            cut.Run(events.Skip(i).Take(length));
            i += length;
            Restart(cut);
        }

        Assert.Equal(whole.Findings.Select(f => JsonSerializer.Serialize(f)), cut.Findings.Select(f => JsonSerializer.Serialize(f)));
        Assert.Equal(LaneTests.States(whole), LaneTests.States(cut));
        Assert.Equal(whole.Runner.Books.Scripts.All[0].Health, cut.Runner.Books.Scripts.All[0].Health);
    }

    [Fact]
    public void Facts_reach_a_script_that_asks_for_them_also_in_a_field_without_a_template()
    {
        var lab = new Lab();
        lab.Book = new Sekisho.Detection.Templates.PlanBook(lab.Book.Gateway, new Dictionary<string, Sekisho.Detection.Templates.FieldPlan>());
        lab.Run(
            Activate(Script("return nil, { found = event.kind == 'sim' and event.down == 7 or event.kind == 'refusal' and event.what == 'malformed' and event.count == 3 }", "on = { 'sim', 'refusal' },")),
            Lab.Sim(Lab.Start, "d1", down: 7),
            Lab.Refusal(Lab.Start, RefusalReasons.Malformed, "d2", count: 3),
            Lab.Refusal(Lab.Start, RefusalReasons.Malformed, "d3", count: 2),
            Message(5, 99, "d4"));
        Assert.Equal(["d1", "d2"], lab.Findings.Select(f => f.DeviceId));
    }

    [Fact]
    public void An_exception_holds_for_findings_of_scripts_and_the_role_of_the_device_raises_their_level()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", kind: "pump");
        var lab = new Lab(Lab.TemplateOf("[]", more: "roles: [ { name: vital, kinds: [pump], raise: 1 } ]"), directory: directory);
        var always = Activate(Script("return nil, { found = true }"));
        lab.Run(always, Message(1, 1, "d1"));
        Assert.Equal(Levels.Important, Assert.Single(lab.Findings).Level);
        lab.Run(Lab.Allow(Lab.Start, "x1", "test.found", "d2"), Message(2, 1, "d2"));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Without_scripts_the_plans_are_the_very_same_objects()
    {
        var lab = new Lab();
        Assert.Same(lab.Book, ScriptBook.Empty.Over(lab.Book));
        lab.Run(Activate(Hot), Withdraw(1), Message(2, 1));
        Assert.Same(lab.Book.For("field").Device, lab.Table.FindDevice("d1")!.Plan);
    }

    internal static string Script(string body, string more = "", string functions = "") => $$"""
        {{functions}}
        return {
          manifest = { title = { ja = "試験", en = "Test" }, {{more}} findings = { found = { ja = "あり", en = "Found", risk = "takeover", level = "warning" } } },
          step = function(event, state)
            {{body}}
          end,
        }
        """;

    internal static ScriptChangedEvent Activate(string source, int version = 1, int at = 0, string id = "test", string effect = Effects.Act) => new()
    {
        ArrivedAt = Lab.Start.AddSeconds(at),
        CorrelationId = "c",
        FieldId = "field",
        ScriptId = id,
        Version = version,
        InForce = true,
        Effect = effect,
        Source = Encoding.UTF8.GetBytes(source),
        By = "anna",
    };

    internal static MessageEvent Message(int at, int temperature, string device = "d1") =>
        Lab.Message(Lab.Start.AddSeconds(at), device) with { Payload = Encoding.UTF8.GetBytes($$"""{"t":{{temperature}}}""") };

    private static ScriptChangedEvent Withdraw(int at) => Activate("", at: at) with { InForce = false, Source = default };

    /// <summary>What a restart does: subjects from their bytes, scripts from what is stored of them.</summary>
    private static void Restart(Lab lab)
    {
        var books = lab.Runner.Books with
        {
            Scripts = ScriptBook.Of(lab.Runner.Books.Scripts.All.Select(s => new RunningScript(s.Change, s.Health) { WorkerState = s.WorkerState })),
        };
        var book = books.Scripts.Over(lab.Book);
        var table = new SubjectTable(lab.Directory, 512);
        foreach (var subject in lab.Table.All)
        {
            var copy = new Detection.Lanes.Subject(subject.Id, subject.FieldId);
            copy.Adopt(book.For(subject.FieldId).Of(subject.Id.Scope)!, []);
            SubjectCodec.Decode(copy, SubjectCodec.Encode(subject), []);
            table.Put(copy);
            table.Await(copy, lab.Runner.Clock);
        }

        lab.Table = table;
        lab.Runner = new LaneRunner(table, lab.Runner.Clock, books, new ChangedSubjects(new LaneSettings()));
        lab.Runner.Adopt(lab.Book);
    }
}
