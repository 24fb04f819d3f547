using System.Net;
using Sekisho.Response.Leases;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Verification.Carrier;

namespace Sekisho.Response.Tests.Sim;

public class CarrierFaultTests
{
    [Fact]
    public async Task A_token_that_the_carrier_takes_back_is_renewed_once_and_one_that_runs_out_before_it_does()
    {
        await using var site = await SimSite.StartAsync();
        var before = site.Carrier.SignIns;
        site.Carrier.ExpireTokens();
        Assert.Equal(LeaseStates.Done, (await site.RespondAsync("f1"))["suspend-sim"].State);
        Assert.Equal(before + 1, site.Carrier.SignIns);

        site.Host.Clock.Advance(TimeSpan.FromMinutes(56));
        await site.GetAsync($"/sims/{SimSite.Device}");
        Assert.Equal(before + 2, site.Carrier.SignIns);
    }

    [Fact]
    public async Task A_carrier_that_refuses_every_token_is_signed_in_to_once_more_and_no_oftener()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Fault = r => r.Path.EndsWith("/auth", StringComparison.Ordinal) ? null : new CarrierFault(401);
        var before = site.Carrier.SignIns;
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal((LeaseStates.Due, "The carrier does not let these credentials do this (401)."), (lease.State, lease.Details.LastError));
        Assert.Equal(before + 1, site.Carrier.SignIns);
    }

    [Fact]
    public async Task A_wrong_key_ends_as_failed_and_is_tried_again_when_a_person_has_set_the_right_one()
    {
        await using var site = await SimSite.StartAsync(settings: Support.TestHost.QuickRetries);
        site.Carrier.AuthKey += "-new";
        site.Carrier.ExpireTokens();
        await site.RespondAsync("f1");
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        var failed = await site.Host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Failed, "The carrier does not accept the auth key (401)."), (failed.State, failed.Details.LastError));
        Assert.True(LeaseMachine.CanRetry(failed));
        Assert.Empty(site.Carrier.Orders);

        (await site.SetAsync()).EnsureSuccessStatusCode();
        using var admin = site.Admin();
        (await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(admin, $"/api/v1/fields/cars/responses/{failed.Id}/retry", new { reason = "new key" })).EnsureSuccessStatusCode();
        await site.Host.Worker.DrainAsync();
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
    }

    [Theory]
    [InlineData(500, null, "The carrier answered 500.")]
    [InlineData(503, null, "The carrier answered 503.")]
    [InlineData(429, null, "The carrier asks for fewer requests (429).")]
    [InlineData(400, null, "The carrier refused the request (400).")]
    [InlineData(403, null, "The carrier does not let these credentials do this (403).")]
    [InlineData(302, null, "The carrier answered 302, which its contract does not have.")]
    [InlineData(200, "<html>", "The carrier answered something that is no JSON.")]
    [InlineData(200, "", "The carrier answered nothing where it tells of a SIM.")]
    [InlineData(200, "{}", "The carrier's SIM has no identifier or no state that is known.")]
    [InlineData(200, "[1,2]", "The carrier's SIM has no identifier or no state that is known.")]
    [InlineData(200, "{\"simId\":\"8942310000000000011\",\"status\":\"gone fishing\"}", "The carrier's SIM has no identifier or no state that is known.")]
    [InlineData(200, "{\"simId\":\"8942310000000000022\",\"status\":\"active\"}", "The carrier told of another SIM than the one asked for.")]
    [InlineData(0, null, "The carrier broke off its answer.")]
    public async Task A_fault_of_the_carrier_is_said_and_tried_again_and_nothing_is_ordered_blindly(int status, string? body, string error)
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Fault = r => r is { Method: "GET" } ? new CarrierFault(status, body) : null;
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal((LeaseStates.Due, error), (lease.State, lease.Details.LastError));
        Assert.Empty(site.Carrier.Orders);

        site.Carrier.Fault = _ => null;
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((LeaseStates.Done, 2), ((await site.Host.OnlyLeaseAsync()).State, (await site.Host.OnlyLeaseAsync()).Attempts));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_off()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Fault = r => r is { Method: "GET" } ? new CarrierFault(200, new string('x', CarrierHttp.LargestAnswer + 1)) : null;
        Assert.Equal("The carrier's answer is longer than 1048576 bytes.", (await site.RespondAsync("f1"))["suspend-sim"].Details.LastError);
    }

    [Fact]
    public async Task A_carrier_that_does_not_answer_is_given_up_after_its_time()
    {
        await using var site = await SimSite.StartAsync();
        var asked = new TaskCompletionSource();
        site.Carrier.Fault = r => r is not { Method: "GET" } ? null : new CarrierFault(200, Wait: async stop =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        site.Host.Commit(site.Host.Finding("f1"));
        var drain = site.Host.Worker.DrainAsync();
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        site.Host.Clock.Advance(TimeSpan.FromSeconds(11));
        await drain.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("The carrier did not answer within 00:00:10.", (await site.Host.OnlyLeaseAsync()).Details.LastError);
    }

    [Fact]
    public async Task A_carrier_that_asks_to_be_left_alone_is_left_alone_for_that_long()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.Fault = _ => new CarrierFault(429, RetryAfter: 120);
        await site.RespondAsync("f1");
        var asked = site.Carrier.Requests.Count;
        await site.LaterAsync(TimeSpan.FromSeconds(20));
        await site.LaterAsync(TimeSpan.FromSeconds(40));
        Assert.Equal(asked, site.Carrier.Requests.Count);
        Assert.Equal("The carrier asked to be left alone for a while.", (await site.Host.OnlyLeaseAsync()).Details.LastError);

        site.Carrier.Fault = _ => null;
        await site.LaterAsync(TimeSpan.FromSeconds(120));
        Assert.Equal("suspended", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task Of_two_pauses_that_a_carrier_asked_for_the_longer_one_is_kept()
    {
        await using var site = await SimSite.StartAsync();
        var (asked, both, longer) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        site.Carrier.Fault = r =>
        {
            if (r is not { Method: "GET" })
            {
                return null;
            }

            if (Interlocked.Increment(ref asked) == 1)
            {
                return new CarrierFault(429, RetryAfter: 600, Wait: stop => both.Task.WaitAsync(stop));
            }

            both.TrySetResult();
            return new CarrierFault(503, RetryAfter: 1, Wait: stop => longer.Task.WaitAsync(stop));
        };
        var calls = new[] { site.GetAsync($"/sims/{SimSite.Device}"), site.GetAsync($"/sims/{SimSite.Device}") };
        await Task.WhenAny(calls);
        longer.SetResult();
        await Task.WhenAll(calls);
        site.Host.Clock.Leap(TimeSpan.FromSeconds(2));
        await site.GetAsync($"/sims/{SimSite.Device}");
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_state_that_shows_late_is_waited_for_and_the_order_is_not_repeated()
    {
        await using var site = await SimSite.StartAsync(settings: [("Response:Sim:Timeout", "00:01:00"), ("Response:Sim:ShowsWithin", "00:05:00"), ("Response:Leases:TryTimeout", "00:10:00")]);
        site.Carrier.ShowsAfter = 4;
        site.Host.Commit(site.Host.Finding("f1"));
        await DrainSlowlyAsync(site);
        var lease = await site.Host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, 1), (lease.State, lease.Attempts));
        Assert.Single(site.Carrier.Orders);
    }

    [Fact]
    public async Task A_state_that_shows_only_after_the_try_is_found_by_the_next_one()
    {
        await using var site = await SimSite.StartAsync(settings: [("Response:Sim:ShowsWithin", "00:00:00")]);
        site.Carrier.ShowsAfter = 2; // the answer to the order, and one look
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        Assert.Equal((LeaseStates.Due, "The carrier took the order, and the SIM is still 'active'."), (lease.State, lease.Details.LastError));
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((LeaseStates.Done, null), ((await site.Host.OnlyLeaseAsync()).State, (await site.Host.OnlyLeaseAsync()).Details.Cause));
        Assert.Single(site.Carrier.Orders);
        Assert.NotNull((await site.UndoAsync(lease.Id, HttpStatusCode.Accepted)).Details.LastError);
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseStates.Undone, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task An_undo_that_is_asked_for_while_the_carrier_is_down_stays_asked_for_over_a_restart()
    {
        await using var site = await SimSite.StartAsync();
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        await site.Carrier.GoDownAsync();
        var asked = await site.UndoAsync(lease.Id, HttpStatusCode.Accepted);
        Assert.Equal(LeaseStates.Done, asked.State);
        Assert.NotNull(asked.UndoAskedAt);
        for (var i = 0; i < 20; i++)
        {
            await site.LaterAsync(TimeSpan.FromMinutes(31));
        }

        await site.Host.RestartAfterKillAsync();
        await site.Carrier.GoUpAsync();
        await site.LaterAsync(TimeSpan.FromMinutes(31));
        Assert.Equal(LeaseStates.Undone, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_restriction_that_ran_out_while_the_carrier_was_down_ends_when_it_is_back()
    {
        await using var site = await SimSite.StartAsync(actions: ["deactivate-sim"]);
        await site.RespondAsync("f1");
        await site.Carrier.GoDownAsync();
        await site.LaterAsync(TimeSpan.FromDays(1));
        Assert.Equal(LeaseStates.Done, (await site.Host.OnlyLeaseAsync()).State);
        await site.Carrier.GoUpAsync();
        await site.LaterAsync(TimeSpan.FromMinutes(31));
        Assert.Equal(LeaseStates.Expired, (await site.Host.OnlyLeaseAsync()).State);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
    }

    [Fact]
    public async Task A_SIM_is_found_through_pages_and_never_by_half_its_name()
    {
        await using var site = await SimSite.StartAsync();
        site.Carrier.PageSize = 1;
        for (var i = 0; i < 5; i++)
        {
            site.Carrier.Add(new CarrierSim("894231000000000010" + i, "898110000000000090" + i, "44010999" + i));
        }

        Assert.Equal(200, (int)(await site.LinkAsync(SimSite.Device, "imsi", "440109993")).StatusCode);
        Assert.Equal("8942310000000000103", site.Host.Get<Response.Sim.Cards.SimCards>().Of(SimSite.Device)!.Names.SimId);
        Assert.Equal(409, (int)(await site.LinkAsync(SimSite.Device, "imsi", "4010999")).StatusCode);
    }

    private static async Task DrainSlowlyAsync(SimSite site)
    {
        var drain = site.Host.Worker.DrainAsync();
        while (!drain.IsCompleted)
        {
            // Whatever waits on the clock gets there; the limits on the clock are minutes away.
            await Task.WhenAny(drain, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
            site.Host.Clock.Advance(TimeSpan.FromSeconds(0.5));
        }

        await drain;
    }
}
