using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Scripts;

/// <summary>What a script orders becomes responses like those of rules.</summary>
public class RunScriptTests
{
    private const string Device = "d000000000000001";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_a_script_orders_is_done_and_says_which_version_ordered_it_and_why(Dialect dialect)
    {
        await using var host = await ScriptSite.StartAsync(
            """
            log.write("looked at " .. d.key)
            return {
              { action = "suspend-authentication", reason = "measured " .. d.evidence.measured .. " of " .. d.evidence.high },
              { action = "restrict-rate", after = 600, approval = "one-person" },
            }
            """,
            dialect);
        host.Commit(host.Finding("f1", risk: Risks.Takeover));
        await host.DrainAllAsync();

        var orders = await host.OrdersOfAsync("f1");
        var suspend = orders["suspend-authentication"];
        Assert.Equal((LeaseStates.Done, "script night v1", "measured 120 of 60", "automatic"), (suspend.State, suspend.Details.Owner, suspend.Details.Reason, suspend.Approval));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        Assert.Equal((LeaseStates.Planned, "one-person", host.Time.GetUtcNow().AddSeconds(600)), (orders["restrict-rate"].State, orders["restrict-rate"].Approval, orders["restrict-rate"].NextTryAt!.Value));
        Assert.Equal(LeaseStates.Done, (await host.RunOfAsync("f1")).State);
        using var client = host.Client(Roles.Auditor);
        var run = Assert.Single(await client.RunsAsync());
        Assert.Equal(("f1", 1, false, "looked at frequency"), (run.GetProperty("findingId").GetString(), run.GetProperty("version").GetInt32(), run.GetProperty("trial").GetBoolean(), run.GetProperty("log")[0].GetString()));
        Assert.Equal(2, run.GetProperty("orders").GetArrayLength());

        host.Clock.Leap(TimeSpan.FromSeconds(600));
        await host.DrainAllAsync();
        Assert.Equal(LeaseStates.WaitingApproval, (await host.OrdersOfAsync("f1"))["restrict-rate"].State);
    }

    [Fact]
    public async Task A_later_step_that_a_script_ordered_is_not_done_once_a_person_has_the_detection_in_hand()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'suspend-authentication', after = 60 } }");
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        host.World.Handled["f1"] = true;
        host.Clock.Leap(TimeSpan.FromMinutes(1));
        await host.DrainAllAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.HandledInTime), ((await host.OrdersOfAsync("f1"))["suspend-authentication"].State, (await host.OrdersOfAsync("f1"))["suspend-authentication"].Details.Cause));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Killed_between_the_run_and_its_record_nothing_was_ordered_and_after_the_restart_everything_is_ordered_once(Dialect dialect)
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'restrict-rate' }, { action = 'suspend-authentication' }, { action = 'mail' } }", dialect);
        host.Commit(host.Finding("f1"));

        // The transaction breaks at its third order.
        host.World.OnRecord = BreaksAt("mail");
        await Assert.ThrowsAsync<InvalidOperationException>(host.Worker.DrainAsync);
        Assert.Empty(await host.OrdersOfAsync("f1"));
        Assert.Equal(LeaseStates.Running, (await host.RunOfAsync("f1")).State);

        host.World.OnRecord = _ => { };
        await host.RestartAfterKillAsync();
        await host.DrainAllAsync();
        await host.DrainAllAsync();
        Assert.Equal(["mail", "restrict-rate", "suspend-authentication"], (await host.OrdersOfAsync("f1")).Keys.Order());
        Assert.Equal(2, (await host.RunOfAsync("f1")).Attempts);

        // The same order of the same detection is one response, whoever repeats it.
        var before = (await host.LeasesAsync()).Count;
        await host.Leases.ChangeAsync((await host.RunOfAsync("f1")).Id, l => l with { State = LeaseStates.Due, NextTryAt = host.Time.GetUtcNow(), EndedAt = null }, default);
        await host.DrainAllAsync();
        Assert.Equal(before, (await host.LeasesAsync()).Count);
        Assert.Equal(1, await host.Store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM response_script_run")));
    }

    [Fact]
    public async Task A_repeat_after_a_kill_sees_the_hour_in_which_it_began()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'mail', reason = d['local'].date .. ' ' .. d['local'].hour .. ' ' .. d['local'].weekday } }");
        host.Commit(host.Finding("f1"));
        host.World.OnRecord = BreaksAt("mail");
        await Assert.ThrowsAsync<InvalidOperationException>(host.Worker.DrainAsync);
        host.World.OnRecord = _ => { };
        host.Clock.Leap(TimeSpan.FromHours(20));
        await host.RestartAfterKillAsync();
        await host.DrainAllAsync();

        // 00:00 UTC on a Wednesday is nine o'clock in Tokyo.
        Assert.Equal("2026-04-01 9 3", (await host.OrdersOfAsync("f1"))["mail"].Details.Reason);
    }

    [Fact]
    public async Task The_guard_counts_what_scripts_order_as_it_counts_what_rules_order()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'restrict-rate' } }", Dialect.Sqlite, ("Response:Guard:AtLeast", "3"));
        for (var i = 0; i < 8; i++)
        {
            host.World.AddDevice(FormattableString.Invariant($"d8{i:d14}"), "cars", "車両");
        }

        host.Commit([.. Enumerable.Range(0, 8).Select(i => host.Finding($"f{i}", FormattableString.Invariant($"d8{i:d14}")))]);
        await host.DrainAllAsync();

        var leases = (await host.LeasesAsync()).Where(l => l.Action == "restrict-rate").ToList();
        Assert.Equal((3, 5), (leases.Count(l => l.State == LeaseStates.Done), leases.Count(l => l is { State: LeaseStates.WaitingApproval, Details.Cause: LeaseCauses.BlastRadius })));
        Assert.Equal(3, host.World.Restricted.Count);
        Assert.Single(await host.NoticesAsync(), n => n.Details.Notice!.Name == "guard");
    }

    [Fact]
    public async Task A_finding_that_is_taken_back_ends_what_the_script_ordered_and_nobody_is_told_that_the_script_was_taken_back()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'restrict-rate' }, { action = 'suspend-authentication', after = 600 } }");
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        Assert.Single(host.World.Restricted);

        host.Retract("f1");
        await host.DrainAllAsync();
        var orders = await host.OrdersOfAsync("f1");
        Assert.Equal((LeaseStates.Undone, LeaseStates.Refused), (orders["restrict-rate"].State, orders["suspend-authentication"].State));
        Assert.Empty(host.World.Restricted);
        Assert.Equal(3, (await host.LeasesAsync()).Count);
    }

    [Fact]
    public async Task A_finding_that_is_taken_back_before_or_while_the_script_runs_is_not_answered()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'suspend-authentication' } }");
        host.Commit(host.Finding("f1"), host.Finding("f2"));
        host.Retract("f1");
        var running = await host.RunOfAsync("f2");
        await host.Leases.ChangeAsync(running.Id, l => LeaseMachine.Claim(l, "another node", null, canUndo: false, host.Time.GetUtcNow(), host.Get<LeaseSettings>()), default);
        host.Retract("f2");
        host.Clock.Leap(TimeSpan.FromMinutes(5));
        await host.DrainAllAsync();
        Assert.DoesNotContain(await host.LeasesAsync(), l => l.Action == "suspend-authentication");
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    [Fact]
    public async Task Rules_may_run_several_scripts_and_what_a_rule_orders_itself_stays_as_the_rule_orders_it()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'mail', after = 3600 }, { action = 'restrict-rate' } }");
        await host.PutInForceAsync("day", ScriptSite.Script("return { { action = 'webhook' } }"));
        host.Bind(TestHost.Always("mail"), ScriptSite.Runs(), ScriptSite.Runs("day"));
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        var orders = await host.OrdersOfAsync("f1");
        Assert.Equal(["mail", "restrict-rate", "webhook"], orders.Keys.Order());
        Assert.Equal(("policy", "script night v1", "script day v1"), (orders["mail"].Details.Owner, orders["restrict-rate"].Details.Owner, orders["webhook"].Details.Owner));
        Assert.NotEqual(LeaseStates.Planned, orders["mail"].State);
    }

    [Fact]
    public async Task A_rule_may_ask_a_person_before_the_script_runs_and_the_preview_says_what_it_would_order()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'suspend-authentication', after = 60, reason = 'because' } }");
        host.Bind(ScriptSite.Runs(approval: "one-person"));
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        var run = await host.RunOfAsync("f1");
        Assert.Equal((LeaseStates.WaitingApproval, 1), (run.State, (await host.LeasesAsync()).Count));

        using var client = host.Client(Roles.Responder);
        var preview = await client.GetStringAsync($"/api/v1/fields/cars/responses/{run.Id}/preview");
        Assert.Contains("suspension of authentication", preview, StringComparison.Ordinal);
        Assert.Contains("because", preview, StringComparison.Ordinal);
        Assert.Single(await host.LeasesAsync());
    }

    [Fact]
    public async Task A_script_sees_what_is_in_force_what_was_found_lately_and_nothing_that_names_people()
    {
        await using var host = await ScriptSite.StartAsync(
            """
            local lines = {}
            local function show(value, path)
              if type(value) == "table" then for k, v in pairs(value) do show(v, path .. "." .. k) end else lines[#lines + 1] = path .. "=" .. tostring(value) end
            end
            for _, part in ipairs { "device", "inForce", "recent", "counts", "field" } do show(d[part], part) end
            for i = 1, #lines do log.write(lines[i]) end
            return {}
            """);
        host.World.Devices[Device] = host.World.Devices[Device] with { Name = "山田さんの車", ParentId = "d000000000000009" };
        host.Commit(host.Finding("f1", condition: "cadence"));
        await host.DrainAllAsync();
        host.Bind(TestHost.Always("restrict-rate"));
        host.Commit(host.Finding("f2", condition: "restricting"));
        await host.DrainAllAsync();
        host.Bind(ScriptSite.Runs());
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        host.Commit(host.Finding("f3"));
        await host.DrainAllAsync();

        using var client = host.Client(Roles.Administrator);
        var log = (await client.RunsAsync())[0].GetProperty("log").EnumerateArray().Select(l => l.GetString()!).ToList();
        Assert.Contains("device.state=active", log);
        Assert.Contains("device.kind=recorder", log);
        Assert.Contains("inForce.1.action=restrict-rate", log);
        Assert.Contains("recent.1.key=restricting", log);
        Assert.Contains("recent.1.ago=600", log);
        Assert.Contains("recent.2.key=cadence", log);
        Assert.Contains("counts.hour=2", log);
        Assert.DoesNotContain(log, l => l.Contains("山田", StringComparison.Ordinal) || l.Contains("03-0000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_a_field_s_own_rules_are_damaged_what_a_script_orders_against_a_device_waits_for_a_person()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'restrict-rate' }, { action = 'webhook' } }");
        using (var client = host.Client(Roles.Administrator))
        {
            await System.Net.Http.Json.HttpClientJsonExtensions.PutAsJsonAsync(client, "/api/v1/fields/cars/response-rules", new { reason = "own", rules = Array.Empty<object>() });
        }

        await host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE response_rules SET document = @d", new { d = new byte[64] }, t));
        await host.RestartAfterKillAsync();
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        var orders = await host.OrdersOfAsync("f1");
        Assert.Equal((LeaseStates.WaitingApproval, "automatic"), (orders["restrict-rate"].State, orders["webhook"].Approval));
    }

    [Theory]
    [InlineData("automatic")]
    [InlineData("one-person")]
    [InlineData("two-persons")]
    public async Task What_may_destroy_something_takes_two_persons_whatever_a_script_says(string approval)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var orders = new LeaseOrders([new Wipe()], host.World, host.Get<LeaseSettings>(), host.Get<GuardSettings>(), host.Time);
        var lease = orders.Of(host.Finding("f1"), new DueAction("wipe", approval) { Owner = "script night v1", Reason = "said so" });
        Assert.Equal((LeaseStates.WaitingApproval, Approvals.TwoPersons, "script night v1"), (lease.State, lease.Approval, lease.Details.Owner));
    }

    private static Action<Sekisho.Domain.History.HistoryRecord> BreaksAt(string action) => record =>
    {
        if (record.What == action)
        {
            throw new InvalidOperationException("the power is gone");
        }
    };

    /// <summary>An action that cannot be taken back.</summary>
    private sealed class Wipe : IResponseAction
    {
        public string Name => "wipe";

        public bool CanUndo => false;

        public bool LocksOut => false;

        public bool Disturbs => true;

        public bool Destroys => true;

        public (string? Target, string? Refusal) TargetOf(Finding finding) => (finding.DeviceId, null);

        public string? Before(Lease lease) => null;

        public Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<PreviewLine>>([]);

        public Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<ActionOutcome>(new ActionOutcome.Done());

        public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<string?>(null);
    }
}
