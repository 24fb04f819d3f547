using Sekisho.Devices.Credentials;
using Sekisho.Devices.Fields;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tests.Support;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests.Fields;

public sealed class FieldTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Maintainers_make_and_delete_fields_and_administrators_change_their_own(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var made = (await host.PostAsync("/ops/v1/fields", new { fieldId = "cars", name = "車", kind = "car-mobility" })).Expect(201);
        Assert.Equal(("Asia/Tokyo", "ja"), ((string)made["timeZone"]!, (string)made["language"]!));
        Assert.Equal("field-exists", (await host.PostAsync("/ops/v1/fields", new { fieldId = "cars", name = "x", kind = "y" })).Expect(409).Problem);
        var change = new { name = "Cars", timeZone = "Europe/Berlin", contactPoint = "soc@example.com", language = "en" };
        (await host.SendAsync(HttpMethod.Put, "/api/v1/fields/cars", change, "administrator", "cars")).Expect(200);
        (await host.SendAsync(HttpMethod.Put, "/api/v1/fields/cars", change, "auditor", "cars")).Expect(403);
        (await host.SendAsync(HttpMethod.Put, "/api/v1/fields/cars", change, "administrator", "home")).Expect(404);
        (await host.SendAsync(HttpMethod.Post, "/ops/v1/fields", new { fieldId = "x1", name = "x", kind = "y" }, "administrator")).Expect(403);
        await host.RestartAsync();
        var field = host.Get<IDeviceDirectory>().Field("cars")!;
        Assert.Equal(("Cars", "Europe/Berlin", "soc@example.com", "en", "car-mobility"), (field.Name, field.TimeZone, field.ContactPoint, field.Language, field.Kind));
        var seen = (await host.SendAsync(HttpMethod.Get, "/api/v1/fields", null, "auditor", "cars")).Expect(200);
        Assert.Equal(["cars"], seen["items"].AsArray().Select(f => (string)f!["fieldId"]!));
        (await host.SendAsync(HttpMethod.Get, "/api/v1/fields", null, "")).Expect(401);
        (await host.SendAsync(HttpMethod.Delete, "/ops/v1/fields/cars")).Expect(204);
        (await host.GetAsync("/api/v1/fields/cars")).Expect(404);
        await host.RegisterAsync();
        Assert.Equal("field-not-empty", (await host.SendAsync(HttpMethod.Delete, "/ops/v1/fields/home")).Expect(409).Problem);
        Assert.Equal(["home"], (await host.GetAsync("/ops/v1/fields")).Expect(200)["items"].AsArray().Select(f => (string)f!["fieldId"]!));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_comes_for_a_field_at_the_moment_it_is_deleted_is_refused_and_its_identifier_is_never_given_again(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        var field = host.Get<FieldStore>().Find("home")!;
        (await host.SendAsync(HttpMethod.Delete, "/ops/v1/fields/home")).Expect(204);

        // What a request does that found the field before.
        var caller = new Caller("hanako", "c");
        var device = new NewDevice("d000000000000001", UniqueIdTypes.Serial, "S1", new DeviceTraits("", "sensor", Cadences.Irregular, null, null, null), null, null);
        var (done, refused) = await host.Get<Registrar>().RegisterAsync("home", [device], caller, default);
        Assert.Empty(done);
        Assert.Equal(404, Assert.Single(refused).Taken!.Status);
        Assert.Null(await host.Get<ProductLines>().CreateAsync("home", "line", caller, default));
        Assert.False(await host.Get<FieldStore>().ChangeAsync(field, caller, default));
        Assert.DoesNotContain(host.History.All, h => h.What is "field-changed" or "product-line-created");

        Assert.Equal("field-exists", (await host.PostAsync("/ops/v1/fields", new { fieldId = "home", name = "x", kind = "y" })).Expect(409).Problem);
        await host.RestartAsync();
        (await host.PostAsync("/ops/v1/fields", new { fieldId = "home", name = "x", kind = "y" })).Expect(409);
    }

    [Fact]
    public async Task All_faults_of_a_field_are_named_at_once_in_the_language_of_the_request()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        var bad = new { fieldId = "-X", name = "", kind = "A B", timeZone = "Tokyo Standard Time", contactPoint = "a\nb", language = "fr" };
        var answer = (await host.SendAsync(HttpMethod.Post, "/ops/v1/fields", bad, language: "ja")).Expect(422);
        Assert.Equal(["/fieldId", "/name", "/timeZone", "/contactPoint", "/language", "/kind"], answer["faults"].AsArray().Select(f => (string)f!["place"]!));
        Assert.Contains("IANA", answer.Text, StringComparison.Ordinal);
        Assert.Contains("してください", answer.Text, StringComparison.Ordinal);
        foreach (var zone in (string[])["../../etc/passwd", "Mars/Olympus", "", "Asia/Tokyo\0"])
        {
            (await host.PostAsync("/ops/v1/fields", new { fieldId = "ok", name = "x", kind = "y", timeZone = zone })).Expect(422);
        }
    }
}
