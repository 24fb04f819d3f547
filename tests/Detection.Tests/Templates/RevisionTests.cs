using System.Security.Cryptography;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Signatures;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Templates;

public class RevisionTests
{
    private const string Path = "/api/v1/fields/field/template";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Every_change_says_who_when_and_why_what_differs_and_can_be_gone_back_to(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"car-mobility","reason":"初めて"}""");
        gateway.Clock.Advance(TimeSpan.FromHours(1));
        await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"car-mobility","parameters":{"silence.duration":"08:00:00","size.bytes":1000},"reason":"cars park longer"}""");
        await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"smart-home"}""");

        var revisions = (await gateway.GetAsync(Path + "/revisions")).Body!.AsArray();
        Assert.Equal([3, 2, 1], revisions.Select(r => (int)r!["revision"]!));
        Assert.Equal(("anna", "cars park longer", "set", "08:00:00"), ((string)revisions[1]!["by"]!, (string)revisions[1]!["reason"]!, (string)revisions[1]!["how"]!, (string)revisions[1]!["parameters"]!["silence.duration"]!));
        Assert.Equal(TimeSpan.FromHours(1), revisions[1]!["at"]!.GetValue<DateTimeOffset>() - revisions[2]!["at"]!.GetValue<DateTimeOffset>());
        Assert.Equal("初めて", (string)(await gateway.GetAsync(Path + "/revisions/1")).Body!["reason"]!);
        Assert.Equal([2], (await gateway.GetAsync(Path + "/revisions?before=3&limit=1")).Body!.AsArray().Select(r => (int)r!["revision"]!));

        var difference = (await gateway.GetAsync(Path + "/revisions/2/difference", language: "ja")).Body!;
        Assert.Equal(
            """[{"key":"silence.duration","condition":"無通信","label":"無通信の上限時間","unit":"s","before":"06:00:00","after":"08:00:00"},{"key":"size.bytes","condition":"サイズ超過","label":"異常とみなすサイズ（バイト以上）","unit":"bytes","before":"65536","after":"1000"}]""",
            difference["settings"]!.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        var other = (await gateway.GetAsync(Path + "/revisions/3/difference")).Body!;
        Assert.Contains(other["removed"]!.AsArray(), c => (string)c!["key"]! == "silence");
        Assert.Contains(other["added"]!.AsArray(), c => (string)c!["key"]! == "wrong-credentials");
        Assert.True((bool)other["responses"]!);
        Assert.Empty((await gateway.GetAsync(Path + "/revisions/2/difference?with=2")).Body!["settings"]!.AsArray());
        var car = gateway.Services.GetRequiredService<TemplateCatalog>().Find("car-mobility")!;
        Assert.Equal(car.Conditions.Count, (await gateway.GetAsync(Path + "/revisions/1/difference?with=0")).Body!["added"]!.AsArray().Count);

        var (status, back) = await gateway.SendAsync(HttpMethod.Post, Path + "/revisions/2/restore", new { reason = "it was better" });
        Assert.Equal((200, 4, "car-mobility"), (status, (int)back!["revision"]!, (string)back["template"]!["id"]!));
        Assert.Equal(1000, gateway.Services.GetRequiredService<FieldPlans>().Find("field")!.Values["size.bytes"].Number);
        Assert.Equal("restored", (string)(await gateway.GetAsync(Path + "/revisions/4")).Body!["how"]!);
        Assert.Empty((await gateway.GetAsync(Path + "/revisions/4/difference?with=2")).Body!["settings"]!.AsArray());
        Assert.Equal(
            ["template-set", "template-set", "template-set", "template-restored"],
            await gateway.Services.GetRequiredService<Databases>().State.ReadAsync(c => c.QueryAsync<string>("SELECT what FROM test_history WHERE what LIKE 'template-%'")));

        Assert.Equal(404, (await gateway.GetAsync(Path + "/revisions/9")).Status);
        Assert.Equal(404, (await gateway.GetAsync(Path + "/revisions/1/difference?with=9")).Status);
        Assert.Equal(404, (await gateway.SendAsync(HttpMethod.Post, Path + "/revisions/9/restore", "{}")).Status);
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Path + "/revisions/1/restore", new { reason = new string('x', 1001) })).Status);
        Assert.Equal(422, (await gateway.GetAsync(Path + "/revisions?limit=0")).Status);
    }

    [Fact]
    public async Task Why_somebody_changed_it_stands_encrypted()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"car-mobility","reason":"Mr Tanaka asked"}""");
        var stored = await gateway.Services.GetRequiredService<Databases>().State.ReadAsync(c => c.QuerySingleAsync<byte[]>("SELECT reason FROM field_template"));
        Assert.DoesNotContain("Tanaka", System.Text.Encoding.Latin1.GetString(stored), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Roles.Auditor)]
    [InlineData(Roles.Responder)]
    [InlineData(Roles.Maintainer)]
    public async Task Only_administrators_change_templates_and_start_back_tests(string role)
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Post, Path + "/revisions/1/restore"), (HttpMethod.Post, Path + "/upgrade"), (HttpMethod.Post, "/api/v1/templates"),
            (HttpMethod.Post, "/api/v1/fields/field/backtests"), (HttpMethod.Delete, "/api/v1/fields/field/backtests/b1"),
        })
        {
            Assert.Equal(403, (await gateway.SendAsync(method, path, "{}", role)).Status);
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_upgrade_keeps_own_values_and_says_which_find_no_place(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        Assert.Equal(409, (await gateway.GetAsync(Path + "/upgrade")).Status);
        Assert.Equal(201, (await ImportAsync(gateway, Template(1, "size", "bytes: { default: 100, least: 10, most: 1000 }"))).Status);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"own","parameters":{"size.bytes":50,"size.raiseAfter":3}}""")).Status);
        Assert.Equal(409, (await gateway.SendAsync(HttpMethod.Post, Path + "/upgrade", "{}")).Status);

        Assert.Equal(201, (await ImportAsync(gateway, Template(2, "size", "bytes: { default: 200, least: 100, most: 1000 }"))).Status);

        // A newer version is there, and the field stays with its own until somebody upgrades it, across a restart as well.
        var plans = gateway.Services.GetRequiredService<FieldPlans>();
        await plans.LoadAsync(CancellationToken.None);
        Assert.Equal((1, 50), (plans.Find("field")!.Template.Version, plans.Find("field")!.Values["size.bytes"].Number));
        var preview = (await gateway.GetAsync(Path + "/upgrade")).Body!;
        Assert.Equal((1, 2, "3", "50"), ((int)preview["from"]!, (int)preview["to"]!, (string)preview["kept"]!["size.raiseAfter"]!, (string)preview["left"]!["size.bytes"]!));
        Assert.Equal(("50", "200"), ((string)preview["difference"]!["settings"]![0]!["before"]!, (string)preview["difference"]!["settings"]![0]!["after"]!));

        var (status, upgraded) = await gateway.SendAsync(HttpMethod.Post, Path + "/upgrade", new { reason = "new bounds" });
        Assert.Equal((200, 2), (status, (int)upgraded!["template"]!["version"]!));
        Assert.Equal(["size.raiseAfter"], plans.Find("field")!.Values.Keys);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, Path + "/revisions/1/restore", "{}")).Status);
        Assert.Equal((1, 50), (plans.Find("field")!.Template.Version, plans.Find("field")!.Values["size.bytes"].Number));
    }

    [Fact]
    public async Task Settings_travel_as_a_file_and_a_template_as_a_signed_one()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        Assert.Equal(404, (await gateway.GetAsync(Path + "/file")).Status);
        await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"car-mobility","parameters":{"silence.duration":"08:00:00","frequency-user.raiseAfter":2}}""");
        var file = (await gateway.GetAsync(Path + "/file")).Body!.ToJsonString();
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, Path, file)).Status);
        Assert.Equal(file, (await gateway.GetAsync(Path + "/file")).Body!.ToJsonString());
        Assert.Empty((await gateway.GetAsync(Path + "/revisions/2/difference")).Body!["settings"]!.AsArray());

        var (_, exported) = await gateway.TextAsync(HttpMethod.Get, "/api/v1/templates/car-mobility/file");
        await using var other = await TestGateway.StartAsync(Dialect.Sqlite);

        // Another gateway takes it when it trusts the key; what was changed on the way is refused.
        Assert.Contains("template-unknown-signer", (await other.TextAsync(HttpMethod.Post, "/api/v1/templates", exported)).Text, StringComparison.Ordinal);
        await TrustAsync(other, gateway);
        var (tampered, problem) = await other.TextAsync(HttpMethod.Post, "/api/v1/templates", exported.Replace("06:00:00", "07:00:00", StringComparison.Ordinal));
        Assert.Equal(422, tampered);
        Assert.Contains("template-tampered", problem, StringComparison.Ordinal);
        Assert.Equal(409, (await other.TextAsync(HttpMethod.Post, "/api/v1/templates", exported)).Status);
        Assert.Contains("template-unsigned", (await other.TextAsync(HttpMethod.Post, "/api/v1/templates", Template(1, "size", "bytes: 100"))).Text, StringComparison.Ordinal);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Contains("template-unknown-signer", (await other.TextAsync(HttpMethod.Post, "/api/v1/templates", SignedFile.Sign(Template(1, "size", "bytes: 100"), stranger))).Text, StringComparison.Ordinal);

        var (faulty, faults) = await ImportAsync(other, Template(1, "weather", "x: 1"));
        Assert.Equal(422, faulty);
        Assert.Contains("weather", faults, StringComparison.Ordinal);
        Assert.Equal(413, (await other.TextAsync(HttpMethod.Post, "/api/v1/templates", new string('#', (1 << 20) + 1))).Status);
        Assert.Equal(201, (await ImportAsync(other, Template(1, "size", "bytes: 100"))).Status);
        Assert.Equal(409, (await ImportAsync(other, Template(1, "size", "bytes: 200"))).Status);
        Assert.Contains((await other.GetAsync("/api/v1/templates")).Body!.AsArray(), t => (string)t!["id"]! == "own");

        // Export, import and export again give the same template.
        var (_, once) = await other.TextAsync(HttpMethod.Get, "/api/v1/templates/own/file");
        await using var third = await TestGateway.StartAsync(Dialect.Sqlite);
        await TrustAsync(third, other);
        Assert.Equal(201, (await third.TextAsync(HttpMethod.Post, "/api/v1/templates", once)).Status);
        var (_, twice) = await third.TextAsync(HttpMethod.Get, "/api/v1/templates/own/file");
        Assert.Equal(Body(once), Body(twice));
        Assert.Equal(16, ((string)(await third.GetAsync("/api/v1/template-key")).Body!["id"]!).Length);
    }

    [Fact]
    public async Task Going_back_to_a_version_that_is_gone_is_refused()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        await gateway.SendAsync(HttpMethod.Put, Path, new { templateId = "car-mobility" });
        await gateway.Services.GetRequiredService<Databases>().State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE field_template SET template_version = 99", transaction: t));
        var (status, problem) = await gateway.SendAsync(HttpMethod.Post, Path + "/revisions/1/restore", "{}", language: "ja");
        Assert.Equal((409, "この版のテンプレートがありません"), (status, (string)problem!["title"]!));
    }

    [Fact]
    public void Random_values_written_and_read_again_are_the_same_and_differ_from_nothing()
    {
        var random = Fuzz.Source(4);
        var catalog = TemplateCatalog.Load(System.IO.Path.Combine(AppContext.BaseDirectory, "templates"), new TemplateReader(DetectionFeature.Kinds));
        var texts = new Domain.Localization.Texts([typeof(DetectionFeature).Assembly]);
        foreach (var template in catalog.All)
        {
            for (var round = Fuzz.Rounds(50); round > 0; round--)
            {
                var given = new Dictionary<string, string>();
                foreach (var (condition, parameter) in template.Conditions.SelectMany(c => c.Parameters.Select(p => (c, p))).Where(_ => random.Next(3) == 0))
                {
                    // Whatever the type, a value between the bounds that people could have written.
                    var number = parameter.Least + (random.NextDouble() * (Math.Min(parameter.Most, 1e6) - parameter.Least));
                    given[$"{condition.Key}.{parameter.Spec.Name}"] = parameter.Spec.Choices.Count > 0
                        ? parameter.Spec.Choices[random.Next(parameter.Spec.Choices.Count)]
                        : parameter.Default.Text.Length > 0 || parameter.Default.List.Count > 0 || parameter.Spec.Type is ParameterType.Text or ParameterType.Pointer or ParameterType.Document or ParameterType.Texts or ParameterType.Networks
                            ? ParameterText.Write(parameter.Spec, parameter.Default)
                            : ParameterText.Write(parameter.Spec, Math.Round(number));
                }

                var values = TemplateValues.Check(template, given, out _);
                var again = TemplateValues.Check(template, TemplateValues.Write(template, values), out var wrong);
                Assert.Empty(wrong);
                Assert.Equal(values.OrderBy(v => v.Key), again.OrderBy(v => v.Key));
                var (before, after) = (new FieldTemplate(template, 1, values), new FieldTemplate(template, 2, again));
                Assert.Empty(PlanDifference.Of(before, after, texts, "en").Settings);
                Assert.Equal(values.OrderBy(v => v.Key), TemplateValues.Carry(before, template, out _).OrderBy(v => v.Key));
            }
        }
    }

    private static Task<(int Status, string Text)> ImportAsync(TestGateway gateway, string template) =>
        gateway.TextAsync(HttpMethod.Post, "/api/v1/templates", gateway.Services.GetRequiredService<TemplateSigner>().Sign(template));

    private static async Task TrustAsync(TestGateway gateway, TestGateway signer) =>
        gateway.Services.GetRequiredService<TemplateSettings>().TrustedKeys = [(string)(await signer.GetAsync("/api/v1/template-key")).Body!["publicKey"]!];

    private static string Body(string file) => file[..file.LastIndexOf("# sekisho-signature", StringComparison.Ordinal)];

    private static string Template(int version, string kind, string parameters) => $$"""
        id: own
        version: {{version}}
        title: { ja: 自作, en: Own }
        description: { ja: 自作, en: Own }
        conditions:
          - { key: size, kind: {{kind}}, scope: device, risk: takeover, level: warning, label: { ja: あ, en: a }, parameters: { {{parameters}} } }

        """;
}
