using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;
using Sekisho.Detection.Lanes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Lanes;

public class SignalTests
{
    [Fact]
    public void A_signal_carries_who_where_and_what_the_lanes_know()
    {
        var seen = new List<string>();
        var directory = new FakeDirectory();
        directory.SetDevice("d1", user: "u1", interval: TimeSpan.FromMinutes(5), kind: "tag", parent: "hub");
        var lab = Watch(signal => seen.Add($"{signal.Kind} {signal.Source.NetworkText} {signal.UserId} {signal.ParentId} {signal.Place} {signal.Facts.Session} {signal.Sequence} {signal.Interval} {System.Text.Encoding.UTF8.GetString(signal.Payload)}"), directory);
        lab.Run(
            Lab.Sim(Lab.Start, cell: "440-10-77", address: "203.0.113.9"),
            Lab.Message(Lab.Start.AddMinutes(1), sequence: 7, source: "2001:db8:1:2::3") with { Payload = "{\"t\":20}"u8.ToArray() },
            Lab.Sim(Lab.Start.AddMinutes(2), session: SimSessions.Detached, site: "tokyo-7"),
            Lab.Message(Lab.Start.AddMinutes(3), source: "192.0.2.77") with { Place = "kitchen", Payload = default });
        Assert.Equal(
            [
                "Sim  u1 hub 440-10-77 attached -9223372036854775808 300000 ",
                "Message 2001:db8:1::/48 u1 hub 440-10-77 attached 7 300000 {\"t\":20}",
                "Sim  u1 hub tokyo-7 detached -9223372036854775808 300000 ",
                "Message 192.0.2.0/24 u1 hub kitchen detached -9223372036854775808 300000 ",
            ],
            seen);
    }

    [Fact]
    public void What_the_lanes_know_survives_a_restart()
    {
        var seen = new List<string?>();
        var lab = Watch(signal => seen.Add(signal.Place + " " + signal.Facts.Session));
        lab.Run(Lab.Sim(Lab.Start, cell: "cell-1"));
        var copy = new Subject(lab.Table.All.Single().Id, "field");
        copy.Adopt(lab.Book.For("field").Device, []);
        SubjectCodec.Decode(copy, SubjectCodec.Encode(lab.Table.All.Single()), []);
        Assert.Equal(("cell-1", SimSessions.Attached), (copy.Facts.SimCell, copy.Facts.Session));
    }

    [Fact]
    public void A_repeat_a_backlog_a_wrong_clock_and_a_device_under_suspicion_are_not_clean()
    {
        var clean = new List<bool>();
        var lab = Watch(signal => clean.Add(signal.IsClean), more: $", {Lab.Condition("size", "bytes: 1000", key: "c2")}");
        lab.Run(
            Lab.Message(Lab.Start, sequence: 1),
            Lab.Message(Lab.Start, sequence: 1),
            Lab.Message(Lab.Start.AddHours(1), time: Lab.Start.AddMinutes(30), sequence: 2),
            Lab.Message(Lab.Start.AddHours(1), time: Lab.Start.AddDays(9), sequence: 3),
            Lab.Message(Lab.Start.AddHours(1), sequence: 4, size: 2000),
            Lab.Message(Lab.Start.AddHours(1), sequence: 5, size: 10),
            Lab.Message(Lab.Start.AddHours(1), sequence: 6, size: 10));
        Assert.Equal([true, false, false, false, true, false, true], clean);
    }

    [Fact]
    public void Neighbours_at_the_place_are_known_to_a_kind_that_asks()
    {
        var seen = new List<(int, int)>();
        var lab = Watch(signal => seen.Add(signal.Neighbours.Since(Lab.Start.AddMinutes(5).ToUnixTimeMilliseconds(), signal.DeviceId!)), asks: true);
        foreach (var minute in Enumerable.Range(0, 3))
        {
            lab.Run(Enumerable.Range(1, 3).Select(i => Lab.Message(Lab.Start.AddMinutes(4 * minute), $"d{i}") with { Place = "cell-1" }));
        }

        lab.Run(Lab.Message(Lab.Start.AddMinutes(8), "d9") with { Place = "cell-2" });
        Assert.Equal((2, 2), seen[^2]);
        Assert.Equal((0, 0), seen[^1]);
    }

    [Fact]
    public void A_wide_scope_has_a_subject_for_each_key()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", kind: "tag", parent: "hub");
        directory.SetDevice("d2", kind: "tag", parent: "hub");
        var conditions = string.Join(", ", new[] { Scopes.Parent, Scopes.Place, Scopes.Kind, Scopes.Source, Scopes.Field }.Select(s => Lab.Condition("volume", "bytes: 150, period: \"01:00:00\"", scope: s, key: "v-" + s)));
        var lab = new Lab($"[{conditions}]", directory: directory);
        lab.Run(Lab.Message(Lab.Start, "d1") with { Place = "hall" }, Lab.Message(Lab.Start, "d2") with { Place = "hall" });
        Assert.Equal(["v-field field", "v-kind tag", "v-parent hub", "v-place hall", "v-source 192.0.2.1"], lab.Findings.Select(f => $"{f.ConditionKey} {f.ScopeKey}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("192.0.2.0/24", "192.0.2.255", true)]
    [InlineData("192.0.2.0/24", "192.0.3.0", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("0.0.0.0/0", "203.0.113.1", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", true)]
    [InlineData("2001:db8::/32", "192.0.2.1", false)]
    [InlineData("192.0.2.0/24", "unknown", false)]
    public void A_network_contains_what_its_bits_say(string network, string source, bool contains)
    {
        Assert.True(NetworkRange.TryParse(network, out var range));
        Assert.Equal(contains, range.Contains(SourceKey.Of(source)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0/8")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("host")]
    public void What_is_no_network_is_refused(string text) => Assert.False(NetworkRange.TryParse(text, out _));

    [Fact]
    public void Judging_a_message_allocates_nothing_past_what_its_chunk_takes()
    {
        var conditions = $"[{Lab.Condition("size", "bytes: 5000", key: "c-a")}, {Lab.Condition("volume", "bytes: 500000000", key: "c-b")}, {Lab.Condition("size", "sides: high", "judge: learnt", key: "c-c")}, {Lab.Condition("frequency", "messages: 100, window: \"00:01:00\"", key: "c-d")}]";
        var lab = new Lab(conditions);
        var bare = new Lab();
        MessageEvent[] Some(int from) => [.. Enumerable.Range(from, 2000).Select(i => Lab.Message(Lab.Start.AddMinutes(i)) with { Position = i + 1, Place = "hall", Path = "a>b" })];
        long Cost(Lab one, MessageEvent[] events)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            one.Runner.Step(events, one.Book);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        var (warm, first, second) = (Some(0), Some(2000), Some(4000));
        Cost(lab, warm);
        Cost(bare, warm);
        Cost(lab, first);
        Cost(bare, first);
        Assert.InRange(Cost(lab, second) - Cost(bare, second), -4096, 4096);
    }

    [Fact]
    public void A_backlog_has_as_much_room_as_the_gap_at_the_devices_cadence()
    {
        var timeline = default(Timeline);
        var cells = new long[Timeline.Cells];
        long at = 1_000_000_000;
        for (var i = 0; i < 20; i++)
        {
            timeline.Place(new Reading(at += 300_000, null, 0, i, 1), cells);
        }

        var gap = at;
        at += 40 * 60_000;
        var taken = Enumerable.Range(0, 60).Count(i => timeline.Place(new Reading(at, gap + ((i + 1) * 30_000), 0, 20 + i, 1), cells).Backlog);
        Assert.InRange(taken, 8, 24);
    }

    [Fact]
    public void A_reading_with_a_sequence_from_before_the_gap_is_no_backlog()
    {
        var timeline = default(Timeline);
        var cells = new long[Timeline.Cells];
        timeline.Place(new Reading(1_000_000_000, null, 0, 10, 1), cells);
        var placed = timeline.Place(new Reading(1_004_000_000, 1_002_000_000, 0, 9, 1), cells);
        Assert.Equal((false, false), (placed.Backlog, placed.IsBelieved));
        Assert.True(timeline.Place(new Reading(1_004_000_000, 1_002_000_000, 0, 11, 1), cells).Backlog);
    }

    private static Lab Watch(Action<Signal> see, FakeDirectory? directory = null, bool asks = false, string more = "")
    {
        var kind = new ConditionKind("seen", [Scopes.Device], false, [], _ => new Seen(see)) { AsksNeighbours = asks };
        return new Lab(Lab.TemplateOf($"[{Lab.Condition("seen", "")}{more}]", kinds: kind), directory: directory);
    }

    private sealed class Seen(Action<Signal> see) : ICondition
    {
        public int Cells => 0;

        public long QuietAfter => long.MaxValue;

        public bool Concerns(in Signal signal) => signal.Kind != SignalKind.Tick;

        public Verdict Step(Span<long> state, in Signal signal)
        {
            see(signal);
            return Verdict.None;
        }

        public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => throw new InvalidOperationException();
    }
}
