using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Rules;

/// <summary>What a field does about which threat, by rules of its own.</summary>
public class RuleTests
{
    private const string Path = "/api/v1/fields/cars/response-rules";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Own_rules_are_in_force_with_the_next_detection_stay_as_revisions_and_can_be_given_up(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("mail"));
        using var client = host.Client(Roles.Administrator, "hanako");
        Assert.Equal("template", (await client.GetFromJsonAsync<JsonElement>(Path)).GetProperty("source").GetString());

        await PutAsync(client, new { reason = "theft first", rules = new[] { new { risk = "theft", level = "warning", action = "suspend-authentication", approval = "one-person", threat = "theft" } } });
        host.Commit(host.Finding("f1", risk: Risks.Theft) with { Threat = Threats.Theft }, host.Finding("f2", risk: Risks.Theft), host.Finding("f3"));
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal(("f1", "suspend-authentication", LeaseStates.WaitingApproval), (lease.FindingId, lease.Action, lease.State));

        await host.RestartAfterKillAsync();
        using var after = host.Client(Roles.Administrator, "taro");
        Assert.Equal(1, (await after.GetFromJsonAsync<JsonElement>(Path)).GetProperty("revision").GetInt64());
        await PutAsync(after, new { reason = "as the template says", rules = (object?)null });
        host.Commit(host.Finding("f4"));
        Assert.Equal("mail", (await host.LeasesAsync()).Single(l => l.FindingId == "f4").Action);

        var revisions = (await after.GetFromJsonAsync<JsonElement>(Path + "/revisions")).GetProperty("items");
        Assert.Equal([2L, 1], revisions.EnumerateArray().Select(r => r.GetProperty("revision").GetInt64()));
        Assert.Equal(["taro", "hanako"], revisions.EnumerateArray().Select(r => r.GetProperty("changedBy").GetString()!));
        Assert.Equal(2, (await host.NoticesAsync()).Count(n => n.Details.Notice!.Name == "rules-changed"));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Rules_that_several_people_set_at_the_same_moment_become_revisions_one_after_the_other(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        using var client = host.Client(Roles.Administrator);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => PutAsync(client, new { reason = $"change {i}", rules = new[] { new { risk = "*", level = "warning", action = "mail" } } })));

        var revisions = (await client.GetFromJsonAsync<JsonElement>(Path + "/revisions")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(1, 12).Reverse(), revisions.Select(r => r.GetProperty("revision").GetInt32()));
        Assert.Equal(12, revisions.Select(r => r.GetProperty("reason").GetString()).Distinct().Count());
        Assert.Equal(12, (await client.GetFromJsonAsync<JsonElement>(Path)).GetProperty("revision").GetInt32());
        Assert.Equal(12, (await host.NoticesAsync()).Count(n => n.Details.Notice!.Name == "rules-changed"));
    }

    [Fact]
    public async Task A_revision_that_was_changed_behind_the_gateway_s_back_is_not_followed_and_what_disturbs_waits_for_a_person()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        await PutAsync(client, new { reason = "first", rules = new[] { new { risk = "*", level = "warning", action = "mail" } } });
        await PutAsync(client, new { reason = "second", rules = Array.Empty<object>() });
        await host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(
            "UPDATE response_rules SET document = (SELECT document FROM response_rules WHERE revision = 1) WHERE revision = 2", transaction: t));
        await host.RestartAfterKillAsync();
        host.Bind(TestHost.Always("webhook"), TestHost.Always("suspend-authentication"));
        host.World.Bindings["homes"] = [TestHost.Always("suspend-authentication")];
        host.World.AddDevice("d00000000000000h", "homes", "Door");

        host.Commit(host.Finding("f1"), host.Finding("f2", "d00000000000000h", field: "homes"));

        var leases = (await host.LeasesAsync()).ToDictionary(l => l.Action);
        Assert.Equal(["suspend-authentication", "webhook"], leases.Keys.Order());
        Assert.Equal(LeaseStates.WaitingApproval, leases["suspend-authentication"].State);
        Assert.Equal(LeaseStates.Due, leases["webhook"].State);
        Assert.Equal(LeaseStates.Due, Assert.Single(await host.LeasesAsync("homes")).State);
        Assert.Single(await host.NoticesAsync(), n => n.Details.Notice!.Name == "rules-unreadable");
        using var reader = host.Client(Roles.Administrator);
        Assert.Equal("unreadable", (await reader.GetFromJsonAsync<JsonElement>(Path)).GetProperty("source").GetString());
        Assert.Equal(["unreadable", "field"], (await reader.GetFromJsonAsync<JsonElement>(Path + "/revisions")).GetProperty("items").EnumerateArray().Select(r => r.GetProperty("source").GetString()));

        await PutAsync(reader, new { reason = "set again", rules = new[] { new { risk = "*", level = "warning", action = "mail" } } });
        host.Commit(host.Finding("f3"));
        Assert.Equal("mail", (await host.LeasesAsync()).Single(l => l.FindingId == "f3").Action);
    }

    [Fact]
    public async Task A_dry_run_counts_what_rules_would_have_done_and_does_nothing()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        for (var i = 0; i < 20; i++)
        {
            host.World.AddDevice(FormattableString.Invariant($"d9{i:d14}"), "cars", "車両");
            host.Commit(host.Finding($"f{i}", FormattableString.Invariant($"d9{i:d14}"), risk: Risks.Takeover));
        }

        host.Commit(host.Finding("shadow", risk: Risks.Takeover) with { Effect = Effects.Shadow });
        using var client = host.Client(Roles.Responder);
        var answer = await client.PostAsJsonAsync(Path + "/dry-run", new
        {
            days = 7,
            rules = new object[]
            {
                new { risk = "takeover", level = "warning", action = "suspend-authentication" },
                new { risk = "*", level = "warning", action = "mail", afterSeconds = 60 },
            },
        });
        var played = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(21, played.GetProperty("findings").GetInt32());
        var actions = played.GetProperty("actions").EnumerateArray().ToDictionary(a => a.GetProperty("action").GetString()!);
        Assert.Equal((20, 3, 17), (actions["suspend-authentication"].GetProperty("ordered").GetInt32(), actions["suspend-authentication"].GetProperty("byItself").GetInt32(), actions["suspend-authentication"].GetProperty("heldByGuard").GetInt32()));
        Assert.Equal((20, 20), (actions["mail"].GetProperty("ordered").GetInt32(), actions["mail"].GetProperty("laterSteps").GetInt32()));
        Assert.Empty(await host.LeasesAsync());
    }

    [Theory]
    [InlineData("""{"reason":"x","rules":[{"risk":"fire","level":"warning","action":"mail"}]}""", "/rules/0/risk")]
    [InlineData("""{"reason":"x","rules":[{"risk":"*","level":"loud","action":"mail"}]}""", "/rules/0/level")]
    [InlineData("""{"reason":"x","rules":[{"risk":"*","level":"warning","action":"explode"}]}""", "/rules/0/action")]
    [InlineData("""{"reason":"x","rules":[{"risk":"*","level":"warning","action":"mail","threat":"rain"}]}""", "/rules/0/threat")]
    [InlineData("""{"reason":"x","rules":[{"risk":"*","level":"warning","action":"mail","approval":"nobody"}]}""", "/rules/0/approval")]
    [InlineData("""{"reason":"x","rules":[{"risk":"*","level":"warning","action":"mail","afterSeconds":604801}]}""", "/rules/0/afterSeconds")]
    [InlineData("""{"reason":"x","rules":[{"risk":"*","level":"warning","action":"mail","condition":"a b"}]}""", "/rules/0/condition")]
    [InlineData("""{"reason":"x","rules":[null]}""", "/rules/0/risk")]
    [InlineData("""{"reason":"","rules":[]}""", "/reason")]
    public async Task Rules_with_a_fault_are_refused_with_its_place_and_what_is_allowed(string body, string place)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        var answer = await client.PutAsync(Path, content);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(place, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>(Path)).GetProperty("revision").GetInt64());
    }

    private static async Task PutAsync(HttpClient client, object body)
    {
        var answer = await client.PutAsJsonAsync(Path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
