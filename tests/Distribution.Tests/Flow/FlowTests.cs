using System.Net;
using Sekisho.Distribution.Forwarding;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Distribution.Tests.Flow;

public class FlowTests
{
    private const string Path = "/api/v1/fields/cars/flow";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Everything_is_on_until_it_is_switched_off_and_stays_so_over_a_restart(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        Assert.Equal("""{"version":0,"sampling":true,"statistics":true,"validation":true,"forwarding":true,"logging":true}""", (await gateway.GetAsync(Path)).ToJsonString());
        await gateway.PutAsync(Path, new { logging = false, version = 0 });
        await gateway.PutAsync(Path, new { version = 0 }, HttpStatusCode.Conflict);
        await gateway.RestartAsync();
        Assert.Equal("""{"version":1,"sampling":true,"statistics":true,"validation":true,"forwarding":true,"logging":false}""", (await gateway.GetAsync(Path)).ToJsonString());
        Assert.True((bool)(await gateway.GetAsync("/api/v1/fields/homes/flow"))["logging"]!);
    }

    [Fact]
    public async Task Without_validation_a_name_may_stand_twice_and_broken_json_is_refused_all_the_same()
    {
        await using var gateway = await TestGateway.StartAsync();
        const string Twice = "{\"a\":1,\"a\":2,\"seq\":1}";
        using (var refused = await gateway.SendAsync("c1", Twice))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        }

        await gateway.PutAsync(Path, new { validation = false });
        using var taken = await gateway.SendAsync("c1", Twice);
        using var broken = await gateway.SendAsync("c1", "{\"a\":1,");
        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.BadRequest), (taken.StatusCode, broken.StatusCode));
        Assert.Equal("1", (await gateway.JournaledAsync()).Single().Sequence);
    }

    [Fact]
    public async Task Without_forwarding_messages_are_dropped_with_that_reason_and_the_ledger_knows()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.PutAsync(Path, new { forwarding = false });
        await gateway.FeedAsync("c1", 1, 3);
        Assert.Equal(3, gateway.History.Count("cars", LedgerStates.Dropped));
        var rows = await gateway.GetAsync("/api/v1/fields/cars/deliveries?state=dropped");
        Assert.Equal(OutboxPart.SwitchedOff, (string)rows["items"]![0]!["reason"]!);
    }
}
