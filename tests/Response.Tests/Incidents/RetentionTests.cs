using System.Net;
using System.Net.Http.Json;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Incidents;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Incidents;

/// <summary>What becomes of incidents that were closed long ago.</summary>
public class RetentionTests
{
    private const string Path = "/api/v1/fields/cars/incidents";
    private const string One = "d000000000000001";
    private const string Two = "d000000000000002";
    private const string Three = "d000000000000003";
    private static readonly string[] Tables = ["incident", "incident_finding", "incident_entry", "incident_key", "incident_removal"];

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_closed_incident_goes_after_its_time_with_everything_it_had_and_one_that_is_open_never(Dialect dialect)
    {
        await using var host = await StartAsync(dialect);
        var old = await RaiseAsync(host, "f1", One, findings: 520);
        await CloseAsync(host, old);
        host.Clock.Advance(TimeSpan.FromDays(20));
        var open = await RaiseAsync(host, "g1", Two);
        var young = await RaiseAsync(host, "h1", Three, condition: "size");
        await CloseAsync(host, young);

        host.Clock.Advance(TimeSpan.FromDays(10) - TimeSpan.FromMinutes(21));
        Assert.Equal(0, await host.Get<IncidentRetention>().TidyAsync(default));
        host.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await host.Get<IncidentRetention>().TidyAsync(default));
        Assert.Equal(0, await host.Get<IncidentRetention>().TidyAsync(default));
        Assert.Equal([open, young], (await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)).Select(i => i.Id).Order());
        foreach (var table in Tables.Skip(1))
        {
            Assert.Equal(0, await CountAsync(host, $"{table} WHERE incident_id = '{old}'"));
        }

        using var reader = host.Client(Roles.Auditor);
        Assert.Equal(HttpStatusCode.NotFound, (await reader.GetAsync($"{Path}/{old}")).StatusCode);
        Assert.Single(await host.Store.Databases.State.ReadAsync(async c => (await c.QueryAsync<string>($"SELECT subject FROM test_history WHERE what = 'incident' AND subject LIKE '{old} deleted%'")).AsList()));

        host.Clock.Advance(TimeSpan.FromDays(3650));
        Assert.Equal(1, await host.Get<IncidentRetention>().TidyAsync(default));
        Assert.Equal(open, Assert.Single(await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)).Id);

        // The device's next trouble is a new incident.
        await RaiseAsync(host, "f9", One);
        Assert.Equal(2, (await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)).Count);
    }

    [Fact]
    public async Task While_a_response_still_holds_a_device_its_story_is_kept()
    {
        await using var host = await StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        var id = await RaiseAsync(host, "f1", One, risk: Risks.Theft);
        await host.Worker.DrainAsync();
        using var jiro = host.Client(Roles.Administrator, "jiro");
        foreach (var step in RecoverySteps.All)
        {
            Assert.True((await jiro.PostAsJsonAsync($"{Path}/{id}/recovery", new { step, skip = true, note = "it stays out" })).IsSuccessStatusCode);
        }

        await CloseAsync(host, id);
        host.Clock.Advance(TimeSpan.FromDays(400));
        Assert.Equal(0, await host.Get<IncidentRetention>().TidyAsync(default));
        var lease = (await host.LeasesAsync()).Single(l => l.Action == "suspend-authentication");
        Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "found" })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal(1, await host.Get<IncidentRetention>().TidyAsync(default));
    }

    [Fact]
    public async Task Killed_half_way_it_goes_on_and_until_its_label_is_handed_on_nothing_goes()
    {
        await using var host = await StartAsync(Dialect.Sqlite);
        var id = await RaiseAsync(host, "f1", One);
        await CloseAsync(host, id, labelled: false);
        host.Clock.Advance(TimeSpan.FromDays(31));
        Assert.Equal(0, await host.Get<IncidentRetention>().TidyAsync(default));
        await host.Get<IncidentWorker>().DrainAsync(default);

        Assert.Equal(1, await host.Store.Databases.State.WriteAsync(t => Task.FromResult(host.Get<IncidentRetention>().Begin(t))));
        await host.RestartAfterKillAsync();
        await host.Get<IncidentWorker>().StopAsync(default);
        Assert.Empty(await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default));
        await host.Get<IncidentRetention>().TidyAsync(default);
        foreach (var table in Tables)
        {
            Assert.Equal(0, await CountAsync(host, table));
        }
    }

    /// <summary>A host that tidies up only when told.</summary>
    private static async Task<TestHost> StartAsync(Dialect dialect)
    {
        var host = await TestHost.StartAsync(dialect, [("Response:Incidents:KeepClosed", "30.00:00:00")]);
        await host.Get<IncidentWorker>().StopAsync(default);
        return host;
    }

    private static async Task<string> RaiseAsync(TestHost host, string finding, string device, string condition = "frequency", string risk = Risks.Spoofing, int findings = 1)
    {
        host.Clock.Advance(TimeSpan.FromMinutes(10));
        host.Commit([.. Enumerable.Range(0, findings).Select(n => host.Finding(n == 0 ? finding : $"{finding}-{n}", device, risk, condition: condition))]);
        return (await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10) { DeviceId = device, State = IncidentStates.Open }, default))[0].Id;
    }

    private static async Task CloseAsync(TestHost host, string id, bool labelled = true)
    {
        using var jiro = host.Client(Roles.Administrator, "jiro");
        var answer = await jiro.PostAsJsonAsync($"{Path}/{id}/close", new { @as = "change", note = "known" });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        if (labelled)
        {
            await host.Get<IncidentWorker>().DrainAsync(default);
        }
    }

    private static Task<long> CountAsync(TestHost host, string of) => host.Store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM " + of));
}
