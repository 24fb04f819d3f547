using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>What every condition about presence and time promises.</summary>
public class PresenceTests
{
    private static readonly string Everything = $$"""
        [{{Lab.Condition("silence", "duration: \"02:00:00\", late: \"00:10:00\", unreachable: \"00:20:00\", attached: \"00:30:00\", habit: 3", "repeatAfter: \"01:00:00\"", key: "silence")}},
         {{Lab.Condition("silence", "duration: \"01:00:00\", holidays: pause", "mode: \"on\"", key: "silence-on")}},
         {{Lab.Condition("cadence", "interval: \"00:02:00\", stop: \"00:10:00\", rarer: 2", key: "cadence")}},
         {{Lab.Condition("cadence", "interval: \"00:00:00\"", key: "cadence-usual")}},
         {{Lab.Condition("timestamp", "repeats: 2", "clearAfter: 2", key: "timestamp")}},
         {{Lab.Condition("hours", "events: both", "repeatAfter: \"03:00:00\"", key: "hours")}},
         {{Lab.Condition("hours", "events: messages", "judge: learnt", key: "hours-learnt")}},
         {{Lab.Condition("frequency", "messages: 4, window: \"00:05:00\"", key: "frequency")}},
         {{Lab.Condition("group", "share: 40, devices: 3, silent: \"00:05:00\"", "repeatAfter: \"06:00:00\"", scope: "field", key: "group-field")}},
         {{Lab.Condition("group", "share: 60, devices: 2, silent: \"00:05:00\"", scope: "place", key: "group-place")}}]
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_restart_at_any_point_gives_the_same_findings(int seed)
    {
        var events = Traffic(seed);
        var whole = new Lab(Everything);
        whole.Run(events);
        var keys = whole.Findings.Select(f => $"{f.ConditionKey} {f.Stage}").Distinct().ToList();
        string[] expected = ["silence late", "silence unreachable", "silence suspected-theft", "cadence falling", "cadence stopped", "frequency ", "hours ", "timestamp future", "timestamp backwards", "timestamp repeated", "group-field "];
        Assert.InRange(expected.Except(keys).Count(), 0, 1);
        Assert.NotEmpty(whole.Results.SelectMany(r => r.Batch.Retractions));

        Restarts.GiveTheSame(() => new Lab(Everything), events, new Random(seed));
    }

    [Fact]
    public void What_one_device_does_changes_nothing_for_another_of_another_place()
    {
        var conditions = Everything[..Everything.IndexOf("{ key: group-field", StringComparison.Ordinal)].TrimEnd().TrimEnd(',') + "]";
        var events = Traffic(7);
        var all = new Lab(conditions);
        all.Run(events);
        var one = new Lab(conditions);
        one.Run(events.Where(e => e is TickEvent or MessageEvent { DeviceId: "d3" } or SimFactEvent { DeviceId: "d3" } or AuthenticationEvent { DeviceId: "d3" })
            .Select(e => e is MessageEvent m ? m with { Place = null } : e));
        string[] Of(Lab lab) => [.. lab.Findings.Where(f => f.DeviceId == "d3" && f.Condition is not "silence" and not "cadence" && f.ConditionKey != "hours-learnt").Select(f => $"{f.ConditionKey} {f.Stage} {f.RaisedAt:O}")];
        Assert.NotEmpty(Of(one));
        Assert.Equal(Of(all), Of(one));
    }

    [Fact]
    public void Judging_allocates_nothing()
    {
        var lab = new Lab(Everything);
        var events = Traffic(5);
        lab.Run(events.Take(2000));
        var device = lab.Table.FindDevice("d1")!;
        var field = lab.Table.FindWide(Scopes.Field, "field", "field")!;
        var place = lab.Table.FindWide(Scopes.Place, "field", "p1")!;
        Detection.Lanes.Subject[] subjects = [device, field, place];
        var start = Lab.Start.AddDays(9).ToUnixTimeMilliseconds();
        long Spent(int count)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < count; i++)
            {
                var at = start + (i * 61_000L) + (i % 50 == 0 ? 7_200_000L : 0);
                var isTick = i % 3 == 0;
                var signal = new Signal
                {
                    Kind = isTick ? SignalKind.Tick : i % 7 == 1 ? SignalKind.Authentication : SignalKind.Message,
                    At = at,
                    EventAt = at - 1000,
                    Position = i,
                    Downtime = 0,
                    TickBefore = at - 60_000,
                    DeviceTime = isTick ? 0 : at - 1000,
                    Sequence = i,
                    Mode = i % 5 == 0 ? "on" : i % 11 == 0 ? "off" : null,
                    What = AuthenticationOutcomes.Renewed,
                    Backlog = i % 13 == 0 && !isTick,
                    GapFrom = at - 100_000,
                    GapTo = at,
                    FieldId = "field",
                    DeviceId = "d1",
                    Place = "p1",
                    IsClean = true,
                    Facts = device.Facts,
                    Neighbours = place.Neighbours,
                };
                foreach (var subject in subjects)
                {
                    foreach (var condition in subject.Plan.Conditions)
                    {
                        condition.Judged.Step(subject.StateOf(condition), signal);
                        condition.Judged.Due(subject.StateOf(condition), at, 0);
                    }
                }
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Spent(500);
        Assert.InRange(Spent(1000), 0, 1_000);
    }

    [Fact]
    public void A_state_takes_as_much_room_after_a_year_as_on_the_first_day()
    {
        var lab = new Lab(Everything);
        lab.Run(Lab.Message(Lab.Start, "d1", Lab.Start) with { Place = "p1" });
        long Cells() => lab.Table.All.Sum(s => (long)s.Cells.Length);
        var first = Cells();
        for (var day = 0; day < 365; day += 5)
        {
            lab.Run(Lab.WithTicks(Enumerable.Range(0, 20).Select(i => Lab.Message(Lab.Start.AddDays(day).AddHours(i), "d1", Lab.Start.AddDays(day).AddHours(i), (day * 100) + i) with { Place = "p1" }), Lab.Start.AddDays(day).AddHours(21), TimeSpan.FromMinutes(20)));
            lab.Results.Clear();
        }

        Assert.Equal(first, Cells());
    }

    [Fact]
    public void Every_sentence_is_filled_in_both_languages()
    {
        var lab = new Lab(Everything);
        lab.Run(Traffic(1));
        var texts = new Domain.Localization.Texts([typeof(DetectionFeature).Assembly]);
        var sentences = new Detection.Findings.Sentences(texts, lab.Directory);
        foreach (var finding in lab.Findings.DistinctBy(f => (f.ConditionKey, f.Stage)))
        {
            foreach (var language in Domain.Localization.Texts.Languages)
            {
                Assert.DoesNotContain("{", sentences.Of(finding, language) + sentences.Counterfactual(finding, language), StringComparison.Ordinal);
            }
        }
    }

    private static List<GatewayEvent> Traffic(int seed)
    {
        var random = new Random(seed);
        var events = new List<GatewayEvent>();
        var at = Lab.Start;
        var down = new List<(DateTimeOffset From, DateTimeOffset To)>();
        var silent = new DateTimeOffset[12];
        var last = new DateTimeOffset[12];
        Array.Fill(last, at);
        for (var i = 0; i < 6000; i++)
        {
            at = at.AddSeconds(random.Next(0, 18));
            if (random.Next(1500) == 0)
            {
                // The gateway is down.
                down.Add((at, at = at.AddMinutes(random.Next(2, 40))));
            }

            if (random.Next(700) == 0)
            {
                // Some or all fall silent for a while.
                var until = at.AddMinutes(random.Next(5, 200));
                var share = random.Next(1, 12);
                for (var d = 0; d < 12; d++)
                {
                    silent[d] = random.Next(12) < share ? until : silent[d];
                }
            }

            var device = random.Next(12);
            if (at < silent[device] && random.Next(60) > 0)
            {
                continue;
            }

            var stored = at - last[device] > TimeSpan.FromMinutes(8) && random.Next(2) == 0;
            for (var taken = last[device].AddMinutes(2); stored && taken < at; taken = taken.AddMinutes(2))
            {
                events.Add(Lab.Message(at, $"d{device}", taken, random.Next(2) == 0 ? null : events.Count, Mode(random)) with { Place = $"p{device % 3}" });
            }

            last[device] = at;
            events.Add(random.Next(40) switch
            {
                0 => Lab.Sim(at, $"d{device}", random.Next(2) == 0 ? SimSessions.Attached : SimSessions.Detached, cell: $"c{random.Next(2)}"),
                1 => Lab.Authentication(at, $"d{device}"),
                2 => Lab.Message(at, $"d{device}", at.AddMinutes(random.Next(-300, 300)), events.Count),
                3 => Lab.Message(at, $"d{device}", at.Date.ToUniversalTime() < at.UtcDateTime ? new DateTimeOffset(at.UtcDateTime.Date, TimeSpan.Zero).AddHours(at.Hour) : at, events.Count),
                4 when random.Next(20) == 0 => Lab.Change(at, random.Next(2) == 0 ? "deleted" : "suspended", $"d{device}"),
                _ => Lab.Message(at, $"d{device}", at.AddSeconds(-random.Next(0, 3)), events.Count, Mode(random)) with { Place = $"p{device % 3}" },
            });
        }

        return [.. Lab.WithTicks(events, at.AddHours(4)).Where(e => e is not TickEvent || !down.Exists(d => e.ArrivedAt > d.From && e.ArrivedAt < d.To))];
    }

    private static string? Mode(Random random) => random.Next(6) switch { 0 => "on", 1 => "off", _ => null };
}
