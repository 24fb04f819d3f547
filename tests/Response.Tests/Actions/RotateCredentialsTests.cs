using System.Net;
using System.Net.Http.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Actions;

public class RotateCredentialsTests
{
    private const string Device = "d000000000000001";

    [Theory]
    [InlineData(Dialect.Sqlite, true)]
    [InlineData(Dialect.PostgreSql, true)]
    [InlineData(Dialect.Sqlite, false)]
    public async Task A_device_that_renews_its_secret_is_done_also_when_the_news_of_it_is_lost(Dialect dialect, bool heard)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("rotate-credentials"));
        host.Commit(host.Finding("f1"), host.Finding("f2", condition: "size"));
        await host.Worker.DrainAsync();
        Assert.All(await host.LeasesAsync(), l => Assert.Equal((LeaseStates.Done, LeaseCauses.SecretOrdered, host.Time.GetUtcNow().AddDays(3)), (l.State, l.Details.Cause, l.ExpiresAt)));
        host.Renewal.Renew(Device);
        if (heard)
        {
            host.Commit([new DeviceChangedEvent { ArrivedAt = host.Time.GetUtcNow(), CorrelationId = "", FieldId = "cars", DeviceId = Device, State = LifecycleStates.Active, Reason = DeviceChangedEvent.SecretRenewed }]);
            Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseCauses.SecretRenewed, l.Details.Cause));
        }

        host.Clock.Leap(TimeSpan.FromDays(4));
        await host.Worker.DrainAsync();
        Assert.All(await host.LeasesAsync(), l => Assert.Equal((LeaseStates.Done, LeaseCauses.SecretRenewed, null), (l.State, l.Details.Cause, l.ExpiresAt)));
        Assert.Empty(await host.NoticesAsync());
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_device_that_does_not_renew_in_time_is_shown_as_not_done_people_are_told_and_may_order_it_again(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("rotate-credentials"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromDays(3));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Failed, LeaseCauses.SecretNotRenewed), (lease.State, lease.Details.Cause));
        Assert.Equal("secret-not-renewed", Assert.Single(await host.NoticesAsync()).Details.Notice!.Name);
        Assert.Empty(host.Renewal.Orders);
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));

        using var client = host.Client(Roles.Responder);
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/retry", new { reason = "its software can now" })).StatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.SecretOrdered), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
        Assert.Single(host.Renewal.Orders);
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "not needed" })).StatusCode);
        Assert.Empty(host.Renewal.Orders);
        Assert.Equal(LeaseStates.Undone, (await host.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_shared_secret_is_refused_with_what_to_do()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Renewal.Outcome = SecretRenewalOutcome.Shared;
        host.Bind(TestHost.Always("rotate-credentials"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.SecretShared), (lease.State, lease.Details.Cause));
        Assert.True(LeaseMachine.CanRetry(lease));
    }
}
