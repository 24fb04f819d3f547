using Sekisho.Devices.Tests.Support;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests.Access;

public sealed class AccessTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_response_locks_a_device_out_for_its_very_next_request_and_lets_it_in_with_its_old_token(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        var access = host.Get<IDeviceAccess>();
        Assert.Equal("active", await access.LockOutAsync(device.DeviceId, LifecycleStates.Suspended, "response:L1", "too frequent", "c1", default));
        Assert.Equal("suspended", await access.LockOutAsync(device.DeviceId, LifecycleStates.Suspended, "response:L1", "too frequent", "c1", default));
        Assert.Equal(new TokenVerdict(RefusalReasons.Suspended, device.DeviceId, "home", 0), host.Check(device, token));
        Assert.Equal("authentication-suspended", (await host.AuthenticateAsync(device)).Expect(403).Problem);
        Assert.Equal(["bound", "suspended"], host.Journal.Outcomes(device.DeviceId));
        await host.RestartAsync();
        Assert.Equal(RefusalReasons.Suspended, host.Check(device, token).Refusal);

        access = host.Get<IDeviceAccess>();
        Assert.True(await access.ReleaseAsync(device.DeviceId, "response:L1", "over", "c2", default));
        Assert.False(await access.ReleaseAsync(device.DeviceId, "response:L1", "over", "c2", default));
        Assert.Null(host.Check(device, token).Refusal);
        Assert.Equal("active", await host.StateAsync(device));
        var record = host.History.All.First(h => h is { Kind: HistoryKinds.DeviceState, What: "suspended" });
        Assert.Equal(("response:L1", "c1", device.DeviceId), (record.Actor, record.CorrelationId, record.DeviceId));
        Assert.Null(await access.LockOutAsync("d0", LifecycleStates.Suspended, "x", "y", "c", default));
        await Assert.ThrowsAsync<ArgumentException>(() => access.LockOutAsync(device.DeviceId, LifecycleStates.Active, "x", "y", "c", default));
    }

    [Fact]
    public async Task The_token_of_a_device_that_is_locked_out_is_known_to_have_run_out()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        await host.Get<IDeviceAccess>().LockOutAsync(device.DeviceId, LifecycleStates.Suspended, "response:L1", "too frequent", "c1", default);
        var locked = new TokenVerdict(RefusalReasons.Suspended, device.DeviceId, "home", 0);
        Assert.Equal(locked, host.Check(device, token));
        host.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal(locked with { HasRunOut = true }, host.Check(device, token));
    }

    [Fact]
    public async Task A_response_neither_takes_over_nor_releases_what_a_person_locked_or_keeps_locked()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var access = host.Get<IDeviceAccess>();
        (await host.MoveAsync(device, "suspended")).Expect(200);
        Assert.Equal("suspended", await access.LockOutAsync(device.DeviceId, LifecycleStates.Abnormal, "response:L1", "too frequent", "c1", default));
        Assert.Equal("suspended", await host.StateAsync(device));
        Assert.False(await access.ReleaseAsync(device.DeviceId, "response:L1", "over", "c1", default));
        (await host.MoveAsync(device, "released")).Expect(200);

        Assert.Equal("registered", await access.LockOutAsync(device.DeviceId, LifecycleStates.Abnormal, "response:L2", "too frequent", "c2", default));
        var kept = (await host.MoveAsync(device, "abnormal")).Expect(200);
        Assert.Equal("hanako", (string)kept["stateActor"]!);
        Assert.False(await access.ReleaseAsync(device.DeviceId, "response:L2", "over", "c2", default));
        Assert.Equal("abnormal", await host.StateAsync(device));
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("retire")]
    public async Task A_conflict_ends_with_its_device(string how)
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        var binding = (string)(await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202)["bindingId"]!;
        Assert.Single((await host.GetAsync("/api/v1/fields/home/bindings"))["items"].AsArray());
        var path = $"/api/v1/fields/home/devices/{device.DeviceId}";
        (await (how == "delete" ? host.SendAsync(HttpMethod.Delete, path) : host.PostAsync(path + "/retire", new { reason = "old" }))).Expect(how == "delete" ? 204 : 200);
        for (var i = 0; i < 2; i++)
        {
            Assert.Empty((await host.GetAsync("/api/v1/fields/home/bindings")).Expect(200)["items"].AsArray());
            (await host.PostAsync($"/api/v1/fields/home/bindings/{binding}/accept")).Expect(404);
            Assert.Equal(how == "delete" ? RefusalReasons.BadToken : RefusalReasons.Suspended, host.Check(device, token).Refusal);
            await host.RestartAsync();
        }
    }

    [Fact]
    public async Task People_move_devices_through_the_lifecycle_with_a_reason()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var path = $"/api/v1/fields/home/devices/{device.DeviceId}/state";
        var faults = (await host.PostAsync(path, new { state = "active" })).Expect(422);
        Assert.Equal(["/state", "/reason"], faults["faults"].AsArray().Select(f => (string)f!["place"]!));
        Assert.Equal("lifecycle-refused", (await host.PostAsync(path, new { state = "released", reason = "x" })).Expect(409).Problem);
        foreach (var state in (string[])["suspended", "abnormal", "stray"])
        {
            var view = (await host.PostAsync(path, new { state, reason = "置き忘れ" })).Expect(200);
            Assert.Equal((state, "置き忘れ", "hanako"), ((string)view["state"]!, (string)view["stateReason"]!, (string)view["stateActor"]!));
        }

        (await host.PostAsync(path, new { state = "released", reason = "found" })).Expect(200);
        Assert.Equal("registered", await host.StateAsync(device));
        (await host.PostAsync($"/api/v1/fields/home/devices/{device.DeviceId}/retire", new { reason = "old" })).Expect(200);
        Assert.Equal("lifecycle-refused", (await host.PostAsync(path, new { state = "suspended", reason = "x" })).Expect(409).Problem);
        Assert.Equal("lifecycle-refused", (await host.PostAsync($"/api/v1/fields/home/devices/{device.DeviceId}/secret")).Expect(409).Problem);
        Assert.Null(await host.Get<IDeviceAccess>().LockOutAsync(device.DeviceId, LifecycleStates.Suspended, "x", "y", "c", default));
    }

    [Fact]
    public async Task A_change_that_stands_is_reported_when_the_journal_works_again()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        host.Journal.Broken = true;
        (await host.MoveAsync(device, "suspended")).Expect(200);
        (await host.MoveAsync(device, "released")).Expect(200);
        host.Journal.Broken = false;
        (await host.MoveAsync(device, "stray")).Expect(200);
        var last = host.Journal.SeenAsync(e => e is DeviceChangedEvent { State: "stray" });
        while (!last.IsCompleted)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(7));
            await Task.Yield();
        }

        await last;
        Assert.Equal(["registered", "suspended", "registered", "stray"], host.Journal.Events.OfType<DeviceChangedEvent>().Select(e => e.State));
    }
}
