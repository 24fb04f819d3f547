using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Leases;
using Sekisho.Response.Rules;
using Sekisho.Response.Tests.Scripts;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Rules;

/// <summary>Rules and scripts travel as one signed file.</summary>
public class RuleFileTests
{
    private const string Path = "/api/v1/fields/cars/response-rules";
    private const string Body = """
        {"kind":"sekisho-response-rules","format":1,"field":"elsewhere","signedAt":"2026-03-31T12:00:00Z",
         "rules":[{"risk":"theft","level":"important","action":"run-script","script":"night","afterSeconds":60,"approval":"automatic"},{"risk":"*","level":"warning","action":"mail"}],
         "scripts":[{"name":"night","version":7,"text":"return { manifest = { title = { ja = 'a', en = 'b' } }, respond = function(d) return { { action = 'restrict-rate' } } end }"}]}
        """;

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_one_gateway_exports_another_takes_and_both_say_who_signed(Dialect dialect)
    {
        await using var from = await TestHost.StartAsync(dialect);
        await from.PutInForceAsync("night", ScriptSite.Script("return { { action = 'restrict-rate' } }"));
        from.Bind(TestHost.Always("webhook"));
        using var there = from.Client(Roles.Administrator, "hanako");
        await PutAsync(there, new { reason = "ours", rules = new object[] { new { risk = "*", level = "warning", action = "run-script", script = "night" } } });
        Assert.Equal(from.Signatures.KeyId, (await there.GetFromJsonAsync<JsonElement>(Path)).GetProperty("signer").GetString());
        var file = await there.GetStringAsync(Path + "/export");

        await using var to = await TestHost.StartAsync(dialect);
        using var here = to.Client(Roles.Administrator, "taro");
        Assert.Equal("urn:sekisho:problem:response-unknown-signer", await TypeAsync(here, file, HttpStatusCode.UnprocessableEntity));
        to.Signatures.Trust(from.Signatures);
        var imported = await ImportAsync(here, file);
        Assert.Equal(("night", 1, "draft"), (imported.GetProperty("scripts")[0].GetProperty("name").GetString(), imported.GetProperty("scripts")[0].GetProperty("version").GetInt32(), imported.GetProperty("scripts")[0].GetProperty("state").GetString()));
        var revision = (await here.GetFromJsonAsync<JsonElement>(Path + "/revisions")).GetProperty("items")[0];
        Assert.Equal(
            (from.Signatures.KeyId, "cars", "taro", "moved"),
            (revision.GetProperty("signer").GetString(), revision.GetProperty("signedIn").GetString(), revision.GetProperty("changedBy").GetString(), revision.GetProperty("reason").GetString()));
        Assert.Equal(from.Signatures.KeyId, (await here.GetFromJsonAsync<JsonElement>(ScriptSite.Scripts + "/night/versions/1")).GetProperty("signer").GetString());
        Assert.Single(await to.NoticesAsync(), n => n.Details.Notice!.Name == "rules-changed");

        // The rules hold at once; the script has to be put in force here.
        to.Commit(to.Finding("f1"));
        await to.DrainAllAsync();
        Assert.Equal(LeaseCauses.ScriptNotActive, (await to.RunOfAsync("f1")).Details.Cause);
        await here.AskAsync("night/dry-run", new { });
        await here.AskAsync("night/activate", new { why = "tried" });
        to.Commit(to.Finding("f2"));
        await to.DrainAllAsync();
        Assert.Equal(["restrict-rate"], (await to.OrdersOfAsync("f2")).Keys);

        // The same file again, or one that was signed before it, is not taken.
        Assert.Equal("urn:sekisho:problem:response-rules-older", await TypeAsync(here, file, HttpStatusCode.Conflict));
        from.Clock.Leap(TimeSpan.FromMinutes(1));
        await ImportAsync(here, await there.GetStringAsync(Path + "/export"));
        Assert.Equal("urn:sekisho:problem:response-rules-older", await TypeAsync(here, file, HttpStatusCode.Conflict));
        Assert.Equal(1, (await here.GetFromJsonAsync<JsonElement>(ScriptSite.Scripts))[0].GetProperty("newestVersion").GetInt32());
    }

    [Fact]
    public async Task Without_own_rules_those_of_the_template_are_exported_and_damaged_ones_are_not()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("mail") with { Threat = Threats.Theft, After = TimeSpan.FromMinutes(1) });
        using var client = host.Client(Roles.Auditor);
        var text = await client.GetStringAsync(Path + "/export");
        Assert.Equal(SignatureVerdict.Good, host.Signatures.Verify(text, out var body, out _));
        var rule = RuleFile.Read(body, out _)!.Rules![0]!;
        Assert.Equal(("mail", "theft", 60L), (rule.Action, rule.Threat, rule.AfterSeconds));

        using var administrator = host.Client(Roles.Administrator);
        await PutAsync(administrator, new { reason = "own", rules = Array.Empty<object>() });
        await host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE response_rules SET document = @d", new { d = new byte[64] }, t));
        await host.RestartAfterKillAsync();
        using var after = host.Client(Roles.Auditor);
        Assert.Equal(HttpStatusCode.Conflict, (await after.GetAsync(Path + "/export")).StatusCode);
    }

    [Theory]
    [InlineData("\"format\":1", "\"format\":2", "$")]
    [InlineData("sekisho-response-rules", "something-else", "$")]
    [InlineData("\"field\":\"elsewhere\"", "\"field\":\"\"", "$")]
    [InlineData("2026-03-31T12:00:00Z", "2026-05-31T12:00:00Z", "/signedAt")]
    [InlineData("\"signedAt\":\"2026-03-31T12:00:00Z\",", "", "/signedAt")]
    [InlineData("\"action\":\"mail\"", "\"action\":\"explode\"", "/rules/1/action")]
    [InlineData("\"script\":\"night\"", "\"script\":\"day\"", "/rules/0/script")]
    [InlineData("\"name\":\"night\"", "\"name\":\"Night Shift\"", "/scripts/0/name")]
    [InlineData("respond = function", "answer = function", "/scripts/0/respond")]
    [InlineData("\"kind\":", "\"kind\":\"x\",\"kind\":", "$")]
    [InlineData("\"format\"", "\"extra\":1,\"format\"", "$")]
    [InlineData("\"rules\":[", "\"rules\":{", "$")]
    public async Task A_signed_file_with_a_fault_changes_nothing_and_says_where(string part, string instead, string place)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        Assert.Contains(part, Body, StringComparison.Ordinal);
        var answer = await PostAsync(client, host.Signatures.Sign(Body.Replace(part, instead, StringComparison.Ordinal)), "moved");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.UnprocessableEntity, text);
        Assert.StartsWith(place, JsonDocument.Parse(text).RootElement.GetProperty("faults")[0].GetProperty("place").GetString()!, StringComparison.Ordinal);
        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>(Path)).GetProperty("revision").GetInt64());
        Assert.Equal("[]", await client.GetStringAsync(ScriptSite.Scripts));
    }

    [Fact]
    public async Task A_file_that_is_unsigned_altered_or_has_no_reason_is_refused()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        Assert.Equal("urn:sekisho:problem:response-unsigned", await TypeAsync(client, Body, HttpStatusCode.UnprocessableEntity));
        var signed = host.Signatures.Sign(Body);
        Assert.Equal("urn:sekisho:problem:response-tampered", await TypeAsync(client, signed.Replace("restrict-rate", "suspend-sim", StringComparison.Ordinal), HttpStatusCode.UnprocessableEntity));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(client, signed, "")).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(client, new string('x', (4 << 20) + 1), "moved")).StatusCode);
        using var broken = new ByteArrayContent([0xFF, 0xFE, .. Encoding.UTF8.GetBytes(signed)]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsync(Path + "/import?reason=x", broken)).StatusCode);

        // A script inside that somebody else signed needs that somebody to be trusted as well.
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var foreign = SignedFile.Sign(ScriptSite.Script("return {}"), stranger);
        var file = new RuleFile(RuleFile.KindName, 1, "x", host.Time.GetUtcNow(), [], [new RuleFileScript("night", 1, foreign)]).Write();
        var answer = await PostAsync(client, host.Signatures.Sign(file), "moved");
        Assert.Contains("/scripts/0/text", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        host.Signatures.AreRequired = true;
        await ImportAsync(client, signed);
    }

    [Theory]
    [InlineData("""{"risk":"*","level":"warning","action":"run-script"}""", "/rules/0/script")]
    [InlineData("""{"risk":"*","level":"warning","action":"run-script","script":"nobody"}""", "/rules/0/script")]
    [InlineData("""{"risk":"*","level":"warning","action":"mail","script":"night"}""", "/rules/0/script")]
    public async Task A_rule_runs_a_script_of_its_own_field_and_no_other_action_takes_one(string rule, string place)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        await host.PutInForceAsync("night", ScriptSite.Script("return {}"));
        using var client = host.Client(Roles.Administrator);
        using var content = new StringContent($$"""{"reason":"x","rules":[{{rule}}]}""", Encoding.UTF8, "application/json");
        var answer = await client.PutAsync(Path, content);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(place, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_stands_in_a_file_is_read_or_refused()
    {
        var random = Fuzz.Source(52);
        var read = 0;
        for (var i = Fuzz.Rounds(3000); i > 0; i--)
        {
            var text = new StringBuilder(Body);
            for (var n = random.Next(4); n >= 0; n--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(3))
                {
                    case 0:
                        text[at] = (char)random.Next(1, 0x3100);
                        break;
                    case 1:
                        text.Remove(at, Math.Min(random.Next(1, 30), text.Length - at));
                        break;
                    default:
                        text.Insert(at, ((string[])["{", "[", "null", "\"", "1e999", "\"rules\":", new string('[', 40), "\uD800"])[random.Next(8)]);
                        break;
                }
            }

            read += RuleFile.Read(text.ToString(), out var place) is null ? 0 : 1;
            Assert.True(place is null || place.Length is > 0 and <= 200, place);
        }

        Assert.InRange(read, 1, Fuzz.Rounds(3000) - 1);
    }

    [Fact]
    public async Task No_altered_file_is_ever_taken()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        var signed = host.Signatures.Sign(Body);
        var random = Fuzz.Source(53);
        for (var i = Fuzz.Rounds(60); i > 0; i--)
        {
            var text = signed.ToCharArray();
            var at = random.Next(text.Length - 1);
            text[at] = text[at] == 'z' ? 'y' : 'z';
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(client, new string(text), "moved")).StatusCode);
        }

        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>(Path)).GetProperty("revision").GetInt64());
    }

    private static async Task PutAsync(HttpClient client, object body)
    {
        var answer = await client.PutAsJsonAsync(Path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string file, string reason) =>
        client.PostAsync(string.Create(CultureInfo.InvariantCulture, $"{Path}/import?reason={reason}"), new StringContent(file, Encoding.UTF8, "text/plain"));

    private static async Task<JsonElement> ImportAsync(HttpClient client, string file)
    {
        var answer = await PostAsync(client, file, "moved");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static async Task<string> TypeAsync(HttpClient client, string file, HttpStatusCode expected)
    {
        var answer = await PostAsync(client, file, "moved");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("type").GetString()!;
    }
}
