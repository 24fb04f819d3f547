using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Actions;

public class RestrictRateTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_device_is_restricted_for_a_day_and_the_world_is_as_before(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, [("Response:Restrict:MessagesPerMinute", "2")]);
        host.Bind(TestHost.Always("restrict-rate"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover), host.Finding("f2", risk: Risks.Takeover, condition: "size"), host.Finding("f3", device: null));
        await host.Worker.DrainAsync();
        Assert.Equal(2, host.World.Restricted.Count);
        Assert.All(host.World.Restricted, r => Assert.Equal(("d000000000000001", 2.0, host.Time.GetUtcNow().AddDays(1)), (r.Key.Device, r.Value.PerMinute, r.Value.Until)));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoDevice), (await host.LeasesAsync()).Where(l => l.FindingId == "f3").Select(l => (l.State, l.Details.Cause)).Single());

        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.Empty(host.World.Restricted);
        Assert.Equal(2, (await host.LeasesAsync()).Count(l => l.State == LeaseStates.Expired));
    }
}
