using Dapper;
using Sekisho.Devices.Tests.Support;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests;

/// <summary>What users of other systems complained about for years: one test named after each, through real sockets.</summary>
public sealed class ComplaintTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint01_A_repeated_bind_does_not_hand_a_token_to_a_second_sender(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        Assert.Null(host.Check(device, token).Refusal);

        // The first try may be the same device at a new address, so nobody is alarmed yet.
        var second = (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        Assert.Equal("pending", (string)second["state"]!);
        Assert.DoesNotContain("token", second.Text, StringComparison.Ordinal);
        Assert.Equal(["bound"], host.Journal.Outcomes(device.DeviceId));

        // The incumbent goes on: there are two, and people hear of it without the newer one asking again.
        Assert.Null(host.Check(device, token).Refusal);
        var reported = (AuthenticationEvent)await host.Journal.SeenAsync(e => e is AuthenticationEvent { Outcome: AuthenticationOutcomes.Pending });
        Assert.Equal(DeviceHost.Elsewhere, reported.Source);
        await host.Journal.SeenAsync(e => e is DeviceChangedEvent { State: LifecycleStates.Pending });
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        host.Clock.Advance(TimeSpan.FromMinutes(30));
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        Assert.Null(host.Check(device, token).Refusal);
        Assert.Equal("pending", await host.StateAsync(device));
        Assert.Equal("confirmed", (string)(await host.GetAsync("/api/v1/fields/home/bindings")).Expect(200)["items"][0]!["state"]!);
        Assert.Single(host.Journal.Outcomes(device.DeviceId), AuthenticationOutcomes.Pending);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint02_A_lost_token_and_a_factory_reset_have_a_path(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        var first = await host.BindAsync(device);
        Assert.Equal(1, host.Check(device, first).Epoch);

        // A reboot lost the token: the same three elements from the same place, no operator.
        var second = await host.BindAsync(device);
        Assert.Equal(2, host.Check(device, second).Epoch);
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, first).Refusal);

        // A factory reset lost the secret: an operator issues a new one, and everything old ends at once.
        var issued = (await host.PostAsync($"/api/v1/fields/home/devices/{device.DeviceId}/secret")).Expect(200);
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, second).Refusal);
        Assert.Equal("authentication-failed", (await host.AuthenticateAsync(device)).Expect(401).Problem);
        var renewed = device with { AuthSecret = (string)issued["authSecret"]! };
        Assert.Equal(device.CommonAuthId, (string)issued["commonAuthId"]!);
        Assert.Equal(3, host.Check(device, await host.BindAsync(renewed, DeviceHost.Elsewhere)).Epoch);
        Assert.Equal(["bound", "renewed", "bound"], host.Journal.Outcomes(device.DeviceId));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint03_A_token_or_secret_in_the_address_is_not_taken(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        using var form = new FormUrlEncodedContent([new("commonAuthId", device.CommonAuthId), new("authSecret", device.AuthSecret), new("uniqueId", device.UniqueId)]);
        (await host.TokenAsync(form)).Expect(400);
        using var empty = new ByteArrayContent([]);
        (await host.TokenAsync(empty)).Expect(400);
        var token = await host.BindAsync(device);
        Assert.All(host.Audit.All, a => Assert.DoesNotContain(device.AuthSecret, a.ToString(), StringComparison.Ordinal));
        Assert.All(host.History.All, h => Assert.DoesNotContain(token, h.ToString(), StringComparison.Ordinal));
        Assert.All(host.History.All, h => Assert.DoesNotContain(device.UniqueId, h.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint04_No_credential_unique_ID_or_name_stands_in_the_store_in_plain(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        (await host.SendAsync(HttpMethod.Put, "/api/v1/fields/home", new { name = "Home", timeZone = "Asia/Tokyo", contactPoint = "MARKER-CONTACT", language = "ja" })).Expect(200);
        var device = await host.RegisterAsync(new { uniqueId = "MARKER-UNIQUE-ID", name = "MARKER-NAME" });
        var token = await host.BindAsync(device);
        (await host.PostAsync($"/api/v1/fields/home/devices/{device.DeviceId}/state", new { state = "suspended", reason = "MARKER-REASON" })).Expect(200);
        var line = (await host.PostAsync("/api/v1/fields/home/product-lines", new { name = "line" })).Expect(201);
        string[] markers = ["MARKER-", device.AuthSecret, token, (string)line["authSecret"]!];
        if (dialect == Dialect.PostgreSql)
        {
            var text = await host.Store.Databases.State.ReadAsync(async c =>
            {
                var all = "";
                foreach (var table in (string[])["field", "device", "token", "product_line", "pending_binding"])
                {
                    all += string.Concat(await c.QueryAsync<string>($"SELECT encode(convert_to(t::text, 'UTF8'), 'escape') || ' ' || t::text FROM {table} t"));
                    Assert.NotNull(all);
                }

                return all;
            });
            Assert.All(markers, m => Assert.DoesNotContain(m, text, StringComparison.Ordinal));
            Assert.All(markers, m => Assert.DoesNotContain(Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(m)), text, StringComparison.Ordinal));
            return;
        }

        foreach (var file in Directory.GetFiles(host.Store.Folder))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            Assert.All(markers, m => Assert.Equal(-1, bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(m))));
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint05_A_forged_identity_does_not_lock_out_the_real_device_and_a_retired_one_is_not_adopted(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        for (var i = 0; i < 30; i++)
        {
            await host.AuthenticateAsync(device, DeviceHost.Elsewhere);
            Assert.Null(host.Check(device, token).Refusal);
        }

        // The real device renews while the newer one waits, and its new token works.
        token = await host.BindAsync(device);
        Assert.Null(host.Check(device, token).Refusal);

        (await host.PostAsync($"/api/v1/fields/home/devices/{device.DeviceId}/retire", new { reason = "scrapped" })).Expect(200);
        Assert.Equal(RefusalReasons.Suspended, host.Check(device, token).Refusal);
        Assert.Equal("authentication-suspended", (await host.AuthenticateAsync(device)).Expect(403).Problem);
        var again = new { uniqueIdType = "serial", uniqueId = device.UniqueId, kind = "door-sensor" };
        var refused = (await host.PostAsync("/api/v1/fields/home/devices", again)).Expect(409);
        Assert.Equal("identity-retired", refused.Problem);
        Assert.Contains(device.DeviceId, refused.Text, StringComparison.Ordinal);
        (await host.SendAsync(HttpMethod.Delete, $"/api/v1/fields/home/devices/{device.DeviceId}")).Expect(409);

        var made = (await host.PostAsync("/api/v1/fields/home/devices", new { again.uniqueIdType, again.uniqueId, again.kind, supersedes = device.DeviceId })).Expect(201);
        var successor = new TestDevice((string)made["device"]["deviceId"]!, (string)made["commonAuthId"]!, (string)made["authSecret"]!, device.UniqueId);
        Assert.NotEqual(device.DeviceId, successor.DeviceId);
        Assert.Equal("retired", await host.StateAsync(device));
        await host.BindAsync(successor);
        (await host.AuthenticateAsync(device)).Expect(401);
        await host.RestartAsync();
        await host.BindAsync(successor);
        (await host.AuthenticateAsync(device)).Expect(401);

        // Deleting the successor frees nothing of the retired one.
        (await host.SendAsync(HttpMethod.Delete, $"/api/v1/fields/home/devices/{successor.DeviceId}")).Expect(204);
        Assert.Equal("identity-retired", (await host.PostAsync("/api/v1/fields/home/devices", again)).Expect(409).Problem);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint06_A_reconnecting_device_keeps_its_identifier_and_is_not_registered_twice(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync(new { uniqueIdType = "mac", uniqueId = "A0-B1-C2-D3-E4-F5" });
        foreach (var notation in (string[])["a0:b1:c2:d3:e4:f5", "A0B1C2D3E4F5", "a0b1.c2d3.e4f5"])
        {
            Assert.Equal(device.DeviceId, (string)(await host.AuthenticateAsync(device with { UniqueId = notation })).Expect(200)["deviceId"]!);
            Assert.Equal("identity-registered", (await host.PostAsync("/api/v1/fields/home/devices", new { uniqueIdType = "mac", uniqueId = notation, kind = "sensor" })).Expect(409).Problem);
        }

        // After an outage the device comes from another address: it waits while it might be a copy, and then gets in by itself.
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        host.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(device.DeviceId, (string)(await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(200)["deviceId"]!);
        Assert.Equal("active", await host.StateAsync(device));
        Assert.DoesNotContain(AuthenticationOutcomes.Pending, host.Journal.Outcomes(device.DeviceId));
        Assert.Single((await host.GetAsync("/api/v1/fields/home/devices")).Expect(200)["items"].AsArray());
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint17_A_forger_runs_into_limits_and_the_real_device_never_does(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect, ("Devices:Attempts:FailuresPerSourcePerMinute", "20"));
        var device = await host.RegisterAsync();
        var forger = device with { AuthSecret = "guess" };
        var answers = new List<int>();
        for (var i = 0; i < 40; i++)
        {
            answers.Add((await host.AuthenticateAsync(forger, DeviceHost.Elsewhere)).Status);
        }

        Assert.Equal(10, answers.Count(a => a == 401));
        Assert.Equal(30, answers.Count(a => a == 429));
        await host.BindAsync(device);

        // Behind the same address as the real device, with the address's budget empty too.
        for (var i = 0; i < 40; i++)
        {
            await host.AuthenticateAsync(forger with { UniqueId = "U" + i });
        }

        var limited = (await host.AuthenticateAsync(forger with { UniqueId = "another" })).Expect(429);
        Assert.Equal("too-many", limited.Problem);
        Assert.True(limited.Message.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        await host.BindAsync(device);

        // The forger's limit ends by itself.
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        (await host.AuthenticateAsync(forger)).Expect(401);
        Assert.Equal(["bound", "renewed"], host.Journal.Outcomes(device.DeviceId));
        Assert.Contains(host.Refusals.All, r => r.Reason == RefusalReasons.RateLimited);
        Assert.Contains(host.Refusals.All, r => r.Reason == RefusalReasons.WrongSecret && r.DeviceId == device.DeviceId);
        Assert.Contains(host.Refusals.All, r => r.Reason == RefusalReasons.Unregistered && r.DeviceId is null);
    }
}
