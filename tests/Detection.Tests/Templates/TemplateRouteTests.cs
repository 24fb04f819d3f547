using Microsoft.Extensions.DependencyInjection;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Templates;

public class TemplateRouteTests
{
    private const string Path = "/api/v1/fields/field/template";

    [Fact]
    public async Task Templates_show_their_parameters_with_units_bounds_and_labels_in_the_language_asked_for()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        Assert.Equal(TemplateReaderTests.Shipped, (await gateway.GetAsync("/api/v1/templates")).Body!.AsArray().Select(t => (string)t!["id"]!));
        var template = (await gateway.GetAsync("/api/v1/templates/car-mobility", language: "ja")).Body!;
        Assert.Equal("カーモビリティ", (string)template["title"]!);
        var silence = template["conditions"]!.AsArray().Single(c => (string)c!["key"]! == "silence")!["parameters"]![0]!;
        Assert.Equal("""{"key":"silence.duration","label":"無通信の上限時間","type":"duration","unit":"s","least":"00:10:00","most":"30.00:00:00","default":"06:00:00","value":"06:00:00","choices":[]}""",
            silence.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal(404, (await gateway.GetAsync("/api/v1/templates/nowhere")).Status);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_change_takes_effect_without_restart_is_counted_and_survives_one(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        var none = (await gateway.GetAsync(Path)).Body!;
        Assert.Equal(0, (int)none["revision"]!);
        Assert.Contains("GET /api/v1/templates", (string)none["next"]!, StringComparison.Ordinal);
        gateway.Feed.Append([Lab.Message(Lab.Start, size: 5000)]);
        await gateway.DoneAsync();

        Assert.Equal(1, (int)(await gateway.SendAsync(HttpMethod.Put, Path, new { templateId = "smart-home" })).Body!["revision"]!);
        gateway.Feed.Append([Lab.Message(Lab.Start, size: 5000)]);
        await gateway.DoneAsync();
        Assert.Empty((await gateway.GetAsync("/api/v1/fields/field/detections")).Body!["items"]!.AsArray());

        var (status, set) = await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"smart-home","parameters":{"size.bytes":4096,"malformed.window":"00:20:00"}}""");
        Assert.Equal((200, 2), (status, (int)set!["revision"]!));
        gateway.Feed.Append([Lab.Message(Lab.Start, size: 5000)]);
        await gateway.DoneAsync();
        var found = Assert.Single((await gateway.GetAsync("/api/v1/fields/field/detections")).Body!["items"]!.AsArray())!;
        Assert.Equal(("smart-home", "2"), ((string)found["templateId"]!, (string)found["evidence"]!["facts"]!["revision"]!));
        Assert.Contains(gateway.Audit.Actions, a => a is { Action: "template.set", Actor: "anna" });

        var plans = gateway.Services.GetRequiredService<FieldPlans>();
        await plans.LoadAsync(CancellationToken.None);
        Assert.Equal((2, 4096, 1200), (plans.Find("field")!.Revision, plans.Find("field")!.Values["size.bytes"].Number, plans.Find("field")!.Values["malformed.window"].Number));
        var bindings = gateway.Services.GetRequiredService<IResponseBindings>();
        Assert.Contains(bindings.For("field"), b => b is { Action: "mail", Risk: "*" });
        Assert.Empty(bindings.For(null));
        Assert.Empty(bindings.For("bare"));
    }

    [Fact]
    public async Task Wrong_values_are_refused_all_at_once_and_nothing_changes()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        var (status, body) = await gateway.SendAsync(HttpMethod.Put, Path, """
            {"templateId":"car-mobility","parameters":{"silence.duration":"00:00:01","size.bytes":"many","frequency-user.messages":1e3,"nothing.here":1,"silence.duration.x":{},"silence":null,"malformed.window":600}}
            """);
        Assert.Equal(422, status);
        Assert.Equal(7, body!["faults"]!.AsArray().Count);
        Assert.Contains(body["faults"]!.AsArray(), f => (string)f!["message"]! == "A duration from 00:10:00 to 30.00:00:00 is allowed, written [d.]hh:mm:ss.");
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Put, Path, """{"templateId":"nowhere"}""")).Status);
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Put, Path, "{}")).Status);
        Assert.Equal(0, (int)(await gateway.GetAsync(Path)).Body!["revision"]!);
    }

    [Fact]
    public async Task A_field_that_moves_to_another_zone_is_judged_by_it_from_then_on()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        await gateway.SendAsync(HttpMethod.Put, Path, new { templateId = "smart-home" });
        var plans = gateway.Services.GetRequiredService<FieldPlans>();
        var before = plans.Current();
        Assert.Same(before, plans.Current());
        gateway.Directory.SetField("field", "Europe/Berlin");
        Assert.NotSame(before, plans.Current());
        Assert.Equal("Europe/Berlin", plans.Current().For("field").ZoneId);
    }
}
