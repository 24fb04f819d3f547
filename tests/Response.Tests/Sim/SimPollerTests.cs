using Sekisho.Domain.Events;
using Sekisho.Response.Sim;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Storage;
using Sekisho.Verification.Carrier;

namespace Sekisho.Response.Tests.Sim;

public class SimPollerTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Traffic_address_and_session_of_a_SIM_come_to_detection_as_facts_each_minute_once(Dialect dialect)
    {
        await using var site = await SimSite.StartAsync(dialect, poll: 15);
        var start = site.Host.Clock.GetUtcNow();
        for (var at = start; at < start.AddHours(2); at = at.AddMinutes(5))
        {
            site.Carrier.AddTraffic(SimSite.Sim, at, up: 1000, down: 200);
        }

        for (var i = 0; i < 8; i++)
        {
            site.Host.Clock.Advance(TimeSpan.FromMinutes(15));
            await site.Host.Get<SimPoller>().RoundAsync(default);
        }

        var facts = site.Host.World.SimFacts.Where(f => f.DeviceId == SimSite.Device).ToList();
        Assert.All(facts, f => Assert.Equal(("cars", "soracom"), (f.FieldId, f.Provider)));
        var moment = facts.First(f => f.Address is not null);
        Assert.Equal(("203.0.113.7", SimSessions.Attached, "440-10-4321-123456789", moment.From), (moment.Address, moment.Session, moment.Cell, moment.To));

        // From ten minutes before now on nothing is settled; what is told adjoins and never overlaps, and no period is longer than the hour it is in.
        var periods = facts.Where(f => f.UplinkBytes is not null).OrderBy(f => f.From).ToList();
        Assert.All(periods.Zip(periods.Skip(1)), p => Assert.Equal(p.First.To, p.Second.From));
        Assert.All(periods, p => Assert.Equal(p.From.Hour, p.To.AddTicks(-1).Hour));
        Assert.Equal(start.AddMinutes(110), periods[^1].To);
        Assert.Equal((22 * 1000, 22 * 200), (periods.Sum(p => p.UplinkBytes), periods.Sum(p => p.DownlinkBytes)));
    }

    [Fact]
    public async Task Of_a_SIM_that_carries_several_devices_no_traffic_is_put_to_one_of_them()
    {
        await using var site = await SimSite.StartAsync(poll: 15);
        site.Carrier.AddTraffic(SimSite.Shared, site.Host.Clock.GetUtcNow().AddMinutes(-20), up: 1000, down: 200);
        await site.Host.Get<SimPoller>().RoundAsync(default);
        var shared = site.Host.World.SimFacts.Where(f => f.DeviceId != SimSite.Device).ToList();
        Assert.Equal(["d000000000000002", "d000000000000003"], shared.Select(f => f.DeviceId).Order());
        Assert.All(shared, f => Assert.Equal((null, "203.0.113.8"), (f.UplinkBytes, f.Address)));
    }

    [Fact]
    public async Task A_detached_SIM_has_no_address()
    {
        await using var site = await SimSite.StartAsync(poll: 15);
        site.Carrier.Change(SimSite.Sim, s => s with { Online = false });
        await site.Host.Get<SimPoller>().RoundAsync(default);
        Assert.Contains(site.Host.World.SimFacts, f => f.DeviceId == SimSite.Device && f is { Session: SimSessions.Detached, Address: null, Cell: null });
    }

    [Fact]
    public async Task Not_more_is_asked_in_a_minute_than_the_field_allows_and_everybody_gets_a_turn()
    {
        await using var site = await SimSite.StartAsync();
        for (var i = 0; i < 8; i++)
        {
            site.Carrier.Add(new CarrierSim("894231000000000020" + i, "898110000000000020" + i, "44010123456720" + i));
            site.Host.World.AddDevice("d00000000000010" + i, "cars", "unit " + i);
            (await site.LinkAsync("d00000000000010" + i, "sim-id", "894231000000000020" + i)).EnsureSuccessStatusCode();
        }

        (await site.SetAsync(poll: 5, requests: 4)).EnsureSuccessStatusCode();
        var poller = site.Host.Get<SimPoller>();
        for (var i = 0; i < 5; i++)
        {
            var before = site.Carrier.Requests.Count(r => r.Path.Contains("/sims/", StringComparison.Ordinal));
            await poller.RoundAsync(default);
            Assert.InRange(site.Carrier.Requests.Count(r => r.Path.Contains("/sims/", StringComparison.Ordinal)) - before, 1, 4);
        }

        Assert.Equal(11, site.Host.World.SimFacts.Select(f => f.DeviceId).Distinct().Count());
    }

    [Fact]
    public async Task A_carrier_that_fails_is_left_alone_and_what_it_did_not_tell_is_told_later()
    {
        await using var site = await SimSite.StartAsync(poll: 15);
        var poller = site.Host.Get<SimPoller>();
        await poller.RoundAsync(default);
        var start = site.Host.Clock.GetUtcNow();
        site.Carrier.AddTraffic(SimSite.Sim, start, up: 7000, down: 500);
        site.Carrier.Fault = _ => new CarrierFault(503);
        site.Host.Clock.Advance(TimeSpan.FromMinutes(30));
        await poller.RoundAsync(default);
        var asked = site.Carrier.Requests.Count;
        site.Host.Clock.Advance(TimeSpan.FromMinutes(1));
        await poller.RoundAsync(default);
        Assert.Equal(asked, site.Carrier.Requests.Count);

        site.Carrier.Fault = _ => null;
        site.Host.Clock.Advance(TimeSpan.FromHours(3));
        await poller.RoundAsync(default);
        Assert.Equal(7000, site.Host.World.SimFacts.Where(f => f.DeviceId == SimSite.Device).Sum(f => f.UplinkBytes ?? 0));
        Assert.Contains(site.Host.Log.Lines, l => l.Contains("The carrier of field cars does not tell of its SIMs: The carrier answered 503.", StringComparison.Ordinal));
        Assert.Contains(site.Host.Log.Lines, l => l.Contains("The carrier of field cars tells of its SIMs again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nonsense_about_one_SIM_does_not_keep_the_others_waiting()
    {
        await using var site = await SimSite.StartAsync(poll: 15);
        site.Carrier.Fault = r => r.Path.Contains(SimSite.Sim, StringComparison.Ordinal) ? new CarrierFault(200, "{\"simId\":[]}") : null;
        await site.Host.Get<SimPoller>().RoundAsync(default);
        Assert.Equal(["d000000000000002", "d000000000000003"], site.Host.World.SimFacts.Select(f => f.DeviceId).Order());
    }

    [Fact]
    public async Task A_field_that_does_not_ask_for_it_has_nothing_asked()
    {
        await using var site = await SimSite.StartAsync();
        var asked = site.Carrier.Requests.Count;
        await site.Host.Get<SimPoller>().RoundAsync(default);
        Assert.Equal(asked, site.Carrier.Requests.Count);
    }

    [Fact]
    public void What_a_carrier_tells_as_a_whole_is_not_put_to_a_single_hour()
    {
        var from = new DateTimeOffset(2026, 4, 1, 10, 30, 0, TimeSpan.Zero);
        Assert.Equal([(from, from.AddHours(2), 10, 20)], SimPoller.Hours([new SimTraffic(from, 10, 20, from.AddHours(2))], from, from.AddHours(2)));
        Assert.Equal([30, 60, 30], SimPoller.Hours([], from, from.AddHours(2)).Select(h => (int)(h.To - h.From).TotalMinutes));
    }
}
