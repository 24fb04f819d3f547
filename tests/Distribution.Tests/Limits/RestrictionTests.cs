using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Devices;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Limits;

public class RestrictionTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_restricted_device_sends_a_few_messages_a_minute_also_after_a_restart_and_all_of_them_after_its_time(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(dialect, clock);
        await Restrictions().RestrictAsync("c1", "lease-1", 2, clock.GetUtcNow().AddHours(1), default);
        await Restrictions().RestrictAsync("c1", "lease-2", 60, clock.GetUtcNow().AddHours(1), default);

        Assert.Equal(2, await AcceptedAsync("c1"));
        Assert.Equal(10, await AcceptedAsync("c2"));
        await gateway.RestartAsync();
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, await AcceptedAsync("c1"));

        // The lower rate goes with its holder; what is left ends by itself.
        await Restrictions().LiftAsync("c1", "lease-1", default);
        await Restrictions().LiftAsync("c1", "lease-1", default);
        Assert.Equal(60, Restrictions().Of("c1"));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(Restrictions().Of("c1"));
        Assert.Equal(10, await AcceptedAsync("c1"));

        ITrafficRestrictions Restrictions() => gateway.Services.GetRequiredService<ITrafficRestrictions>();

        async Task<int> AcceptedAsync(string device)
        {
            var accepted = 0;
            for (var i = 0; i < 10; i++)
            {
                using var answer = await gateway.SendAsync(device, "{}");
                accepted += answer.StatusCode == HttpStatusCode.Accepted ? 1 : 0;
                Assert.True(answer.StatusCode == HttpStatusCode.Accepted || answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            }

            return accepted;
        }
    }
}
