using System.ComponentModel.DataAnnotations;
using System.Net.Http.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions.BlockNetwork;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Actions;

public class BlockNetworkTests
{
    private static readonly (string, string?)[] s_reachable = [("Response:Network:Reachable:0", "tcp 198.51.100.10 443"), ("Response:Network:Reachable:1", "udp 2001:db8::35 53"), .. TestHost.QuickRetries];

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_restriction_is_done_once_it_is_confirmed_and_ends_by_itself_also_for_a_takeover(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, s_reachable);
        host.Bind(TestHost.Always("quarantine-network"), TestHost.Always("block-network"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover), host.Finding("f2", device: null));
        await host.Worker.DrainAsync();
        var leases = await host.LeasesAsync();
        Assert.All(leases.Where(l => l.FindingId == "f2"), l => Assert.Equal((LeaseStates.Refused, LeaseCauses.NoDevice), (l.State, l.Details.Cause)));
        Assert.All(leases.Where(l => l.FindingId == "f1"), l => Assert.Equal((LeaseStates.Done, host.Time.GetUtcNow().AddDays(1)), (l.State, l.ExpiresAt)));
        var quarantine = host.Network.InForce[leases.Single(l => l.FindingId == "f1" && l.Action == "quarantine-network").Id];
        Assert.Equal(["tcp 198.51.100.10 443", "udp 2001:db8::35 53"], quarantine.Reachable!.Select(r => $"{r.Protocol} {r.Address} {r.Port}"));
        Assert.Equal(("d000000000000001", "cars", host.Time.GetUtcNow().AddDays(1)), (quarantine.DeviceId, quarantine.FieldId, quarantine.ExpiresAt));
        Assert.Null(host.Network.InForce[leases.Single(l => l.FindingId == "f1" && l.Action == "block-network").Id].Reachable);

        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.Empty(host.Network.InForce);
        Assert.Equal(2, (await host.LeasesAsync()).Count(l => l.State == LeaseStates.Expired));
    }

    [Fact]
    public async Task A_restriction_ends_with_its_order_however_long_restrictions_last()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [.. s_reachable, ("Response:Leases:RestrictionLasts", "30.00:00:00"), ("Response:Network:Longest", "7.00:00:00")]);
        host.Bind(TestHost.Always("block-network"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((host.Time.GetUtcNow().AddDays(7), host.Network.InForce[lease.Id].ExpiresAt), (lease.ExpiresAt, lease.ExpiresAt));
    }

    [Theory]
    [InlineData(NetworkOutcomeKind.NobodyOnline, "", "No enforcer is online.")]
    [InlineData(NetworkOutcomeKind.Unanswered, "", "No enforcer has confirmed it in time.")]
    [InlineData(NetworkOutcomeKind.Refused, "far-future", "The enforcers do not follow the order (far-future).")]
    public async Task What_nobody_confirms_is_said_and_tried_again_until_somebody_does(NetworkOutcomeKind kind, string cause, string error)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, s_reachable);
        host.Bind(TestHost.Always("block-network"));
        host.Network.Outcome = new(kind, cause);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var waiting = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Due, error), (waiting.State, waiting.Details.LastError));

        host.Network.Outcome = new(NetworkOutcomeKind.InForce);
        host.Clock.Advance(TimeSpan.FromSeconds(30));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);

        // An end that nobody confirms is tried for ever.
        host.Network.Lifts = false;
        using var client = host.Client(Roles.Administrator);
        var undone = await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{waiting.Id}/undo", new { reason = "because" });
        Assert.True(undone.IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);
        host.Network.Lifts = true;
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Undone, (await host.OnlyLeaseAsync()).State);
        Assert.Empty(host.Network.InForce);
    }

    [Fact]
    public async Task What_cannot_be_done_is_refused_with_what_to_set()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("quarantine-network"), TestHost.Always("block-network"));
        host.Network.Identity = null;
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(
            [("block-network", LeaseStates.Refused, LeaseCauses.NoNetworkLink), ("quarantine-network", LeaseStates.Refused, LeaseCauses.NothingReachable)],
            (await host.LeasesAsync()).Select(l => (l.Action, l.State, l.Details.Cause)).Order());

        host.Network.Identity = new NetworkIdentity(["02:00:00:00:00:01"], []);
        host.Network.Outcome = new(NetworkOutcomeKind.Refused, "protected");
        host.Commit(host.Finding("f2"));
        await host.Worker.DrainAsync();
        Assert.Contains(await host.LeasesAsync(), l => l is { FindingId: "f2", State: LeaseStates.Refused, Details.Cause: LeaseCauses.NetworkProtected });
        Assert.Empty(host.Network.InForce);
    }

    [Fact]
    public async Task A_dry_run_says_who_the_device_is_there_what_it_would_reach_and_that_nobody_enforces()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, s_reachable);
        host.Network.Online = 0;
        host.Commit(host.Finding("f1"));
        using var client = host.Client(Roles.Administrator);
        client.DefaultRequestHeaders.Add("Accept-Language", "en");
        var answer = await client.PostAsJsonAsync("/api/v1/fields/cars/responses/preview", new { findingId = "f1", action = "quarantine-network" });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        Assert.Contains("192.0.2.7, 02:00:00:00:00:01", text, StringComparison.Ordinal);
        Assert.Contains("198.51.100.10:443/tcp, [2001:db8::35]:53/udp", text, StringComparison.Ordinal);
        Assert.Contains("No enforcer of the field is online", text, StringComparison.Ordinal);
        Assert.Empty(host.Network.InForce);
    }

    [Theory]
    [InlineData("tcp 198.51.100.10 443", true)]
    [InlineData("udp 2001:db8::35 53", true)]
    [InlineData("tcp update.example 443", false)]
    [InlineData("icmp 198.51.100.10 1", false)]
    [InlineData("tcp 198.51.100.10 0", false)]
    [InlineData("tcp 198.51.100.10 65536", false)]
    [InlineData("tcp 127.0.0.1 443", false)]
    [InlineData("tcp 224.0.0.1 443", false)]
    [InlineData("tcp ::ffff:192.0.2.1 443", false)]
    [InlineData("198.51.100.10:443", false)]
    public void A_service_is_protocol_address_and_port(string text, bool fits)
    {
        var settings = new NetworkSettings { Reachable = [text] };
        Assert.Equal(fits, !settings.Validate(new ValidationContext(settings)).Any());
    }
}
