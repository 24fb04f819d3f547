using Sekisho.Storage;

namespace Sekisho.Operations.Tests;

public class KeyTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_key_does_what_its_scopes_say_until_it_expires_or_is_revoked(Dialect dialect)
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var made = (await MakeAsync(host, maintainer, "scraper", ["maintainer"], [], ["operations:read"])).Expect(201);
        var key = made["key"]!.GetValue<string>();
        Assert.StartsWith("sk_", key, StringComparison.Ordinal);
        (await MakeAsync(host, maintainer, "Scraper", ["maintainer"], [], ["operations:read"])).ExpectProblem(409, "conflict");

        (await host.SendAsync("GET", "/ops/v1/stages", token: key)).Expect(200);
        (await host.SendAsync("POST", "/ops/v1/stages/detection/pause", token: key)).ExpectProblem(403, "scope-missing");
        (await host.SendAsync("GET", "/api/v1/session", token: key)).ExpectProblem(403, "scope-missing");
        (await host.SendAsync("POST", "/ops/v1/keys", token: key)).ExpectProblem(403, "scope-missing");
        (await host.SendAsync("GET", "/ops/v1/accounts", token: key)).ExpectProblem(403, "scope-missing");
        Assert.DoesNotContain(key, (await host.SendAsync("GET", "/ops/v1/keys", token: maintainer)).Text, StringComparison.Ordinal);

        await host.RestartAsync();
        (await host.SendAsync("GET", "/ops/v1/stages", token: key)).Expect(200);
        (await host.SendAsync("DELETE", "/ops/v1/keys/scraper", token: maintainer)).Expect(204);
        (await host.SendAsync("GET", "/ops/v1/stages", token: key)).ExpectProblem(401, "sign-in-needed");
        (await host.SendAsync("DELETE", "/ops/v1/keys/scraper", token: maintainer)).ExpectProblem(404, "not-found");

        var short_ = (await MakeAsync(host, maintainer, "short", ["maintainer"], [], ["operations:read"], host.Clock.GetUtcNow() + TimeSpan.FromMinutes(1))).Expect(201)["key"]!.GetValue<string>();
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        (await host.SendAsync("GET", "/ops/v1/stages", token: short_)).ExpectProblem(401, "sign-in-needed");
    }

    [Fact]
    public async Task A_key_never_holds_more_than_its_maker_holds_now()
    {
        var (host, first) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var maker = await host.AddAccountAsync(first, "taro", ["maintainer", "auditor"], ["cars"]);
        var more = await MakeAsync(host, maker, "greedy", ["administrator", "auditor"], ["cars", "homes"], ["history:read"]);
        more.ExpectProblem(422, "invalid");
        Assert.Equal(["/roles", "/fields"], more.Faults);
        (await MakeAsync(host, maker, "greedy", ["auditor"], ["*"], ["history:read"])).ExpectProblem(422, "invalid");

        var key = (await MakeAsync(host, maker, "reader", ["auditor"], ["cars"], ["history:read"])).Expect(201)["key"]!.GetValue<string>();
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: key)).Expect(200);

        object Now(string[] roles, string[] fields, bool disabled) => new { roles, fields, language = "en", disabled };
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", Now(["maintainer", "auditor"], ["homes"], disabled: false), first)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: key)).ExpectProblem(404, "not-found");
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", Now(["maintainer"], ["cars"], disabled: false), first)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: key)).ExpectProblem(403, "forbidden");
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", Now(["maintainer", "auditor"], ["*"], disabled: true), first)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: key)).ExpectProblem(401, "sign-in-needed");
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", Now(["maintainer", "auditor"], ["*"], disabled: false), first)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: key)).Expect(200);
        (await host.SendAsync("DELETE", "/ops/v1/accounts/taro", token: first)).Expect(204);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: key)).ExpectProblem(401, "sign-in-needed");
    }

    [Fact]
    public async Task Unknown_scopes_and_dates_out_of_range_are_named()
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var past = await MakeAsync(host, maintainer, "k1", ["administrator"], ["cars"], ["history:read", "universe:write"], host.Clock.GetUtcNow());
        Assert.Equal(["/scopes", "/expiresAt"], past.Faults);
        var far = await MakeAsync(host, maintainer, "k1", ["administrator"], ["cars"], [], host.Clock.GetUtcNow() + TimeSpan.FromDays(4000));
        Assert.Equal(["/scopes", "/expiresAt"], far.Faults);
    }

    [Fact]
    public async Task What_a_key_does_is_recorded_under_a_name_no_person_can_have()
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var key = (await MakeAsync(host, maintainer, "hanako", ["maintainer"], [], ["operations:write"])).Expect(201)["key"]!.GetValue<string>();
        (await host.SendAsync("POST", "/ops/v1/stages/detection/pause", token: key)).Expect(200);
        Assert.Contains(host.History.Records, r => r.Actor == "key:hanako" && r.What == "stage.pause");
    }

    private static Task<Answer> MakeAsync(OperationsHost host, string token, string name, string[] roles, string[] fields, string[] scopes, DateTimeOffset? expiresAt = null) =>
        host.SendAsync("POST", "/ops/v1/keys", new { name, roles, fields, scopes, expiresAt }, token);
}
