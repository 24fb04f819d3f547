using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Notification;

public class NotificationTests
{
    private const string Path = "/api/v1/fields/cars/notification";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Settings_are_replaced_whole_the_secret_is_shown_once_and_kept_and_renewed_on_demand(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        using var client = host.Client(Roles.Administrator);
        var first = await PutAsync(client, new { recipients = new[] { new { address = "a@example.jp", role = "administrator" } }, webhook = new { url = "https://hooks.example.jp/x" } });
        Assert.StartsWith("whsec_", Secret(first), StringComparison.Ordinal);
        var second = await PutAsync(client, new { recipients = Array.Empty<object>(), webhook = new { url = "https://hooks.example.jp/y" } });
        Assert.Null(Secret(second));
        Assert.Equal(0, second.GetProperty("recipients").GetArrayLength());
        var third = await PutAsync(client, new { recipients = Array.Empty<object>(), webhook = new { url = "https://hooks.example.jp/y", newSecret = true } });
        Assert.NotEqual(Secret(first), Secret(third));
        var none = await PutAsync(client, new { recipients = Array.Empty<object>() });
        Assert.Equal(JsonValueKind.Null, none.GetProperty("webhook").ValueKind);
    }

    [Fact]
    public async Task An_auditor_sees_that_there_are_recipients_but_not_who_and_changes_nothing()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        await host.NotifyAsync(["taro.yamada@example.jp"], "https://hooks.example.jp/secret-path");
        using var auditor = host.Client(Roles.Auditor);
        var text = await auditor.GetStringAsync(Path);
        Assert.Contains("t***@example.jp", text, StringComparison.Ordinal);
        Assert.DoesNotContain("yamada", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await auditor.PutAsJsonAsync(Path, new { recipients = Array.Empty<object>() })).StatusCode);
        using var responder = host.Client(Roles.Responder);
        Assert.Equal(HttpStatusCode.Forbidden, (await responder.PutAsJsonAsync(Path, new { recipients = Array.Empty<object>() })).StatusCode);
        using var stranger = host.Client(Roles.Administrator, field: "homes");
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync(Path)).StatusCode);
    }

    [Fact]
    public async Task Every_fault_is_named_at_once_in_the_reader_s_language_and_nothing_is_changed()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        await host.NotifyAsync(["a@example.jp"]);
        using var client = host.Client(Roles.Administrator);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var answer = await client.PutAsJsonAsync(Path, new
        {
            recipients = new object?[] { new { address = "no address", role = "boss" }, new { address = "b@example.jp", role = "administrator" }, new { address = "B@example.jp", role = "administrator" }, null },
            webhook = new { url = "http://example.jp/" },
        });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var faults = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("faults").EnumerateArray().ToList();
        Assert.Equal(
            ["/recipients/0/address", "/recipients/0/role", "/recipients/2", "/recipients/3/address", "/recipients/3/role", "/webhook/url"],
            faults.Select(f => f.GetProperty("place").GetString()).Order());
        Assert.Contains(faults, f => f.GetProperty("message").GetString()!.Contains("メールアドレス", StringComparison.Ordinal));
        Assert.Contains("a@example.jp", await client.GetStringAsync(Path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a@example.jp", true)]
    [InlineData("first.last+tag@sub.example.co.jp", true)]
    [InlineData("", false)]
    [InlineData("a", false)]
    [InlineData("a@", false)]
    [InlineData("@b", false)]
    [InlineData("a@b@c", false)]
    [InlineData("a b@example.jp", false)]
    [InlineData("a@example.jp\r\nRCPT TO:<x@y.z>", false)]
    [InlineData("<a@example.jp>", false)]
    [InlineData("\"a b\"@example.jp", false)]
    [InlineData("a@example.jp,b@example.jp", false)]
    [InlineData("太郎@example.jp", false)]
    [InlineData("a..b@example.jp", false)]
    public void Only_plain_addresses_are_addresses(string text, bool good) => Assert.Equal(good, NotificationRequest.IsAddress(text));

    [Theory]
    [InlineData("https://hooks.example.jp/x?y=1", true)]
    [InlineData("http://127.0.0.1:8080/x", true)]
    [InlineData("http://localhost/x", true)]
    [InlineData("http://[::1]/x", true)]
    [InlineData("http://example.jp/x", false)]
    [InlineData("http://127.0.0.1.example.jp/x", false)]
    [InlineData("https://user:pass@example.jp/", false)]
    [InlineData("https://example.jp/#x", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("//example.jp", false)]
    [InlineData("https://", false)]
    [InlineData("", false)]
    public void Only_https_and_http_to_this_machine_are_webhooks(string text, bool good) => Assert.Equal(good, NotificationRequest.IsWebhook(text));

    [Fact]
    public void Mutated_addresses_and_urls_never_throw_and_never_carry_a_line_break()
    {
        var random = new Random(11);
        const string Alphabet = "a@.<>\r\n\0 \"',;:/\\[]()%#?é漢\u202E-_+";
        foreach (var seed in new[] { "first.last@example.co.jp", "https://hooks.example.jp/path?x=1" })
        {
            for (var i = 0; i < 20_000; i++)
            {
                var text = seed.ToCharArray().ToList();
                for (var n = random.Next(1, 5); n > 0; n--)
                {
                    text.Insert(random.Next(text.Count + 1), Alphabet[random.Next(Alphabet.Length)]);
                }

                var mutated = string.Concat(text);
                if (NotificationRequest.IsAddress(mutated) || NotificationRequest.IsWebhook(mutated))
                {
                    Assert.DoesNotContain(mutated, char.IsControl);
                }
            }
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_test_goes_through_the_queue_to_mail_and_webhook_and_its_leases_say_what_became_of_it(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(dialect,
            [("Response:Mail:Host", "127.0.0.1"), ("Response:Mail:Port", smtp.Port.ToString(CultureInfo.InvariantCulture)), ("Response:Mail:UseStartTls", "false")]);
        using var client = host.Client(Roles.Administrator, "hanako");
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsync(Path + "/test", null)).StatusCode);
        await host.NotifyAsync(["a@example.jp"], receiver.Url);
        var answer = await client.PostAsync(Path + "/test", null);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await host.Worker.DrainAsync();

        Assert.Equal("【Sekisho】テスト通知", (await smtp.NextAsync()).Subject);
        Assert.Contains("\"type\":\"test\"", Assert.Single(receiver.Deliveries).Body, StringComparison.Ordinal);
        foreach (var id in (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("leases").EnumerateArray())
        {
            var lease = (await host.Leases.FindAsync(id.GetString()!, default))!;
            Assert.Equal((LeaseStates.Done, "hanako"), (lease.State, lease.Details.Owner));
        }
    }

    [Fact]
    public async Task The_gateway_s_own_recipients_are_the_maintainers_to_set()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var maintainer = host.Client(Roles.Maintainer);
        var answer = await maintainer.PutAsJsonAsync("/ops/v1/notification", new { recipients = new[] { new { address = "ops@example.jp", role = "administrator" } } });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var administrator = host.Client(Roles.Administrator);
        Assert.DoesNotContain("ops@", await administrator.GetStringAsync(Path), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await administrator.GetAsync("/ops/v1/notification")).StatusCode);
    }

    private static async Task<JsonElement> PutAsync(HttpClient client, object body)
    {
        var answer = await client.PutAsJsonAsync(Path, body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static string? Secret(JsonElement view) => view.GetProperty("webhook").GetProperty("secret").GetString();
}
