using Dapper;
using System.Text;
using Sekisho.Devices.Binding;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tests.Support;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests.Binding;

public sealed class AuthenticationTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_first_token_makes_a_device_active_and_outlives_a_restart(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        var answer = (await host.AuthenticateAsync(device)).Expect(200);
        var token = (string)answer["token"]!;
        Assert.Equal(43, token.Length);
        Assert.Equal(host.Clock.GetUtcNow() + TimeSpan.FromHours(24), DateTimeOffset.Parse((string)answer["expiresAt"]!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("no-store", answer.Message.Headers.CacheControl!.ToString());
        Assert.Equal(new TokenVerdict(null, device.DeviceId, "home", 1), host.Check(device, token));
        Assert.Equal("active", await host.StateAsync(device));
        Assert.Equal(["registered", "active"], host.Journal.Events.OfType<DeviceChangedEvent>().Select(e => e.State));
        await host.RestartAsync();
        Assert.Equal(new TokenVerdict(null, device.DeviceId, "home", 1), host.Check(device, token));
        Assert.Equal("active", await host.StateAsync(device));
    }

    [Fact]
    public async Task Wrong_elements_get_one_answer_that_does_not_say_which_was_wrong()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var other = await host.RegisterAsync();
        TestDevice[] wrong = [device with { AuthSecret = "x" }, device with { CommonAuthId = other.CommonAuthId }, device with { UniqueId = other.UniqueId }, device with { UniqueId = "nobody" }];
        var texts = new HashSet<string>();
        foreach (var attempt in wrong)
        {
            var answer = (await host.AuthenticateAsync(attempt)).Expect(401);
            answer.Json!.AsObject().Remove("correlationId");
            texts.Add(answer.Json.ToJsonString());
        }

        Assert.Single(texts);
        Assert.Empty(host.Journal.Events.OfType<AuthenticationEvent>());
        Assert.Equal(["wrong-secret", "wrong-secret", "wrong-secret", "unregistered"], host.Refusals.All.Select(r => r.Reason));
    }

    [Fact]
    public async Task An_expired_token_has_its_own_reason_and_is_renewed_in_the_same_epoch()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        host.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal(new TokenVerdict(RefusalReasons.ExpiredToken, device.DeviceId, "home", 0), host.Check(device, token));
        Assert.Equal(1, host.Check(device, await host.BindAsync(device, DeviceHost.Elsewhere)).Epoch);
    }

    [Fact]
    public async Task A_token_belongs_to_one_device()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var one = await host.RegisterAsync();
        var two = await host.RegisterAsync();
        var token = await host.BindAsync(one);
        await host.BindAsync(two);
        Assert.Equal(new TokenVerdict(RefusalReasons.BadToken, null, null, 0), host.Check(two, token));
        foreach (var wrong in (string[])["", "x", token[..^1], token + "a", token[..^1] + "é", new string('é', 43), new string('A', 43)])
        {
            Assert.Equal(RefusalReasons.BadToken, host.Check(one, wrong).Refusal);
        }
    }

    [Fact]
    public async Task A_lost_answer_does_not_end_the_token_in_use()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var old = await host.BindAsync(device);
        Assert.Null(host.Check(device, old).Refusal);
        var lost = await host.BindAsync(device);
        var alsoLost = await host.BindAsync(device);
        Assert.Null(host.Check(device, old).Refusal);
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, lost).Refusal);
        Assert.Null(host.Check(device, alsoLost).Refusal);
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, old).Refusal);

        await host.Get<BindingDesk>().SettleAsync(host.Get<DeviceIndex>().Find(device.DeviceId)!.Holder, CancellationToken.None);
        await host.RestartAsync();
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, old).Refusal);
        Assert.Null(host.Check(device, alsoLost).Refusal);
    }

    [Fact]
    public async Task A_renewal_that_shows_the_present_token_is_no_conflict_and_keeps_the_epoch()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        var renewed = (string)(await host.AuthenticateAsync(device, DeviceHost.Elsewhere, token)).Expect(200)["token"]!;
        Assert.Equal(1, host.Check(device, renewed, DeviceHost.Elsewhere).Epoch);
        (await host.AuthenticateAsync(device, DeviceHost.Third, new string('A', 43))).Expect(202);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_administrator_accepts_the_newer_sender(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var (device, token, binding) = await ConflictAsync(host);
        (await host.PostAsync($"/api/v1/fields/home/bindings/{binding}/accept")).Expect(200);
        Assert.Equal(RefusalReasons.BadToken, host.Check(device, token).Refusal);
        (await host.AuthenticateAsync(device)).Expect(202);
        await host.RestartAsync();
        (await host.AuthenticateAsync(device)).Expect(202);
        Assert.Equal(2, host.Check(device, await host.BindAsync(device, DeviceHost.Elsewhere), DeviceHost.Elsewhere).Epoch);
        Assert.Equal("active", await host.StateAsync(device));
        Assert.Empty((await host.GetAsync("/api/v1/fields/home/bindings")).Expect(200)["items"].AsArray());
        (await host.PostAsync($"/api/v1/fields/home/bindings/{binding}/accept")).Expect(404);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_administrator_refuses_the_newer_sender(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var (device, token, binding) = await ConflictAsync(host);
        (await host.PostAsync($"/api/v1/fields/home/bindings/{binding}/refuse")).Expect(200);
        Assert.Null(host.Check(device, token).Refusal);
        host.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("binding-pending", (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(403).Problem);
        await host.RestartAsync();
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(403);
        await host.BindAsync(device);
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(403);
        Assert.Equal("active", await host.StateAsync(device));
    }

    [Fact]
    public async Task A_conflict_survives_a_restart_and_a_restart_opens_no_gap()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var (device, token, binding) = await ConflictAsync(host);
        host.Clock.Advance(TimeSpan.FromMinutes(30));
        await host.RestartAsync();
        var waiting = (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        Assert.Equal(binding, (string)waiting["bindingId"]!);
        Assert.Null(host.Check(device, token).Refusal);

        var quiet = await host.RegisterAsync();
        await host.BindAsync(quiet);
        host.Clock.Advance(TimeSpan.FromMinutes(30));
        await host.RestartAsync();
        (await host.AuthenticateAsync(quiet, DeviceHost.Elsewhere)).Expect(202);
    }

    [Fact]
    public async Task Three_declared_intervals_count_when_they_are_longer_than_the_window()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync(new { cadence = "interval", intervalSeconds = 3600 });
        await host.BindAsync(device);
        host.Clock.Advance(TimeSpan.FromMinutes(179));
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(200);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Devices_of_a_product_line_share_a_credential_at_lower_assurance(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var line = (await host.PostAsync("/api/v1/fields/home/product-lines", new { name = "掃除機2026" })).Expect(201);
        Assert.Equal("product-line-exists", (await host.PostAsync("/api/v1/fields/home/product-lines", new { name = "掃除機2026" })).Expect(409).Problem);
        var id = (string)line["productLine"]["productLineId"]!;
        var one = await host.RegisterAsync(new { productLineId = id });
        var two = await host.RegisterAsync(new { productLineId = id });
        Assert.Equal("", one.AuthSecret);
        Assert.Equal((string)line["commonAuthId"]!, one.CommonAuthId);
        await host.RestartAsync();
        var secret = (string)line["authSecret"]!;
        await host.BindAsync(one with { AuthSecret = secret });
        await host.BindAsync(two with { AuthSecret = secret });
        Assert.Equal("product-line", host.Get<IDeviceDirectory>().Device(one.DeviceId)!.Assurance);

        var issued = (await host.PostAsync($"/api/v1/fields/home/devices/{one.DeviceId}/secret")).Expect(200);
        (await host.AuthenticateAsync(one with { AuthSecret = secret })).Expect(401);
        await host.BindAsync(one with { CommonAuthId = (string)issued["commonAuthId"]!, AuthSecret = (string)issued["authSecret"]! });
        await host.BindAsync(two with { AuthSecret = secret });
        Assert.Equal("device", host.Get<IDeviceDirectory>().Device(one.DeviceId)!.Assurance);
        Assert.DoesNotContain("authSecret", (await host.GetAsync("/api/v1/fields/home/product-lines")).Expect(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_bodies_are_refused_before_anything_is_looked_up()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        foreach (var (body, status, problem) in ((string, int, string)[])[("{", 400, "bad-request"), ("", 400, "bad-request"), (new string(' ', 5000), 413, "body-too-large")])
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            Assert.Equal(problem, (await host.TokenAsync(content)).Expect(status).Problem);
        }

        Assert.Equal(["malformed", "malformed", "too-large"], host.Refusals.All.Select(r => r.Reason));
    }

    [Fact]
    public async Task No_token_is_given_out_that_the_journal_cannot_hear_of()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        Assert.Null(host.Check(device, token).Refusal);
        host.Journal.Broken = true;
        var answer = (await host.AuthenticateAsync(device)).Expect(503);
        Assert.Equal(TimeSpan.FromSeconds(7), answer.Message.Headers.RetryAfter!.Delta);
        Assert.Null(host.Check(device, token).Refusal);
        host.Journal.Broken = false;
        await host.BindAsync(device);
    }

    [Fact]
    public async Task Two_senders_are_reported_later_when_the_journal_cannot_hear_of_them_now()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        Assert.Null(host.Check(device, token).Refusal);
        (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202);
        host.Journal.Broken = true;
        (await host.AuthenticateAsync(device)).Expect(503);
        host.Journal.Broken = false;
        var heard = host.Journal.SeenAsync(e => e is AuthenticationEvent { Outcome: AuthenticationOutcomes.Pending } a && a.DeviceId == device.DeviceId);
        while (!heard.IsCompleted)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(7));
            await Task.Yield();
        }

        Assert.Equal(DeviceHost.Elsewhere, ((AuthenticationEvent)await heard).Source);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Addresses_of_senders_are_not_stored_in_clear(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        await ConflictAsync(host);
        var stored = await host.Store.Databases.State.ReadAsync(c => c.QueryAsync<byte[]>("SELECT source FROM token UNION ALL SELECT source FROM pending_binding"));
        Assert.Equal(2, stored.Count());
        Assert.All(stored, s => Assert.True(s.AsSpan().IndexOf("127.0.0."u8) < 0));
    }

    [Fact]
    public async Task A_device_that_asks_for_tokens_all_the_time_is_slowed_down()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        await host.BindAsync(device);
        for (var i = 0; i < 20; i++)
        {
            await host.BindAsync(device);
        }

        (await host.AuthenticateAsync(device)).Expect(429);
        host.Clock.Advance(TimeSpan.FromSeconds(3));
        await host.BindAsync(device);
    }

    [Fact]
    public async Task Many_attempts_at_once_leave_one_consistent_binding()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite, ("Devices:Attempts:TokensPerDevicePerMinute", "1000"));
        var device = await host.RegisterAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => host.AuthenticateAsync(device, i % 2 == 0 ? DeviceHost.Home : DeviceHost.Elsewhere)));
        var tokens = answers.Where(a => a.Status == 200).Select(a => (string)a["token"]!).ToList();
        Assert.NotEmpty(tokens);
        Assert.All(answers, a => Assert.True(a.Status is 200 or 202, a.Text));
        Assert.InRange(tokens.Count(t => host.Check(device, t, DeviceHost.Home).Refusal is null || host.Check(device, t, DeviceHost.Elsewhere).Refusal is null), 1, 2);
    }

    private static async Task<(TestDevice Device, string Token, string Binding)> ConflictAsync(DeviceHost host)
    {
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        var binding = (string)(await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Expect(202)["bindingId"]!;
        Assert.Null(host.Check(device, token).Refusal);
        await host.Journal.SeenAsync(e => e is DeviceChangedEvent { State: LifecycleStates.Pending } changed && changed.DeviceId == device.DeviceId);
        return (device, token, binding);
    }
}
