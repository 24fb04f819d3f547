using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Response.Actions;
using Sekisho.Response.Actions.SuspendSim;
using Sekisho.Response.Leases;
using Sekisho.Response.Sim;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Verification.Carrier;

namespace Sekisho.Response.Tests.Sim;

public class SimActionTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_stolen_device_loses_its_SIM_for_good_until_a_person_gives_it_back(Dialect dialect)
    {
        await using var site = await SimSite.StartAsync(dialect);
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal((LeaseStates.Done, null, null), (lease.State, lease.Details.Cause, lease.ExpiresAt));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Shared));

        await site.LaterAsync(TimeSpan.FromDays(1));
        await site.LaterAsync(TimeSpan.FromDays(400));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        Assert.Equal(2, (await site.Host.NoticesAsync()).Count(n => n.Details.Notice!.Name == "still-locked"));
        var undone = await site.UndoAsync(lease.Id);
        Assert.Equal((LeaseStates.Undone, null), (undone.State, undone.Details.Cause));
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
        Assert.Equal([$"POST /v1/sims/{SimSite.Sim}/suspend", $"POST /v1/sims/{SimSite.Sim}/activate"], site.Carrier.Orders);
    }

    [Fact]
    public async Task A_suspension_that_is_not_for_theft_or_takeover_ends_by_itself()
    {
        await using var site = await SimSite.StartAsync(actions: ["suspend-sim"]);
        var lease = (await site.RespondAsync("f1", risk: "spoofing"))["suspend-sim"];
        Assert.NotNull(lease.ExpiresAt);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        await site.LaterAsync(TimeSpan.FromDays(1));
        Assert.Equal(LeaseStates.Expired, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_deactivation_is_a_restriction_and_ends_by_itself_also_for_theft()
    {
        await using var site = await SimSite.StartAsync(actions: ["deactivate-sim"]);
        var lease = (await site.RespondAsync("f1"))["deactivate-sim"];
        Assert.NotNull(lease.ExpiresAt);
        Assert.Equal("inactive", site.Carrier.StateOf(SimSite.Sim));
        await site.LaterAsync(TimeSpan.FromDays(1));
        Assert.Equal(LeaseStates.Expired, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_SIM_that_several_leases_hold_is_switched_on_by_the_last_undo_alone()
    {
        await using var site = await SimSite.StartAsync();
        var first = (await site.RespondAsync("f1", "d000000000000002"))["suspend-sim"];
        var second = (await site.RespondAsync("f2", "d000000000000003"))["suspend-sim"];
        Assert.Equal(first.Target, second.Target);
        Assert.Single(site.Carrier.Orders);

        var early = await site.UndoAsync(first.Id);
        Assert.Equal((LeaseStates.Undone, LeaseCauses.SimStillHeld), (early.State, early.Details.Cause));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Shared));
        Assert.Null((await site.UndoAsync(second.Id)).Details.Cause);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Shared));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_strongest_wish_decides_and_what_is_left_decides_after_it(bool suspensionEndsFirst)
    {
        await using var site = await SimSite.StartAsync(actions: ["deactivate-sim", "suspend-sim"]);
        site.Host.Bind(TestHost.Always("deactivate-sim"));
        var mild = (await site.RespondAsync("f1"))["deactivate-sim"];
        site.Host.Bind(TestHost.Always("suspend-sim"));
        var strong = (await site.RespondAsync("f2"))["suspend-sim"];
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));

        Assert.Equal(LeaseCauses.SimStillHeld, (await site.UndoAsync(suspensionEndsFirst ? strong.Id : mild.Id)).Details.Cause);
        Assert.Equal(suspensionEndsFirst ? "inactive" : "suspended", site.Carrier.StateOf(SimSite.Sim));
        Assert.Null((await site.UndoAsync(suspensionEndsFirst ? mild.Id : strong.Id)).Details.Cause);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Theory]
    [InlineData("suspended", "suspended")]
    [InlineData("inactive", "inactive")]
    [InlineData("ready", "active")]
    [InlineData("standby", "active")]
    public async Task The_undo_goes_back_to_how_the_SIM_was_and_switches_nothing_on_that_others_had_switched_off(string before, string after)
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Change(SimSite.Sim, s => s with { State = before });
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal(before == "suspended" ? LeaseCauses.SimOffAlready : null, lease.Details.Cause);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        Assert.Equal(before == "suspended" ? LeaseCauses.SimChangedElsewhere : null, (await site.UndoAsync(lease.Id)).Details.Cause);
        Assert.Equal(after, site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task What_somebody_does_at_the_carrier_meanwhile_is_left_alone()
    {
        await using var site = await SimSite.StartAsync(actions: ["deactivate-sim"]);
        var lease = (await site.RespondAsync("f1"))["deactivate-sim"];
        site.Carrier.Change(SimSite.Sim, s => s with { State = "suspended" });
        Assert.Equal(LeaseCauses.SimChangedElsewhere, (await site.UndoAsync(lease.Id)).Details.Cause);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));

        var other = (await site.RespondAsync("f2", "d000000000000002"))["deactivate-sim"];
        site.Carrier.Change(SimSite.Shared, s => s with { State = "active" });
        Assert.Null((await site.UndoAsync(other.Id)).Details.Cause);
        Assert.DoesNotContain(site.Carrier.Orders, o => o.EndsWith("activate", StringComparison.Ordinal) && !o.EndsWith("deactivate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_SIM_whose_contract_ended_is_never_touched_and_nothing_ever_ends_one()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Change(SimSite.Sim, s => s with { State = "terminated" });
        Assert.Equal(LeaseCauses.SimTerminated, (await site.RespondAsync("f1"))["suspend-sim"].Details.Cause);
        Assert.Empty(site.Carrier.Orders);
        Assert.DoesNotContain(site.Carrier.Requests, r => r.Path.Contains("terminate", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("8981100000000000011")]
    [InlineData("440101234567811")]
    [InlineData(SimSite.Sim)]
    public async Task The_gateways_own_SIM_is_not_switched_off_whatever_it_is_called(string name)
    {
        await using var site = await SimSite.StartAsync();
        (await site.SetAsync(forbidden: [name])).EnsureSuccessStatusCode();
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal((LeaseStates.Refused, LeaseCauses.SimForbidden), (lease.State, lease.Details.Cause));
        Assert.Empty(site.Carrier.Orders);
        Assert.Equal(409, (int)(await site.LinkAsync("d000000000000003", "iccid", "8981100000000000011")).StatusCode);
    }

    [Fact]
    public async Task A_maintainers_list_holds_for_every_field()
    {
        await using var site = await SimSite.StartAsync(settings: [("Response:Sim:Forbidden:0", "440101234567899")]);
        site.Carrier.Add(new CarrierSim("8942310000000000099", "8981100000000000099", "440101234567899"));
        Assert.Equal(409, (int)(await site.LinkAsync(SimSite.Device, "iccid", "8981100000000000099")).StatusCode);
    }

    [Fact]
    public async Task A_device_without_SIM_is_refused_and_tried_again_when_it_has_one()
    {
        await using var site = await SimSite.StartAsync();
        using var admin = site.Admin();
        (await admin.DeleteAsync($"/api/v1/fields/cars/sims/{SimSite.Device}")).EnsureSuccessStatusCode();
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoSim), (lease.State, lease.Details.Cause));

        (await site.LinkAsync(SimSite.Device, "imsi", "440101234567811")).EnsureSuccessStatusCode();
        (await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(admin, $"/api/v1/fields/cars/responses/{lease.Id}/retry", new { reason = "linked" })).EnsureSuccessStatusCode();
        await site.Host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_SIM_that_many_devices_hang_on_is_switched_off_by_a_person_only()
    {
        await using var site = await SimSite.StartAsync(settings: [("Response:Sim:MostDevices", "1")]);
        var lease = (await site.RespondAsync("f1", "d000000000000002"))["suspend-sim"];
        Assert.Equal((LeaseStates.Refused, LeaseCauses.SimCarriesMany), (lease.State, lease.Details.Cause));
        Assert.Empty(site.Carrier.Orders);

        using var admin = site.Admin();
        (await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(admin, $"/api/v1/fields/cars/responses/{lease.Id}/retry", new { reason = "all of them" })).EnsureSuccessStatusCode();
        await site.Host.Worker.DrainAsync();
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Shared));

        site.Host.Bind(TestHost.Always("suspend-sim", "one-person"));
        site.Carrier.Change(SimSite.Shared, s => s with { State = "active" });
        var asked = (await site.RespondAsync("f2", "d000000000000003"))["suspend-sim"];
        (await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(admin, $"/api/v1/fields/cars/responses/{asked.Id}/approve", new { reason = "yes" })).EnsureSuccessStatusCode();
        await site.Host.Worker.DrainAsync();
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Shared));
    }

    [Fact]
    public async Task The_guard_counts_every_device_that_a_SIM_carries_before_and_after_it_is_switched_off()
    {
        // Two devices hang on the shared SIM: one disturbed device too many.
        await using var site = await SimSite.StartAsync(settings: [("Response:Guard:AtLeast", "2"), ("Response:Guard:Share", "0.001")]);
        Assert.Equal(LeaseStates.Done, (await site.RespondAsync("f1", SimSite.Device))["suspend-sim"].State);
        var held = (await site.RespondAsync("f2", "d000000000000002"))["suspend-sim"];
        Assert.Equal((LeaseStates.WaitingApproval, LeaseCauses.BlastRadius), (held.State, held.Details.Cause));
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Shared));

        // A person agrees: from then on both of its devices count, and one more of the same SIM disturbs nobody new.
        using var admin = site.Admin();
        (await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(admin, $"/api/v1/fields/cars/responses/{held.Id}/approve", new { reason = "yes" })).EnsureSuccessStatusCode();
        await site.Host.Worker.DrainAsync();
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Shared));
        var guard = System.Text.Json.Nodes.JsonNode.Parse(await admin.GetStringAsync("/api/v1/fields/cars/response-guard"))!;
        Assert.Equal((3, 2), (guard["disturbed"]!.GetValue<int>(), guard["allowed"]!.GetValue<int>()));
        Assert.Equal(LeaseStates.Done, (await site.RespondAsync("f3", "d000000000000003"))["suspend-sim"].State);
    }

    [Fact]
    public async Task A_device_that_moved_to_another_field_leaves_its_SIM_behind()
    {
        await using var site = await SimSite.StartAsync();
        site.Host.World.Devices[SimSite.Device] = site.Host.World.Devices[SimSite.Device] with { FieldId = "homes" };
        site.Host.World.Bindings["homes"] = [TestHost.Always("suspend-sim")];
        site.Host.Commit(site.Host.Finding("f1", field: "homes"));
        await site.Host.Worker.DrainAsync();
        var lease = Assert.Single(await site.Host.LeasesAsync("homes"));
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoSimProvider), (lease.State, lease.Details.Cause));

        // Nor is it the SIM of the other field when that one has the same account.
        (await site.SetAsync("homes")).EnsureSuccessStatusCode();
        site.Host.Commit(site.Host.Finding("f2", field: "homes"));
        await site.Host.Worker.DrainAsync();
        Assert.Equal(LeaseCauses.NoSim, (await site.Host.LeasesAsync("homes")).Single(l => l.FindingId == "f2").Details.Cause);
        Assert.Empty(site.Carrier.Orders);
    }

    [Fact]
    public async Task Killed_between_the_order_and_its_record_the_repeat_orders_nothing_twice_and_knows_its_own_doing()
    {
        await using var site = await SimSite.StartAsync();
        var ordered = new TaskCompletionSource();
        site.Carrier.Fault = r => !r.Path.EndsWith("/suspend", StringComparison.Ordinal) ? null : new CarrierFault(200, AfterDoing: true, Wait: async stop =>
        {
            ordered.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        site.Host.Commit(site.Host.Finding("f1"));
        _ = site.Host.Worker.DrainAsync();
        await ordered.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        Assert.Equal(LeaseStates.Running, (await site.Host.OnlyLeaseAsync()).State);

        site.Carrier.Fault = _ => null;
        await site.Host.RestartAfterKillAsync();
        await site.Host.Worker.DrainAsync();
        var lease = await site.Host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, 2, null), (lease.State, lease.Attempts, lease.Details.Cause));
        Assert.Single(site.Carrier.Orders);
        Assert.Null((await site.UndoAsync(lease.Id)).Details.Cause);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_SIM_that_the_carrier_switched_off_without_ever_saying_so_is_given_back()
    {
        await using var site = await SimSite.StartAsync(settings: Support.TestHost.QuickRetries);
        site.Carrier.Fault = r => r.Path.EndsWith("/suspend", StringComparison.Ordinal) ? new CarrierFault(502, AfterDoing: true)
            : site.Carrier.StateOf(SimSite.Sim) == "suspended" ? new CarrierFault(503) : null;
        await site.RespondAsync("f1");
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        var failed = await site.Host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Failed, "suspended"), (failed.State, site.Carrier.StateOf(SimSite.Sim)));

        site.Carrier.Fault = _ => null;
        var undone = await site.UndoAsync(failed.Id);
        Assert.Equal((LeaseStates.Undone, null), (undone.State, undone.Details.Cause));
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task What_is_taken_back_between_two_tries_gives_the_SIM_back()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Fault = r => r.Path.EndsWith("/suspend", StringComparison.Ordinal) ? new CarrierFault(502, AfterDoing: true) : null;
        Assert.Equal(LeaseStates.Due, (await site.RespondAsync("f1"))["suspend-sim"].State);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        site.Host.Retract("f1");
        await site.Host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Undone, "active"), ((await site.Host.OnlyLeaseAsync()).State, site.Carrier.StateOf(SimSite.Sim)));
    }

    [Fact]
    public async Task A_theft_keeps_a_SIM_off_whose_older_suspension_waits_for_its_end()
    {
        await using var site = await SimSite.StartAsync();
        await site.RespondAsync("f1", risk: "spoofing");
        await site.Carrier.GoDownAsync();
        await site.LaterAsync(TimeSpan.FromDays(1));
        for (var i = 0; i < 10; i++)
        {
            await site.LaterAsync(TimeSpan.FromMinutes(31));
        }

        // The tries of the younger one are closer together: it is the first to reach the carrier again.
        await site.RespondAsync("f2");
        await site.Carrier.GoUpAsync();
        await site.LaterAsync(TimeSpan.FromSeconds(10));
        await site.LaterAsync(TimeSpan.FromMinutes(31));
        var leases = (await site.Host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Expired, LeaseStates.Done), (leases["f1"].State, leases["f2"].State));
        Assert.Null(leases["f2"].Details.Cause);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        await site.UndoAsync(leases["f2"].Id);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_theft_that_comes_between_two_tries_of_another_suspension_outlives_it()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Fault = r => r.Path.EndsWith("/suspend", StringComparison.Ordinal) ? new CarrierFault(502, AfterDoing: true) : null;
        await site.RespondAsync("f1", risk: "spoofing");
        site.Carrier.Fault = _ => null;
        Assert.Null((await site.RespondAsync("f2"))["suspend-sim"].Details.Cause);
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        await site.LaterAsync(TimeSpan.FromDays(1));
        Assert.Equal(LeaseStates.Expired, (await site.Host.LeasesAsync()).Single(l => l.FindingId == "f1").State);
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task An_activation_that_lands_after_somebody_else_came_to_hold_the_SIM_is_put_right()
    {
        await using var site = await SimSite.StartAsync(settings: [("Response:Sim:ShowsWithin", "00:00:00")]);
        var first = (await site.RespondAsync("f1"))["suspend-sim"];
        site.Carrier.ShowsAfter = 3;
        await site.UndoAsync(first.Id, System.Net.HttpStatusCode.Accepted);
        Assert.Equal(LeaseStates.Done, (await site.RespondAsync("f2"))["suspend-sim"].State);
        site.Carrier.ShowsAfter = 0;
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        var ended = (await site.Host.LeasesAsync()).Single(l => l.FindingId == "f1");
        Assert.Equal((LeaseStates.Undone, LeaseCauses.SimStillHeld), (ended.State, ended.Details.Cause));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task An_undo_whose_answer_was_lost_ends_at_the_next_try_without_a_second_order()
    {
        await using var site = await SimSite.StartAsync();
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        site.Carrier.Fault = r => r.Path.EndsWith("/activate", StringComparison.Ordinal) ? new CarrierFault(502, AfterDoing: true) : null;
        Assert.Equal(LeaseStates.Done, (await site.UndoAsync(lease.Id, System.Net.HttpStatusCode.Accepted)).State);
        site.Carrier.Fault = _ => null;
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseStates.Undone, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Single(site.Carrier.Orders, o => o.EndsWith("/activate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lock_out_of_the_device_and_one_of_its_SIM_do_not_take_each_other_for_their_own()
    {
        await using var site = await SimSite.StartAsync(actions: ["suspend-authentication", "suspend-sim"]);
        var leases = await site.RespondAsync("f1");
        await site.UndoAsync(leases["suspend-authentication"].Id);
        Assert.Equal("active", site.Host.World.StateOf(SimSite.Device));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
        await site.UndoAsync(leases["suspend-sim"].Id);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_finding_that_is_taken_back_leaves_no_restriction_of_the_SIM()
    {
        await using var site = await SimSite.StartAsync(actions: ["deactivate-sim"]);
        await site.RespondAsync("f1");
        site.Host.Retract("f1");
        await site.Host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Undone, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_dry_run_says_what_the_SIM_carries_when_it_last_sent_and_what_would_happen()
    {
        await using var site = await SimSite.StartAsync();
        var texts = site.Host.Get<Domain.Localization.Texts>();
        async Task<string[]> SayAsync(string device, string language)
        {
            var action = site.Host.Get<IEnumerable<IResponseAction>>().Single(a => a.Name == SimOff.Suspend.Action);
            var finding = site.Host.Finding("p", device);
            var (target, _) = action.TargetOf(finding);
            var lease = new Lease
            {
                Id = "l000000000000000",
                FieldId = "cars",
                DeviceId = device,
                Action = action.Name,
                Target = target!,
                State = LeaseStates.WaitingApproval,
                Risk = Risks.Theft,
                Level = Levels.Important,
                Condition = "frequency",
                Approval = "one-person",
                CreatedAt = site.Host.Clock.GetUtcNow(),
                CorrelationId = "",
                Details = new LeaseDetails { Owner = "policy", Actor = "gateway" },
            };
            return [.. (await action.PreviewAsync(new ActionOrder(lease, finding), default)).Select(l => texts.Get(l.Key, language, [.. l.Values]))];
        }

        Send(site, "d000000000000003");
        site.Host.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(
            ["This SIM carries 2 devices: 車両 2, 車両 3.", "Last reading 4 min ago.", "The network would refuse the SIM for good, until this is undone; the modem gives up and may need a restart to come back."],
            await SayAsync("d000000000000002", "en"));
        Assert.Equal(["このSIMは1台のデバイスが使用しています: 車両 1。", "ゲートウェイの起動以降、受信がありません。"], (await SayAsync(SimSite.Device, "ja"))[..2]);
        Assert.Empty(site.Carrier.Orders);

        await site.RespondAsync("f1");
        Assert.Contains("Other responses hold the SIM already; this one would keep it off for longer.", await SayAsync(SimSite.Device, "en"));
        site.Carrier.Fault = _ => new CarrierFault(503);
        Assert.Contains("The carrier does not answer now; how the SIM is cannot be said.", await SayAsync(SimSite.Device, "en"));
    }

    private static void Send(SimSite site, string device)
    {
        var message = new MessageEvent
        {
            ArrivedAt = site.Host.Clock.GetUtcNow(),
            CorrelationId = "",
            FieldId = "cars",
            DeviceId = device,
            Epoch = 1,
            Source = "203.0.113.7",
            Payload = "{}"u8.ToArray(),
            Position = 7,
            Size = 2,
            MessageId = "0123456789abcdef0123456789abcdef",
        };
        site.Host.Get<LastReadings>().Committed(new LaneBatch { FirstPosition = 7, LastPosition = 7, Chunks = [new MessageChunk("cars", Backlog: false, [message])], Duplicates = [], Findings = [], Facts = [] });
    }
}
