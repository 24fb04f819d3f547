using System.Text.Json;
using Sekisho.Detection.Lanes;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Lanes;

public class LaneTests
{
    private static readonly string Everything = $$"""
        [{{Lab.Condition("frequency", "messages: 2, window: \"00:05:00\"", "mode: \"on\", repeatAfter: \"00:30:00\"", key: "frequency")}},
         {{Lab.Condition("silence", "duration: \"00:20:00\"", "raiseAfter: 2, repeatAfter: \"01:00:00\"", key: "silence")}},
         {{Lab.Condition("size", "bytes: 1000", "clearAfter: 2", key: "size")}},
         {{Lab.Condition("malformed", "refusals: 2, window: \"00:10:00\"", key: "malformed")}},
         {{Lab.Condition("unregistered", "refusals: 3, window: \"00:10:00\"", scope: "source", key: "unregistered")}},
         {{Lab.Condition("frequency", "messages: 20, window: \"00:05:00\"", scope: "user", key: "user")}},
         {{Lab.Condition("malformed", "refusals: 5, window: \"00:10:00\"", scope: "field", key: "field")}}]
        """;

    [Theory]
    [InlineData("device", "d000000000000001", 26)]
    [InlineData("device", "d000000000000002", 49)]
    [InlineData("source", "192.0.2.1", 5)]
    [InlineData("user", "利用者", 19)]
    public void The_lane_of_a_subject_never_changes(string scope, string key, int lane) => Assert.Equal(lane, Lane.Of(scope, key));

    [Fact]
    public void Devices_spread_evenly_over_the_lanes()
    {
        var counts = Enumerable.Range(0, 64_000).GroupBy(i => Lane.Of("device", $"d{i:d15}")).Select(g => g.Count()).ToList();
        Assert.Equal(Lane.Count, counts.Count);
        Assert.InRange(counts.Min(), 700, 1000);
        Assert.InRange(counts.Max(), 1000, 1300);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_same_events_give_the_same_findings_wherever_stretches_are_cut_and_restarts_happen(int seed)
    {
        var events = Traffic(seed);
        var whole = New();
        whole.Run(events);
        Assert.True(whole.Findings.Count > 20);
        Assert.True(whole.Findings.Select(f => f.ConditionKey).Distinct().Count() >= 6);

        var random = new Random(seed);
        var cut = New();
        for (var i = 0; i < events.Count;)
        {
            var length = random.Next(1, 400);
            cut.Run(events.Skip(i).Take(length));
            i += length;
            if (random.Next(3) == 0)
            {
                Restart(cut);
            }
        }

        Assert.Equal(whole.Findings.Select(f => JsonSerializer.Serialize(f)), cut.Findings.Select(f => JsonSerializer.Serialize(f)));
        Assert.Equal(whole.Results.SelectMany(r => r.Cleared), cut.Results.SelectMany(r => r.Cleared));
        Assert.Equal(States(whole), States(cut));
    }

    [Fact]
    public void A_device_stays_in_order_over_chunks_and_chunks_stay_within_their_bounds()
    {
        var lab = new Lab();
        var random = new Random(5);
        var at = Lab.Start;
        var events = new List<GatewayEvent>();
        for (var i = 0; i < 20_000; i++)
        {
            at = at.AddSeconds(random.Next(0, 60));
            events.Add(Lab.Message(at, $"d{random.Next(200)}", at.AddMinutes(random.Next(4) == 0 ? -5 : 0), payload: random.Next(4000)));
        }

        var chunks = lab.Run(events).Batch.Chunks;
        Assert.Equal(20_000, chunks.Sum(c => c.Messages.Count));
        Assert.Equal(chunks.Select(c => c.Id), chunks.Select(c => c.Id).Distinct().Order());
        Assert.All(chunks, c => Assert.InRange(c.Messages.Count, 1, 1000));
        Assert.All(chunks, c => Assert.InRange(c.Messages.Sum(m => m.Payload.Length), 0, 1 << 20));
        Assert.Contains(chunks, c => c.Backlog);
        foreach (var device in chunks.SelectMany(c => c.Messages).GroupBy(m => m.DeviceId))
        {
            Assert.Equal(device.Select(m => m.Position).Order(), device.Select(m => m.Position));
        }
    }

    [Fact]
    public void A_repeat_within_the_last_128_is_a_duplicate_and_one_without_sequence_never_is()
    {
        var lab = new Lab();
        lab.Run(Enumerable.Range(0, 129).Select(i => Lab.Message(Lab.Start.AddSeconds(i), sequence: i)));
        Assert.Single(lab.Run(Lab.Message(Lab.Start.AddHours(1), sequence: 1)).Batch.Duplicates);
        Assert.Empty(lab.Run(Lab.Message(Lab.Start.AddHours(1), sequence: 0)).Batch.Duplicates);
        var same = Lab.Message(Lab.Start.AddHours(1));
        Assert.Empty(lab.Run(same, same).Batch.Duplicates);
    }

    [Fact]
    public void Facts_other_than_ticks_are_handed_on_in_order()
    {
        var lab = new Lab();
        var result = lab.Run(Lab.Tick(Lab.Start), Lab.Refusal(Lab.Start, RefusalReasons.BadToken), Lab.Message(Lab.Start), Lab.Change(Lab.Start, "active"), Lab.Tick(Lab.Start));
        Assert.Equal([2L, 4L], result.Batch.Facts.Select(f => f.Position));
        Assert.Equal((1L, 5L), (result.Batch.FirstPosition, result.Batch.LastPosition));
    }

    [Fact]
    public void A_changed_plan_keeps_the_states_of_unchanged_conditions_and_ends_what_is_gone()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", key: "keep")}, {Lab.Condition("size", "bytes: 20", key: "drop")}]");
        lab.Run(Lab.Message(Lab.Start, size: 30));
        Assert.Equal(2, lab.Findings.Count);
        lab.Book = Lab.BookOf(Lab.TemplateOf($"[{Lab.Condition("malformed", "refusals: 1, window: \"00:01:00\"", key: "new")}, {Lab.Condition("size", "bytes: 10", key: "keep")}]"));
        var result = lab.Run(Lab.Message(Lab.Start.AddSeconds(1), size: 30));
        Assert.Equal(StableHash.Of("drop", "size"), Assert.Single(result.Cleared).Identity);
        Assert.Equal(2, lab.Findings.Count);
    }

    [Fact]
    public void Judging_a_signal_holds_its_budget()
    {
        var lab = new Lab(Everything);
        lab.Run(Lab.Message(Lab.Start, mode: "on"));
        var subject = lab.Table.FindDevice("d1")!;
        var signal = new Sekisho.Detection.Conditions.Signal { Kind = Sekisho.Detection.Conditions.SignalKind.Message, At = 1, EventAt = 1, Position = 2, Downtime = 0, Bytes = 10, Mode = "off" };
        var measured = Sekisho.Tests.Support.Budget.Measure("condition-step", () =>
        {
            foreach (var condition in subject.Plan.Conditions)
            {
                condition.Judged.Step(subject.StateOf(condition), signal);
            }
        });
        TestContext.Current.TestOutputHelper!.WriteLine(measured.ToString());
        Assert.True(measured.Holds, measured.ToString());
    }

    internal static List<GatewayEvent> Traffic(int seed)
    {
        var random = new Random(seed);
        var events = new List<GatewayEvent>();
        var at = Lab.Start;
        for (var i = 0; i < 3000; i++)
        {
            at = at.AddSeconds(random.Next(0, 30));

            // Now and then the gateway is down, and devices store what they cannot send.
            at = random.Next(300) == 0 ? at.AddMinutes(random.Next(1, 90)) : at;
            var device = $"d{random.Next(12)}";
            events.Add(random.Next(10) switch
            {
                0 => Lab.Refusal(at, RefusalReasons.Malformed, device),
                1 => Lab.Refusal(at, RefusalReasons.Unregistered, null, $"192.0.2.{random.Next(3)}", random.Next(1, 3)),
                2 => Lab.Refusal(at, RefusalReasons.WrongSecret, device, $"192.0.2.{random.Next(3)}"),
                3 when random.Next(30) == 0 => Lab.Change(at, random.Next(2) == 0 ? "deleted" : "suspended", device),
                _ => Lab.Message(at, device, random.Next(3) == 0 ? null : at.AddMinutes(-random.Next(0, 12)), random.Next(400), random.Next(3) switch { 0 => "on", 1 => "off", _ => null }, random.Next(1, 1050)),
            });
        }

        return [.. Lab.WithTicks(events, at.AddHours(2)).Where((e, i) => e is not TickEvent || Heard(e.ArrivedAt, events))];
    }

    /// <summary>No ticks in the longer pauses: the gateway was down.</summary>
    private static bool Heard(DateTimeOffset at, List<GatewayEvent> events)
    {
        var next = events.FindIndex(e => e.ArrivedAt >= at);
        return next <= 0 || events[next].ArrivedAt - events[next - 1].ArrivedAt < TimeSpan.FromMinutes(5);
    }

    internal static Lab New()
    {
        var directory = new FakeDirectory();
        for (var i = 0; i < 12; i++)
        {
            directory.SetDevice($"d{i}", $"u{i % 2}");
        }

        return new Lab(Everything, directory: directory);
    }

    /// <summary>Everything through its encoding, as a restart does it.</summary>
    internal static void Restart(Lab lab)
    {
        var table = new SubjectTable(lab.Directory, 512);
        foreach (var subject in lab.Table.All)
        {
            var copy = new Subject(subject.Id, subject.FieldId);
            copy.Adopt(subject.Plan, []);
            SubjectCodec.Decode(copy, SubjectCodec.Encode(subject), []);
            table.Put(copy);
            table.Await(copy, lab.Runner.Clock);
        }

        lab.Table = table;
        lab.Runner = new LaneRunner(table, lab.Runner.Clock, lab.Runner.Books, new ChangedSubjects(new LaneSettings()));
        lab.Runner.Adopt(lab.Book);
    }

    internal static List<string> States(Lab lab) =>
        [.. lab.Table.All.OrderBy(s => s.Id).Select(s => $"{s.Id} {Convert.ToHexString(SubjectCodec.Encode(s))}")];
}
