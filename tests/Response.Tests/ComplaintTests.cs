using System.Net;
using System.Net.Http.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests;

/// <summary>What users of other systems complained about for years: one test named after each.</summary>
public class ComplaintTests
{
    private const string Victim = "d000000000000001";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint17_Whoever_guesses_in_a_devices_name_does_not_get_it_locked_out(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"), TestHost.Always("restrict-rate"), TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit(Attempts(host, "guesses", all: 40, failed: 40), Attempts(host, "storm-with-guesses", all: 40, failed: 3));
        await host.Worker.DrainAsync();

        // People are told at once (no mail server is set here, and the response says so), and what the device would suffer for waits for them, with the reason in words.
        var leases = await host.LeasesAsync();
        Assert.All(leases.Where(l => l.Action == "mail"), l => Assert.Equal((LeaseStates.Refused, LeaseCauses.NoMailServer), (l.State, l.Details.Cause)));
        var waiting = leases.Where(l => l.Action != "mail").ToList();
        Assert.Equal(4, waiting.Count);
        Assert.All(waiting, l => Assert.Equal((LeaseStates.WaitingApproval, Approvals.OnePerson, LeaseCauses.OthersDoing), (l.State, l.Approval, l.Details.Cause)));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Victim));
        using var person = host.Client(Roles.Responder, "hanako");
        var shown = await person.GetStringAsync($"/api/v1/fields/cars/responses/{waiting[0].Id}");
        Assert.Contains("anybody can send", shown, StringComparison.Ordinal);

        // A person may decide for it.
        var lockOut = waiting.First(l => l is { FindingId: "guesses", Action: "suspend-authentication" });
        Assert.Equal(HttpStatusCode.OK, (await person.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lockOut.Id}/approve", new { reason = "it was lost last week" })).StatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Victim));
    }

    [Fact]
    public async Task Complaint17_What_a_device_does_with_its_own_credentials_is_answered_by_itself()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(Attempts(host, "storm", all: 40, failed: 0));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Done, Approvals.Automatic), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Approval));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Victim));
    }

    private static Finding Attempts(TestHost host, string id, int all, int failed)
    {
        var finding = host.Finding(id, Victim, Risks.UnauthorisedAccess, condition: "attempts");
        return finding with
        {
            Evidence = finding.Evidence with
            {
                Metric = all == failed ? "failed-attempts" : "attempts",
                Measured = all,
                Facts = new Dictionary<string, string> { ["period"] = "10 min", ["attempts"] = $"{all}", ["failed"] = $"{failed}" },
            },
        };
    }
}
