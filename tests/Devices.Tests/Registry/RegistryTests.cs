using System.Diagnostics;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tests.Support;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests.Registry;

public sealed class RegistryTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_device_is_registered_changed_found_and_deleted(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var unit = await host.RegisterAsync(new { kind = "home-gateway" });
        var user = await host.RegisterAsync(new { uniqueIdType = "user", uniqueId = "hanako@example.com", kind = "" });
        var device = await host.RegisterAsync(new { parentId = unit.DeviceId, userId = user.DeviceId, cadence = "interval", intervalSeconds = 60 });
        var path = $"/api/v1/fields/home/devices/{device.DeviceId}";
        (await host.SendAsync(HttpMethod.Put, path, new { name = "ｶﾞﾚｰｼﾞ", kind = "door-sensor", cadence = "event", parentId = unit.DeviceId, userId = user.DeviceId })).Expect(200);
        await host.RestartAsync();
        var view = (await host.GetAsync(path)).Expect(200);
        Assert.Equal(("ｶﾞﾚｰｼﾞ", "event", device.UniqueId, unit.DeviceId, user.DeviceId), ((string)view["name"]!, (string)view["cadence"]!, (string)view["uniqueId"]!, (string)view["parentId"]!, (string)view["userId"]!));
        Assert.Equal(user.DeviceId, host.Get<IDeviceDirectory>().Device(user.DeviceId)!.UserId);
        Assert.Equal("****" + device.UniqueId[^4..], (string)(await host.SendAsync(HttpMethod.Get, path, null, "auditor"))["uniqueId"]!);
        Assert.Null((string?)(await host.SendAsync(HttpMethod.Get, path, null, "responder")).Json!["commonAuthId"]);

        Assert.Equal([device.DeviceId], await FindAsync(host, "ガレージ"));
        Assert.Equal([unit.DeviceId], await FindAsync(host, "HOME-"));
        Assert.Equal([unit.DeviceId], await FindAsync(host, unit.DeviceId));
        Assert.Equal([device.DeviceId], await FindAsync(host, device.UniqueId));
        Assert.Equal([user.DeviceId], await FindAsync(host, " hanako@example.com "));
        Assert.Empty(await FindAsync(host, device.UniqueId[..^1]));
        Assert.Empty(await FindAsync(host, "\ud800\0"));
        Assert.Equal([unit.DeviceId], await FindAsync(host, "home-", "auditor"));
        (await host.SendAsync(HttpMethod.Post, "/api/v1/fields/home/devices/search", new { text = "x" }, "maintainer")).Expect(403);
        (await host.SendAsync(HttpMethod.Post, "/api/v1/fields/home/devices/search", new { text = "x" }, "administrator", "cars")).Expect(404);
        Assert.Equal([user.DeviceId], await SearchAsync(host, "kind=user"));
        Assert.Equal(3, (await SearchAsync(host, "state=registered")).Count);
        Assert.Empty(await SearchAsync(host, "state=active"));

        Assert.Equal("device-has-dependents", (await host.SendAsync(HttpMethod.Delete, $"/api/v1/fields/home/devices/{unit.DeviceId}")).Expect(409).Problem);
        Assert.Equal("device-has-dependents", (await host.SendAsync(HttpMethod.Delete, $"/api/v1/fields/home/devices/{user.DeviceId}")).Expect(409).Problem);
        (await host.SendAsync(HttpMethod.Put, $"/api/v1/fields/home/devices/{unit.DeviceId}", new { kind = "home-gateway", parentId = device.DeviceId })).Expect(422);
        var token = await host.BindAsync(device);
        (await host.SendAsync(HttpMethod.Delete, path)).Expect(204);
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, token).Refusal);
        (await host.AuthenticateAsync(device)).Expect(401);
        (await host.GetAsync(path)).Expect(404);
        Assert.Equal("deleted", host.Journal.Events.OfType<DeviceChangedEvent>().Last().State);
        var again = await host.RegisterAsync(new { uniqueId = device.UniqueId });
        Assert.NotEqual(device.DeviceId, again.DeviceId);
        (await host.SendAsync(HttpMethod.Delete, $"/api/v1/fields/home/devices/{user.DeviceId}")).Expect(204);
    }

    [Fact]
    public async Task A_foreign_field_sees_nothing_of_a_device()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        (await host.PostAsync("/ops/v1/fields", new { fieldId = "cars", name = "x", kind = "car-mobility" })).Expect(201);
        var device = await host.RegisterAsync();
        var path = $"/api/v1/fields/cars/devices/{device.DeviceId}";
        (await host.GetAsync(path)).Expect(404);
        (await host.SendAsync(HttpMethod.Delete, path)).Expect(404);
        (await host.PostAsync(path + "/secret")).Expect(404);
        (await host.PostAsync(path + "/state", new { state = "suspended", reason = "x" })).Expect(404);
        var taken = (await host.PostAsync("/api/v1/fields/cars/devices", new { uniqueIdType = "serial", uniqueId = device.UniqueId, kind = "car" })).Expect(409);
        Assert.Equal("identity-elsewhere", taken.Problem);
        Assert.DoesNotContain(device.DeviceId, taken.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_faults_of_a_device_are_named_at_once()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var answer = (await host.PostAsync("/api/v1/fields/home/devices", new { uniqueIdType = "imei", uniqueId = "1", name = new string('x', 101), kind = "", cadence = "interval", intervalSeconds = 0 })).Expect(422);
        Assert.Equal(["/uniqueId", "/name", "/kind", "/intervalSeconds"], answer["faults"].AsArray().Select(f => (string)f!["place"]!));
        Assert.DoesNotContain("devices.rule", answer.Text, StringComparison.Ordinal);
        using var broken = new StringContent("{\"uniqueId\": 1", System.Text.Encoding.UTF8, "application/json");
        Assert.Equal("bad-request", (await host.PostAsync("/api/v1/fields/home/devices", broken)).Expect(400).Problem);
    }

    [Fact]
    public async Task Pages_hold_every_device_once()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var all = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            all.Add((await host.RegisterAsync()).DeviceId);
            host.Clock.Advance(TimeSpan.FromMilliseconds(i % 3));
        }

        var seen = new List<string>();
        string? next = null;
        do
        {
            var page = (await host.GetAsync("/api/v1/fields/home/devices?limit=3" + (next is null ? "" : "&after=" + next))).Expect(200);
            seen.AddRange(page["items"].AsArray().Select(d => (string)d!["deviceId"]!));
            next = (string?)page.Json!["next"];
        }
        while (next is not null);

        Assert.Equal(all.Order(), seen.Order());
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [Fact]
    public async Task Ten_thousand_devices_load_fast_and_small()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var devices = Enumerable.Range(0, 10_000).Select(i => new NewDevice(
            NewCredential.Id('d'), UniqueIdTypes.Serial, $"SERIAL-{i:D8}", new DeviceTraits($"センサー {i}", "door-sensor", Cadences.Interval, TimeSpan.FromMinutes(1), null, null), null, null)).ToList();
        var watch = Stopwatch.StartNew();
        var (done, _) = await host.Get<Registrar>().RegisterAsync("home", devices, new Caller("test", "c"), default);
        output.WriteLine($"registered in {watch.ElapsedMilliseconds} ms");
        Assert.Equal(10_000, done.Count);
        (devices, done) = ([], []);
        await host.RestartAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var index = new DeviceIndex(host.Get<Devices.Fields.FieldStore>());
        watch.Restart();
        foreach (var entry in await host.Get<DeviceStore>().LoadAsync(default))
        {
            index.Put(entry);
        }

        var load = watch.ElapsedMilliseconds;
        var size = GC.GetTotalMemory(forceFullCollection: true) - before;
        watch.Restart();
        var found = new DeviceSearch(index, host.Get<CredentialHashes>()).Find("home", new DeviceQuery("センサー 99", null, null, null, 500));
        output.WriteLine($"loaded in {load} ms, {size / 1048576.0:F1} MiB, searched in {watch.Elapsed.TotalMilliseconds:F1} ms");
        Assert.Equal(111, found.Items.Count);
        Assert.InRange(size, 0, 20 << 20);
        GC.KeepAlive(index);
    }

    private static async Task<IReadOnlyList<string>> FindAsync(DeviceHost host, string text, string role = "administrator") =>
        [.. (await host.SendAsync(HttpMethod.Post, "/api/v1/fields/home/devices/search", new { text }, role)).Expect(200)["items"].AsArray().Select(d => (string)d!["deviceId"]!)];

    private static async Task<IReadOnlyList<string>> SearchAsync(DeviceHost host, string query) =>
        [.. (await host.GetAsync("/api/v1/fields/home/devices?" + query)).Expect(200)["items"].AsArray().Select(d => (string)d!["deviceId"]!)];
}
