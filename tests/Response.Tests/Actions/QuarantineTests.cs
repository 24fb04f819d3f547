using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Actions;

public class QuarantineTests
{
    private const string Device = "d000000000000001";

    [Theory]
    [InlineData(Dialect.Sqlite, null, true)]
    [InlineData(Dialect.PostgreSql, "forward", true)]
    [InlineData(Dialect.Sqlite, "drop", false)]
    public async Task Two_holders_keep_a_device_in_quarantine_and_what_the_last_one_chooses_is_done(Dialect dialect, string? choice, bool forwards)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("quarantine"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover), host.Finding("f2", risk: Risks.Takeover, condition: "size"), host.Finding("f3", device: null));
        await host.Worker.DrainAsync();
        Assert.Equal(2, host.Quarantine.Held.Count);
        Assert.All(host.Quarantine.Held.Values, o => Assert.Equal(("cars", Device, host.Time.GetUtcNow().AddDays(1), true), (o.FieldId, o.DeviceId, o.Until, o.ForwardAtEnd)));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoDevice), (leases["f3"].State, leases["f3"].Details.Cause));

        using var client = host.Client(Roles.Responder, "hanako");
        var first = await UndoAsync(client, leases["f1"].Id, new { reason = "looked at it", choice = "drop" });
        Assert.Equal((LeaseStates.Undone, LeaseCauses.QuarantineHeld), (first.GetProperty("state").GetString(), first.GetProperty("cause").GetString()));
        Assert.Empty(host.Quarantine.Ended);

        var second = await UndoAsync(client, leases["f2"].Id, choice is null ? new { reason = "harmless" } : new { reason = "harmless", choice });
        Assert.Equal((LeaseStates.Undone, choice), (second.GetProperty("state").GetString(), second.GetProperty("choice").GetString()));
        Assert.Equal((Device, forwards, "hanako"), Assert.Single(host.Quarantine.Ended));
    }

    [Theory]
    [InlineData("forward", true)]
    [InlineData("drop", false)]
    public async Task At_its_end_by_itself_the_settings_say_what_becomes_of_what_waits(string atEnd, bool forwards)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Quarantine:AtEnd", atEnd)]);
        host.Bind(TestHost.Always("quarantine"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(forwards, Assert.Single(host.Quarantine.Held.Values).ForwardAtEnd);
        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Expired, (await host.OnlyLeaseAsync()).State);
        Assert.Equal((Device, forwards, "gateway"), Assert.Single(host.Quarantine.Ended));
    }

    [Theory]
    [InlineData("undo", "burn")]
    [InlineData("approve", "drop")]
    public async Task A_choice_that_there_is_not_is_refused_and_changes_nothing(string verb, string choice)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("quarantine", verb == "undo" ? "automatic" : "one-person"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var before = await host.OnlyLeaseAsync();
        using var client = host.Client(Roles.Responder);
        var answer = await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{before.Id}/{verb}", new { reason = "x", choice });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("/choice", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(before.Version, (await host.OnlyLeaseAsync()).Version);
    }

    [Fact]
    public async Task A_preview_says_how_many_messages_and_devices_are_concerned()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Quarantine.Queued = 12;
        host.World.Devices["d000000000000002"] = host.World.Devices["d000000000000002"] with { ParentId = Device };
        host.Commit(host.Finding("f1"));
        using var client = host.Client(Roles.Responder);
        client.DefaultRequestHeaders.Add("Accept-Language", "en");
        var answer = await client.PostAsJsonAsync("/api/v1/fields/cars/responses/preview", new { findingId = "f1", action = "quarantine" });
        var sentences = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sentences").EnumerateArray().Select(s => s.GetString()!).ToList();
        Assert.Equal(4, sentences.Count);
        Assert.Contains("would wait: 12.", sentences[1], StringComparison.Ordinal);
        Assert.StartsWith("1 devices sit behind it", sentences[2], StringComparison.Ordinal);
        Assert.Empty(host.Quarantine.Held);
    }

    private static async Task<JsonElement> UndoAsync(HttpClient client, string id, object body)
    {
        var answer = await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{id}/undo", body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
