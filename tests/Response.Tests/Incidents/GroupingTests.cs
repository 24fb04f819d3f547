using System.Diagnostics;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Response.Incidents;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Incidents;

/// <summary>What belongs together becomes one incident, and nothing else does.</summary>
public class GroupingTests(ITestOutputHelper output)
{
    private const string One = "d000000000000001";
    private const string Two = "d000000000000002";
    private const string Three = "d000000000000003";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Findings_about_one_device_are_one_incident_of_the_highest_level_whatever_their_condition(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Commit(host.Finding("f1", level: Levels.Warning), host.Finding("f2", condition: "file-type", level: Levels.Warning));
        host.Clock.Advance(TimeSpan.FromHours(3));
        host.Commit(host.Finding("f3", condition: "takeover", level: Levels.Critical));

        var incident = Assert.Single(await AllAsync(host));
        Assert.Equal((3, Levels.Critical, IncidentStates.Open), (incident.Findings, incident.Level, incident.State));
        Assert.Equal(["frequency", "file-type", "takeover"], incident.Details.Conditions.Select(c => c.Key));
        Assert.Equal(incident.OpenedAt + TimeSpan.FromHours(1), incident.DueAt);
        Assert.Equal(["opened", "finding", "finding", "finding", "level-rose"], (await host.Get<IncidentStore>().EntriesAsync(incident.Id, 100, default)).Select(e => e.Kind));

        // The same batch again, as after a commit whose answer was lost.
        host.Commit(host.World.Findings["f3"]);
        Assert.Equal(3, Assert.Single(await AllAsync(host)).Findings);
    }

    [Fact]
    public async Task The_same_condition_on_many_devices_within_a_short_time_is_one_cause_and_later_it_is_another()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1", One));
        host.Clock.Advance(TimeSpan.FromSeconds(119));
        host.Commit(host.Finding("f2", Two));
        Assert.Equal(2, Assert.Single(await AllAsync(host)).Findings);

        host.Clock.Advance(TimeSpan.FromSeconds(121));
        host.Commit(host.Finding("f3", Three));
        Assert.Equal(2, (await AllAsync(host)).Count);

        // A device that is in one already stays in it.
        host.Commit(host.Finding("f4", Two));
        Assert.Equal([1L, 3L], (await AllAsync(host)).Select(i => i.Findings).Order());
    }

    [Fact]
    public async Task Two_causes_stay_apart_also_at_the_same_moment()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.World.AddDevice("d000000000000009", "homes", "Door");
        host.Commit(
            host.Finding("f1", One), host.Finding("f2", Two, condition: "file-type"),
            host.Finding("f3", null, condition: "attempts"), host.Finding("f4", null, condition: "scan") with { ScopeKey = "192.0.2.9" },
            host.Finding("f5", "d000000000000009", field: "homes"), host.Finding("f6", null, field: null, condition: "attempts"));
        Assert.Equal(4, (await AllAsync(host)).Count);
        Assert.Single(await AllAsync(host, "homes"));
        Assert.Single(await AllAsync(host, null));
    }

    [Fact]
    public async Task What_is_claimed_is_the_cause_wherever_it_is_claimed_also_hours_later()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        Finding Claims(string id, string device, string claim)
        {
            var finding = host.Finding(id, device, condition: "new-peer");
            return finding with { Evidence = finding.Evidence with { Claim = claim } };
        }

        host.Commit(Claims("f1", One, "198.51.100.7"));
        host.Clock.Advance(TimeSpan.FromHours(5));
        host.Commit(Claims("f2", Two, "198.51.100.7"), host.Finding("f3", null, condition: "attempts"));
        host.Clock.Advance(TimeSpan.FromHours(5));
        host.Commit(host.Finding("f4", null, condition: "attempts"), Claims("f5", Three, "203.0.113.1"));
        Assert.Equal([1L, 2L, 2L], (await AllAsync(host)).Select(i => i.Findings).Order());
    }

    [Fact]
    public async Task What_is_only_tried_out_or_suggested_opens_nothing()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1") with { Effect = Effects.Shadow }, host.Finding("f2") with { Effect = Effects.Suggest });
        Assert.Empty(await AllAsync(host));
    }

    [Fact]
    public async Task A_finding_soon_after_the_closing_opens_it_again_and_a_late_one_is_a_new_incident()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Incidents:ReopenWithin", "06:00:00")]);
        host.Commit(host.Finding("f1"));
        var id = Assert.Single(await AllAsync(host)).Id;
        await CloseAsync(host, id);
        host.Clock.Advance(TimeSpan.FromHours(6));
        host.Commit(host.Finding("f2", condition: "file-type"), host.Finding("f3"));
        var again = Assert.Single(await AllAsync(host));
        Assert.Equal((id, IncidentStates.Open, null, 1, 3L), (again.Id, again.State, again.ClosedAs, again.Details.Reopened, again.Findings));
        Assert.Equal(again.LastAt + TimeSpan.FromHours(8), again.DueAt);

        await CloseAsync(host, id);
        host.Clock.Advance(TimeSpan.FromHours(6.1));
        host.Commit(host.Finding("f4"));
        Assert.Equal([IncidentStates.Open, IncidentStates.Closed], (await AllAsync(host)).Select(i => i.State));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Findings_that_are_taken_back_lower_the_level_and_with_the_last_one_it_is_closed_unless_somebody_has_it_in_hand(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Commit(host.Finding("f1", level: Levels.Warning), host.Finding("f2", level: Levels.Critical), host.Finding("g1", Two, condition: "file-type"));
        host.Retract("f2");
        var lower = await OfAsync(host, One);
        Assert.Equal((Levels.Warning, 1L, IncidentStates.Open), (lower.Level, lower.Retracted, lower.State));
        host.Retract("f1", "f2");
        var over = await OfAsync(host, One);
        Assert.Equal((IncidentStates.Closed, IncidentStates.Retracted, 2L), (over.State, over.ClosedAs, over.Retracted));

        await host.Get<IncidentStore>().ChangeAsync((await OfAsync(host, Two)).Id, i => IncidentMachine.Assign(i, "hanako", Note(host, "hanako")), null, default);
        host.Retract("g1");
        Assert.Equal(IncidentStates.InHand, (await OfAsync(host, Two)).State);
    }

    [Fact]
    public async Task What_a_lock_out_still_holds_is_not_closed_by_the_gateway()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover));
        await host.Worker.DrainAsync();
        host.Retract("f1");
        Assert.Equal(IncidentStates.Open, (await OfAsync(host, One)).State);
    }

    [Fact]
    public async Task What_happens_to_its_device_stands_in_its_timeline()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        host.Commit([Moved(host, One, LifecycleStates.Suspended), Moved(host, Two, LifecycleStates.Active)]);
        var incident = await OfAsync(host, One);
        var line = (await host.Get<IncidentStore>().EntriesAsync(incident.Id, 100, default))[^1];
        Assert.Equal((EntryKinds.Device, LifecycleStates.Suspended), (line.Kind, line.Values["state"]));
    }

    [Theory]
    [InlineData(Dialect.Sqlite, 1)]
    [InlineData(Dialect.Sqlite, 10_000)]
    [InlineData(Dialect.PostgreSql, 1)]
    [InlineData(Dialect.PostgreSql, 10_000)]
    public async Task A_storm_of_ten_thousand_findings_in_a_minute_is_one_incident_with_a_short_timeline(Dialect dialect, int devices)
    {
        await using var host = await TestHost.StartAsync(dialect);
        var intake = host.Get<IEnumerable<ILaneCommitPart>>().OfType<IncidentIntake>().Single();
        var took = new List<double>();
        for (var batch = 0; batch < 50; batch++)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(1.2));
            var findings = Enumerable.Range(batch * 200, 200).Select(i => host.Finding($"f{i}", $"d{i % devices:d15}", condition: i % 3 == 0 ? "silence" : "frequency")).ToList();
            var lanes = new LaneBatch { FirstPosition = 1, LastPosition = 2, Chunks = [], Duplicates = [], Findings = findings, Facts = [] };
            var watch = Stopwatch.StartNew();
            host.Store.Databases.State.Write(t => intake.Write(lanes, t));
            took.Add(watch.Elapsed.TotalMilliseconds);
        }

        var incidents = await AllAsync(host);
        Assert.Equal(10_000, incidents.Sum(i => i.Findings));

        // Two conditions on ten thousand devices are two causes; on one device they are one.
        Assert.Equal(devices == 1 ? 1 : 2, incidents.Count);
        var lines = await host.Store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM incident_entry"));
        var records = (await host.Store.Databases.State.ReadAsync(c => c.QueryAsync<string>("SELECT subject FROM test_history WHERE what = 'incident'"))).Count();
        Assert.InRange(lines, 1, 202 * incidents.Count);
        Assert.InRange(records, 1, 2 * incidents.Count);
        Assert.Equal(10_000, incidents.SelectMany(i => i.Details.Conditions).Sum(c => c.Count));
        output.WriteLine($"{dialect}, {devices} devices: {incidents.Count} incidents, {lines} lines, {took.Sum():0} ms for 10,000 findings, {took.Max():0.0} ms for the slowest batch of 200");
        Assert.InRange(took.Sum(), 0, 30_000);
    }

    [Fact]
    public async Task Conditions_beyond_a_hundred_are_counted_together()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit([.. Enumerable.Range(0, 300).Select(i => host.Finding($"f{i}", condition: $"c{i}"))]);
        var incident = Assert.Single(await AllAsync(host));
        Assert.Equal((101, 200L), (incident.Details.Conditions.Count, incident.Details.Conditions[^1].Count));
        host.Retract("f299");
        Assert.Equal(1, (await OfAsync(host, One)).Details.Conditions[^1].Retracted);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_people_say_of_all_its_findings_is_said_of_the_incident(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Commit(host.Finding("f1"), host.Finding("f2"));
        Label(host, FindingLabel.Acknowledged, "f1");
        Assert.Equal(IncidentStates.InHand, (await OfAsync(host, One)).State);
        Label(host, Closings.FalseAlarm, "f1");
        Assert.Equal(IncidentStates.InHand, (await OfAsync(host, One)).State);
        Label(host, Closings.Change, "f2");
        var closed = await OfAsync(host, One);
        Assert.Equal((IncidentStates.Closed, Closings.Change, "hanako"), (closed.State, closed.ClosedAs, closed.Details.Closed!.By));
        Label(host, FindingLabel.Reopened, "f2");
        Assert.Equal(IncidentStates.Open, (await OfAsync(host, One)).State);
    }

    private static void Label(TestHost host, string label, params string[] findings)
    {
        var part = host.Get<IFindingLabelPart>();
        host.Store.Databases.State.Write(t => part.Labelled(new FindingLabel(findings, label, "because", "hanako", host.Time.GetUtcNow(), "c"), t));
    }

    private static DeviceChangedEvent Moved(TestHost host, string device, string state) => new()
    {
        Position = 99,
        ArrivedAt = host.Time.GetUtcNow(),
        CorrelationId = "0123456789abcdef0123456789abcdef",
        FieldId = "cars",
        DeviceId = device,
        State = state,
        Reason = "a person",
    };

    private static IncidentNote Note(TestHost host, string by) => new(by, host.Time.GetUtcNow(), "done");

    private static Task CloseAsync(TestHost host, string id) => host.Get<IncidentStore>().ChangeAsync(id, i => IncidentMachine.Close(i, Closings.Incident, Note(host, "hanako")), null, default);

    private static Task<IReadOnlyList<Incident>> AllAsync(TestHost host, string? field = "cars") => host.Get<IncidentStore>().ListAsync(new IncidentFilter(field, 500), default);

    private static async Task<Incident> OfAsync(TestHost host, string device) =>
        Assert.Single(await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 500) { DeviceId = device }, default));
}
