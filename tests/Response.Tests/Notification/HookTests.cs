using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification.Webhooks;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;
using Sekisho.Verification.Processes;

namespace Sekisho.Response.Tests.Notification;

public class HookTests
{
    private const string Path = "/api/v1/fields/cars/notification/webhooks";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Each_webhook_gets_its_own_body_signature_language_and_header_fields(Dialect dialect)
    {
        await using var one = await HttpReceiver.StartAsync();
        await using var other = await HttpReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        var japanese = await AddAsync(client, new
        {
            name = "chat",
            url = one.Url + "/in",
            language = "ja",
            template = new { text = "{{level}}|{{risk}}|{{device}}|{{text}}", fixedNumber = 7, list = new object?[] { "{{time}}", null, true } },
            headers = new Dictionary<string, string> { ["authorization"] = "Bearer s3cret-token" },
        });
        var english = await AddAsync(client, new { name = "tool", url = other.Url + "/in", language = "en", template = "{\"title\":\"{{title}}\",\"id\":\"{{id}}\",\"code\":\"{{levelCode}}/{{riskCode}}\",\"link\":\"{{link}}\"}" });
        Assert.NotEqual(Secret(japanese), Secret(english));

        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();

        var first = Assert.Single(one.Requests);
        Assert.Equal("application/json; charset=utf-8", first.Headers["Content-Type"]);
        Assert.Equal("Bearer s3cret-token", first.Headers["Authorization"]);
        Assert.StartsWith("重要|なりすまし|車両 1 (d000000000000001)|", first.Json.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal((7, "2026-04-01 09:00:00 +09:00", JsonValueKind.Null, JsonValueKind.True), (
            first.Json.GetProperty("fixedNumber").GetInt32(), first.Json.GetProperty("list")[0].GetString(), first.Json.GetProperty("list")[1].ValueKind, first.Json.GetProperty("list")[2].ValueKind));
        var time = host.Clock.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal($"t={time},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret(japanese)!), Encoding.UTF8.GetBytes($"{time}.{first.Body}")))}", first.Headers["Sekisho-Signature"]);

        var second = Assert.Single(other.Requests);
        Assert.Equal("[Sekisho] Important: spoofing – 車両 1 (d000000000000001)", second.Json.GetProperty("title").GetString());
        Assert.Equal("important/spoofing", second.Json.GetProperty("code").GetString());
        Assert.Equal("/api/v1/fields/cars/detections/f1", second.Json.GetProperty("link").GetString());
        var leases = await host.LeasesAsync();
        Assert.Equal(3, leases.Count);
        Assert.All(leases, l => Assert.Equal(LeaseStates.Done, l.State));
        Assert.Equal(leases.Single(l => l.Target == "webhook " + Id(english)).Id, second.Headers["Sekisho-Delivery"]);
        Assert.Equal(second.Headers["Sekisho-Delivery"], second.Json.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Values_of_header_fields_and_secrets_are_never_returned_logged_or_stored_in_clear()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("s3cret-token");
        };
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        var hook = new { name = "chat", url = receiver.Url + "/private-path", language = "ja", headers = new Dictionary<string, string?> { ["Authorization"] = "Bearer s3cret-token" } };
        var added = await AddAsync(client, hook);
        var secret = Secret(added)!;
        host.Commit(host.Finding("f1"));
        for (var i = 0; i < 4; i++)
        {
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal("Bearer s3cret-token", receiver.Requests.First().Headers["Authorization"]);
        var all = new StringBuilder(await client.GetStringAsync(Path)).Append(await client.GetStringAsync("/api/v1/fields/cars/responses"));
        all.Append(await (await client.PutAsJsonAsync($"{Path}/{Id(added)}", hook)).Content.ReadAsStringAsync());
        all.Append(await (await client.PutAsJsonAsync($"{Path}/{Id(added)}", hook with { headers = new() { ["Authorization"] = "s3cret-token\r\nX: y" } })).Content.ReadAsStringAsync());
        all.AppendJoin('\n', host.Log.Lines);
        await host.Store.Databases.State.ReadAsync(async c =>
        {
            foreach (var table in new[] { "webhook", "lease" })
            {
                foreach (var document in await c.QueryAsync<byte[]>($"SELECT {(table == "lease" ? "details" : "document")} FROM {table}"))
                {
                    all.Append(Encoding.Latin1.GetString(document));
                }
            }

            return 0;
        });
        Assert.DoesNotContain("s3cret", all.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, all.ToString(), StringComparison.Ordinal);
        Assert.Contains("\"headers\":[\"Authorization\"]", all.ToString(), StringComparison.Ordinal);
        using var auditor = host.Client(Roles.Auditor);
        Assert.DoesNotContain("private-path", await auditor.GetStringAsync(Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_field_keeps_its_value_for_its_host_only()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        var headers = new Dictionary<string, string?> { ["Authorization"] = "Bearer x" };
        var id = Id(await AddAsync(client, new { name = "chat", url = "https://one.example/a", language = "ja", headers }));
        headers["Authorization"] = null;
        Assert.Equal(HttpStatusCode.OK, (await client.PutAsJsonAsync($"{Path}/{id}", new { name = "chat", url = "https://one.example/b", language = "ja", headers })).StatusCode);
        Assert.Equal("Bearer x", (await host.Get<HookStore>().FindAsync("cars", id, default))!.Headers["Authorization"]);
        foreach (var elsewhere in new[] { "https://two.example/b", "https://one.example:444/b", "https://one.example.evil.example/b" })
        {
            var answer = await client.PutAsJsonAsync($"{Path}/{id}", new { name = "chat", url = elsewhere, language = "ja", headers });
            Assert.Equal(["/headers/Authorization"], await FaultsAsync(answer));
        }
    }

    [Fact]
    public async Task Filters_choose_by_level_and_risk_and_a_notice_is_not_held_back_by_a_risk_it_does_not_have()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        object Hook(string name, object? include, object? exclude) => new { name, url = $"{receiver.Url}/{name}", language = "ja", include, exclude };
        await AddAsync(client, Hook("all", null, null));
        await AddAsync(client, Hook("critical", new { levels = new[] { "critical" } }, null));
        await AddAsync(client, Hook("theft", new { risks = new[] { "theft" } }, null));
        await AddAsync(client, Hook("no-theft", null, new { risks = new[] { "theft" }, levels = new[] { "information" } }));
        host.Commit(
            host.Finding("a", risk: Risks.Theft, level: Levels.Critical), host.Finding("b", risk: Risks.Spoofing, level: Levels.Important), host.Finding("c", risk: Risks.Spoofing, level: Levels.Information));
        await host.Worker.DrainAsync();
        Assert.Equal(
            ["/all a", "/all b", "/all c", "/critical a", "/no-theft b", "/theft a"],
            receiver.Requests.Select(r => $"{r.Path} {r.Json.GetProperty("finding").GetProperty("id").GetString()}").Order());

        receiver.Requests.Clear();
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/api/v1/fields/cars/notification/test", null)).StatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal(["/all", "/critical", "/no-theft", "/theft"], receiver.Requests.Select(r => r.Path).Order());
    }

    [Fact]
    public async Task A_response_that_no_webhook_wants_says_so()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        await AddAsync(client, new { name = "critical", url = "https://one.example/", language = "ja", include = new { levels = new[] { "critical" } } });
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.NoWebhookWants), (lease.State, lease.Details.Cause));
    }

    [Fact]
    public async Task One_webhook_that_is_down_holds_no_other_back_and_is_tried_alone()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        var dead = Id(await AddAsync(client, new { name = "dead", url = $"http://127.0.0.1:{FreePort.Next()}/", language = "ja" }));
        await AddAsync(client, new { name = "alive", url = receiver.Url, language = "ja" });
        host.Commit([.. Enumerable.Range(0, 10).Select(i => host.Finding($"f{i}"))]);
        for (var i = 0; i < 4; i++)
        {
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(10, receiver.Requests.Count);
        var leases = await host.LeasesAsync();
        Assert.Equal(10, leases.Count(l => l.Target == "webhook " + dead && l.State == LeaseStates.Failed && l.Attempts == 3));
        Assert.Equal(20, leases.Count(l => l.State == LeaseStates.Done));
    }

    [Fact]
    public async Task A_kill_while_the_webhooks_are_told_leaves_none_out_and_none_is_ordered_twice()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        await host.NotifyAsync([], receiver.Url + "/plain");
        await AddAsync(client, new { name = "one", url = receiver.Url + "/one", language = "ja" });
        var killed = false;
        receiver.Answer = (context, received) =>
        {
            if (received.Path == "/plain" && !killed)
            {
                killed = true;
                context.Abort();
            }

            return Task.CompletedTask;
        };
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await host.RestartAfterKillAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(5));
        await host.Worker.DrainAsync();
        Assert.Equal(["/one", "/plain", "/plain"], receiver.Requests.Select(r => r.Path).Order());
        Assert.Equal(2, (await host.LeasesAsync()).Count(l => l.State == LeaseStates.Done));
    }

    [Fact]
    public async Task Whoever_was_told_of_a_finding_is_told_that_it_was_taken_back_once()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        await AddAsync(client, new { name = "one", url = receiver.Url + "/one", language = "en", template = new { k = "{{kind}}", t = "{{title}}" } });
        await AddAsync(client, new { name = "two", url = receiver.Url + "/two", language = "ja", include = new { levels = new[] { "critical" } } });
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Retract("f1");
        await host.Worker.DrainAsync();
        Assert.Equal(["/one finding", "/one retraction"], receiver.Requests.Select(r => $"{r.Path} {r.Json.GetProperty("k").GetString()}").Order());
        Assert.Contains("Taken back", receiver.Requests.Last().Json.GetProperty("t").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_fault_of_a_webhook_is_named_at_once_and_an_eleventh_is_refused()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("en");
        var answer = await client.PostAsJsonAsync(Path, new
        {
            name = " ",
            url = "http://example.jp",
            language = "fr",
            include = new { levels = new[] { "worst" }, risks = new[] { "none" } },
            template = new Dictionary<string, string> { ["{{title}}"] = "{{device}} {{nonsense}} {{", ["x"] = "{{ title }}" },
            headers = new Dictionary<string, string> { ["Host"] = "x", ["X-API-Key"] = "a\r\nb" },
        });
        Assert.Equal(
            ["/headers/Host", "/headers/X-API-Key", "/include/levels", "/include/risks", "/language", "/name", "/template", "/template", "/template", "/template", "/url"],
            (await FaultsAsync(answer)).Order(StringComparer.Ordinal));
        Assert.Contains("There is no place named 'nonsense'.", (await answer.Content.ReadAsStringAsync()).Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        for (var i = 0; i < Hook.Most; i++)
        {
            await AddAsync(client, new { name = $"{i}", url = "https://one.example/", language = "ja" });
        }

        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsJsonAsync(Path, new { name = "11", url = "https://one.example/", language = "ja" })).StatusCode);
        var list = await client.GetFromJsonAsync<JsonElement>(Path);
        Assert.Equal(10, list.GetArrayLength());
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"{Path}/{list[0].GetProperty("id").GetString()}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.DeleteAsync($"{Path}/{list[0].GetProperty("id").GetString()}")).StatusCode);
        using var stranger = host.Client(Roles.Administrator, field: "homes");
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.DeleteAsync($"/api/v1/fields/homes/notification/webhooks/{list[1].GetProperty("id").GetString()}")).StatusCode);
        using var responder = host.Client(Roles.Responder);
        Assert.Equal(HttpStatusCode.Forbidden, (await responder.PostAsJsonAsync(Path, new { name = "x", url = "https://one.example/", language = "ja" })).StatusCode);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    [InlineData("{\"a\":{{title}}}")]
    [InlineData("{")]
    [InlineData("")]
    public void What_is_no_object_of_JSON_is_no_template(string text) => Assert.Single(BodyTemplate.Check(text, BodyValues.Places));

    [Fact]
    public void Whatever_a_value_contains_it_stays_the_inside_of_its_text()
    {
        const string Template = """{"a":"<{{title}}>","b":{"c":["{{text}}","{{title}}{{text}}"]}}""";
        var random = Fuzz.Source(5);
        string[] pieces = ["\"", "\\", "{{text}}", "{{", "}}", "\r\n", "\0", "\u2028", "</script>", "漢字", "\ud83d\ude00", "\",\"x\":\"", "]}", "\\u0022", "'", "&", "\u202E"];
        for (var i = 0; i < Fuzz.Rounds(20_000); i++)
        {
            string Value() => string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => pieces[random.Next(pieces.Length)]));
            var (title, text) = (Value(), Value());
            var filled = JsonElement.Parse(BodyTemplate.Fill(Template, new Dictionary<string, string> { ["title"] = title, ["text"] = text }));
            Assert.Equal(2, filled.GetPropertyCount());
            Assert.Equal($"<{title}>", filled.GetProperty("a").GetString());
            Assert.Equal([text, title + text], filled.GetProperty("b").GetProperty("c").EnumerateArray().Select(t => t.GetString()));
        }
    }

    [Fact]
    public void Mutated_templates_are_refused_or_can_be_filled_and_never_throw()
    {
        var values = BodyValues.Places.ToDictionary(p => p, _ => "\"x\\");
        var random = Fuzz.Source(7);
        const string Alphabet = "{}[]\":,\\ut0dé漢\0 -1eb/title";
        foreach (var shipped in ShippedTemplate.All.Select(t => t.Template.GetRawText()))
        {
            for (var i = 0; i < Fuzz.Rounds(3_000); i++)
            {
                var text = shipped.ToCharArray().ToList();
                for (var n = random.Next(1, 5); n > 0; n--)
                {
                    var at = random.Next(text.Count);
                    switch (random.Next(3))
                    {
                        case 0:
                            text.RemoveAt(at);
                            break;
                        case 1:
                            text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
                            break;
                        default:
                            text[at] = Alphabet[random.Next(Alphabet.Length)];
                            break;
                    }
                }

                var mutated = string.Concat(text);
                if (BodyTemplate.Check(mutated, BodyValues.Places).Count == 0)
                {
                    Assert.Equal(JsonValueKind.Object, JsonElement.Parse(BodyTemplate.Fill(mutated, values)).ValueKind);
                }
            }
        }
    }

    [Theory]
    [InlineData("", 10, "–")]
    [InlineData(" \r\n ", 10, "–")]
    [InlineData("abcdefghijk", 10, "abcdefghi…")]
    [InlineData("abcdefgh\ud83d\ude00k", 10, "abcdefgh…")]
    [InlineData("a\u202Eb\nc", 10, "a b c")]
    public void A_value_is_one_line_that_is_neither_empty_nor_too_long(string text, int most, string line) => Assert.Equal(line, BodyValues.Line(text, most));

    private static string Id(JsonElement view) => view.GetProperty("id").GetString()!;

    private static string? Secret(JsonElement view) => view.GetProperty("secret").GetString();

    private static async Task<JsonElement> AddAsync(HttpClient client, object hook)
    {
        var answer = await client.PostAsJsonAsync(Path, hook);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<IReadOnlyList<string>> FaultsAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        return [.. (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("faults").EnumerateArray().Select(f => f.GetProperty("place").GetString()!)];
    }
}
