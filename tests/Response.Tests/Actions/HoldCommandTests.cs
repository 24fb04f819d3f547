using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Actions;

/// <summary>Held commands and read-only devices as responses; the way of the commands themselves is tested where they are carried, and end to end.</summary>
public class HoldCommandTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_held_command_is_let_go_by_the_undo_withdrawn_by_a_refusal_and_lapses_with_its_validity(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        var leases = new List<Lease>();
        foreach (var command in (string[])["goes", "refused", "lapses"])
        {
            leases.Add(await HoldAsync(host, command));
        }

        Assert.All(leases, l => Assert.Equal((LeaseStates.Done, host.Time.GetUtcNow().AddHours(1)), (l.State, l.ExpiresAt)));
        using var client = host.Client(Roles.Responder, "hanako");
        var view = await DecideAsync(client, leases[0], "undo", HttpStatusCode.OK);
        Assert.Equal((LeaseStates.Undone, "hanako"), ((string?)view["state"], (string?)view["actor"]));
        Assert.Equal(CommandStates.Queued, host.Commands.Commands["goes"].State);
        view = await DecideAsync(client, leases[1], "refuse", HttpStatusCode.OK);
        Assert.Equal(LeaseStates.Refused, (string?)view["state"]);
        Assert.Equal(CommandStates.Withdrawn, host.Commands.Commands["refused"].State);
        await DecideAsync(client, leases[1], "refuse", HttpStatusCode.Conflict);
        Assert.Equal([("goes", "release", "hanako", "looked at it"), ("refused", "withdraw", "hanako", "looked at it")], host.Commands.Decisions);

        host.Clock.Leap(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Expired, (await host.Leases.FindAsync(leases[2].Id, default))!.State);
        Assert.Equal(2, host.Commands.Decisions.Count);
    }

    [Fact]
    public async Task Only_a_person_who_is_not_the_sender_lets_a_command_go()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var lease = await HoldAsync(host, "own", "account:Hanako");
        using var key = host.Client(Roles.Administrator, "robot", key: true, scopes: "responses:write");
        await DecideAsync(key, lease, "undo", HttpStatusCode.Forbidden);
        using var own = host.Client(Roles.Administrator, "hanako");
        var problem = await DecideAsync(own, lease, "undo", HttpStatusCode.Conflict);
        Assert.Equal("urn:sekisho:problem:response-own-doing", (string?)problem["type"]);
        Assert.Equal(CommandStates.Held, host.Commands.Commands["own"].State);
        using var other = host.Client(Roles.Administrator, "taro");
        await DecideAsync(other, lease, "undo", HttpStatusCode.OK);
        Assert.Equal(CommandStates.Queued, host.Commands.Commands["own"].State);
    }

    [Fact]
    public async Task What_was_decided_elsewhere_ends_the_lease_and_what_is_gone_makes_none()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var lease = await HoldAsync(host, "elsewhere");
        await ((IDeviceCommands)host.Commands).ReleaseAsync("elsewhere", "taro", "by the list", "", default);
        await Sekisho.Tests.Support.Until.TrueAsync(async () => (await host.Leases.FindAsync(lease.Id, default))!.State == LeaseStates.Undone, "the lease is still in force");
        Assert.Equal(LeaseCauses.CommandSettled, (await host.Leases.FindAsync(lease.Id, default))!.Details.Cause);
        Assert.Equal(LeaseCauses.CommandSettled, (await HoldAsync(host, "elsewhere", known: true)).Details.Cause);
        Assert.Equal(LeaseCauses.CommandGone, (await HoldAsync(host, "never", known: true)).Details.Cause);
        host.Commit(host.Finding("other", risk: Risks.Takeover), host.Finding("nobody", device: null));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseCauses.NoCommand, (await host.LeasesAsync()).Single(l => l.FindingId == "other").Details.Cause);
        Assert.Equal(LeaseCauses.NoDevice, (await host.LeasesAsync()).Single(l => l.FindingId == "nobody").Details.Cause);
    }

    [Fact]
    public async Task A_finding_that_is_taken_back_lets_no_command_go()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var lease = await HoldAsync(host, "stays");
        host.Retract(lease.FindingId!);
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Undone, LeaseCauses.CommandStaysHeld), (await host.Leases.FindAsync(lease.Id, default))! is var l ? (l.State, l.Details.Cause) : default);
        Assert.Equal(CommandStates.Held, host.Commands.Commands["stays"].State);
    }

    [Fact]
    public async Task The_recovery_of_an_incident_lets_no_held_command_go()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var lease = await HoldAsync(host, "held");
        using var client = host.Client(Roles.Responder, "hanako");
        var incident = (await client.GetFromJsonAsync<JsonNode>("/api/v1/fields/cars/incidents"))!["items"]![0]!["id"]!.GetValue<string>();
        foreach (var step in (string[])["check", "clean", "restore", "release"])
        {
            var answer = await client.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{incident}/recovery", new { step, note = "well again" });
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        await host.Worker.DrainAsync();
        Assert.Equal(CommandStates.Held, host.Commands.Commands["held"].State);
        Assert.Equal(LeaseStates.Done, (await host.Leases.FindAsync(lease.Id, default))!.State);
        Assert.Empty(host.Commands.Decisions);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_device_is_read_only_for_a_day_and_the_world_is_as_before(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("read-only"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover), host.Finding("f2", risk: Risks.Takeover, condition: "size"));
        await host.Worker.DrainAsync();
        Assert.All(host.Commands.Holds, h => Assert.Equal(("d000000000000001", host.Time.GetUtcNow().AddDays(1)), (h.Key.Device, h.Value)));
        Assert.Equal(2, host.Commands.Holds.Count);
        using var client = host.Client(Roles.Responder, "hanako");
        await DecideAsync(client, (await host.LeasesAsync())[0], "undo", HttpStatusCode.OK);
        Assert.Single(host.Commands.Holds);
        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.Empty(host.Commands.Holds);
        Assert.Equal([LeaseStates.Expired, LeaseStates.Undone], (await host.LeasesAsync()).Select(l => l.State).Order());
    }

    internal static async Task<JsonNode> DecideAsync(HttpClient client, Lease lease, string verb, HttpStatusCode expected)
    {
        using var response = await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/{verb}", new { reason = "looked at it" });
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    private static int _findings;

    private static async Task<Lease> HoldAsync(TestHost host, string command, string sender = "key:cloud", bool known = false)
    {
        if (!known)
        {
            host.Commands.Held(command, sender);
        }

        host.Bind(TestHost.Always("hold-command"));
        var finding = host.Finding($"held{Interlocked.Increment(ref _findings)}", risk: Risks.Takeover, condition: "command");
        host.Commit(finding with { Evidence = finding.Evidence with { Facts = new Dictionary<string, string> { [FindingTexts.CommandFact] = command } } });
        await host.Worker.DrainAsync();
        return (await host.LeasesAsync()).Single(l => l.FindingId == finding.Id);
    }
}
