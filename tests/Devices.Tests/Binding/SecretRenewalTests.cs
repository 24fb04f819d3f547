using System.Text;
using Sekisho.Devices.Tests.Support;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests.Binding;

/// <summary>A device renews its secret on order, and none that cannot is shut out.</summary>
public class SecretRenewalTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Old_and_new_are_good_until_the_new_one_is_used_and_then_the_old_one_is_dead_with_its_tokens(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var device = await host.RegisterAsync();
        var old = await host.BindAsync(device);
        var before = host.Clock.GetUtcNow().AddDays(3);
        Assert.Equal(409, (await host.SecretAsync(device, old)).Status);
        Assert.Equal(SecretRenewalOutcome.Ordered, await Renewal(host).OrderAsync(device.DeviceId, "lease-1", before, "", default));
        Assert.Equal(SecretRenewalOutcome.Ordered, await Renewal(host).OrderAsync(device.DeviceId, "lease-1", before, "", default));
        await host.RestartAsync();

        var told = (await host.AuthenticateAsync(device, token: old)).Expect(200);
        Assert.Equal(before, (DateTimeOffset)told["renewSecretBefore"]!);
        var token = (string)told["token"]!;
        var lost = (await host.SecretAsync(device, token)).Expect(200);
        Assert.Contains("no-store", lost.Message.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        var answer = (await host.SecretAsync(device, token)).Expect(200);
        var renewed = device with { AuthSecret = (string)answer["authSecret"]! };
        Assert.Equal(device.CommonAuthId, (string)answer["commonAuthId"]!);
        await host.RestartAsync();

        // The one whose answer was lost is dead, old and new are good.
        Assert.Equal(401, (await host.AuthenticateAsync(device with { AuthSecret = (string)lost["authSecret"]! })).Status);
        var again = (string)(await host.AuthenticateAsync(device, token: token)).Expect(200)["token"]!;
        Assert.Null(host.Check(device, again).Refusal);

        // First use, from wherever the device is by now.
        var now = (await host.AuthenticateAsync(renewed, DeviceHost.Elsewhere)).Expect(200);
        Assert.Null(now["renewSecretBefore"]?.ToString());
        foreach (var dead in (string[])[old, token, again])
        {
            Assert.Equal(RefusalReasons.BadToken, host.Check(device, dead).Refusal);
        }

        Assert.Equal(401, (await host.AuthenticateAsync(device)).Status);
        await host.RestartAsync();
        Assert.Equal(401, (await host.AuthenticateAsync(device)).Status);
        Assert.Null(host.Check(device, (string)now["token"]!, DeviceHost.Elsewhere).Refusal);
        Assert.Equal(409, (await host.SecretAsync(device, (string)now["token"]!, DeviceHost.Elsewhere)).Status);
        Assert.True(await Renewal(host).WithdrawAsync(device.DeviceId, "lease-1", "", default));
        Assert.False(await Renewal(host).WithdrawAsync(device.DeviceId, "lease-1", "", default));
        var whats = host.History.All.Where(r => r.DeviceId == device.DeviceId).Select(r => r.What).ToList();
        Assert.Equal(["secret-renewal-ordered", "secret-renewal-ordered", "secret-handed-out", "secret-handed-out", "secret-renewed"], whats.Where(w => w.StartsWith("secret", StringComparison.Ordinal)));
        Assert.Contains(host.Journal.Events.OfType<DeviceChangedEvent>(), e => e.DeviceId == device.DeviceId && e.Reason == DeviceChangedEvent.SecretRenewed && e.State == LifecycleStates.Active);
    }

    [Fact]
    public async Task An_order_that_is_withdrawn_shuts_out_neither_who_renewed_nor_who_did_not()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        await Renewal(host).OrderAsync(device.DeviceId, "lease-1", host.Clock.GetUtcNow().AddDays(3), "", default);
        var secret = (string)(await host.SecretAsync(device, token)).Expect(200)["authSecret"]!;
        Assert.False(await Renewal(host).WithdrawAsync(device.DeviceId, "lease-1", "", default));
        Assert.Equal(409, (await host.SecretAsync(device, token)).Status);

        var answer = (await host.AuthenticateAsync(device, token: token)).Expect(200);
        Assert.Null(answer.Json!["renewSecretBefore"]);
        (await host.AuthenticateAsync(device with { AuthSecret = secret })).Expect(200);
        Assert.Equal(401, (await host.AuthenticateAsync(device)).Status);
    }

    [Fact]
    public async Task A_shared_secret_cannot_be_renewed_by_one_of_those_who_share_it()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var line = (await host.PostAsync("/api/v1/fields/home/product-lines", new { name = "door 2026" })).Expect(201);
        var device = await host.RegisterAsync(new { productLineId = FindLine(line) });
        Assert.Equal(SecretRenewalOutcome.Shared, await Renewal(host).OrderAsync(device.DeviceId, "lease-1", host.Clock.GetUtcNow().AddDays(3), "", default));
        Assert.Equal(SecretRenewalOutcome.NoDevice, await Renewal(host).OrderAsync("d000000000000000", "lease-1", host.Clock.GetUtcNow().AddDays(3), "", default));
    }

    [Fact]
    public async Task Who_waits_for_a_decision_or_shows_no_token_of_the_device_gets_no_secret_and_a_renewal_ends_the_conflict()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var device = await host.RegisterAsync();
        var other = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        var foreign = await host.BindAsync(other);
        await Renewal(host).OrderAsync(device.DeviceId, "lease-1", host.Clock.GetUtcNow().AddDays(3), "", default);
        Assert.Equal(202, (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Status);

        // Even with a token that was stolen, the one who waits is refused; so are other devices, nonsense and nothing.
        Assert.Equal(403, (await host.SecretAsync(device, token, DeviceHost.Elsewhere)).Status);
        Assert.Equal(401, (await host.SecretAsync(device, foreign)).Status);
        Assert.Equal(401, (await host.SecretAsync(device, "nonsense")).Status);
        Assert.Equal(401, (await host.SecretAsync(device, null)).Status);
        await host.MoveAsync(other, "suspended");
        await Renewal(host).OrderAsync(other.DeviceId, "lease-2", host.Clock.GetUtcNow().AddDays(3), "", default);
        Assert.Equal(403, (await host.SecretAsync(other, foreign)).Status);

        var secret = (string)(await host.SecretAsync(device, token)).Expect(200)["authSecret"]!;
        (await host.AuthenticateAsync(device with { AuthSecret = secret }, DeviceHost.Third)).Expect(200);
        Assert.Equal(LifecycleStates.Active, await host.StateAsync(device));
        Assert.Equal(401, (await host.AuthenticateAsync(device, DeviceHost.Elsewhere)).Status);
    }

    [Fact]
    public async Task A_device_that_asks_without_end_is_told_to_wait_and_the_secret_stands_in_no_file()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite, ("Devices:Attempts:TokensPerDevicePerMinute", "5"));
        var device = await host.RegisterAsync();
        var token = await host.BindAsync(device);
        await Renewal(host).OrderAsync(device.DeviceId, "lease-1", host.Clock.GetUtcNow().AddDays(3), "", default);
        var secrets = new List<string>();
        Answer last;
        while ((last = await host.SecretAsync(device, token)).Status == 200)
        {
            secrets.Add((string)last["authSecret"]!);
        }

        Assert.Equal(429, last.Status);
        Assert.NotNull(last.Message.Headers.RetryAfter);
        Assert.InRange(secrets.Count, 1, 5);
        var folder = Path.GetDirectoryName(host.Store.Databases.State.File)!;
        var files = Directory.GetFiles(folder);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes);
            Assert.All(secrets, s => Assert.Equal(-1, bytes.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(s))));
        }

        Assert.DoesNotContain(host.History.All, r => secrets.Any(s => r.Details?.Contains(s, StringComparison.Ordinal) == true));
    }

    private static ISecretRenewal Renewal(DeviceHost host) => host.Get<ISecretRenewal>();

    private static string FindLine(Answer made) => (string)made["productLine"]["productLineId"]!;
}
