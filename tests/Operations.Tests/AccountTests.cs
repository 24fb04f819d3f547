using Sekisho.Storage;

namespace Sekisho.Operations.Tests;

public class AccountTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_new_account_must_set_its_own_password_before_anything_else(Dialect dialect)
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var made = (await host.SendAsync("POST", "/ops/v1/accounts", new { name = "taro", roles = new[] { "maintainer", "auditor" }, fields = new[] { "cars" }, language = "ja" }, maintainer)).Expect(201);
        var oneTime = made["password"]!.GetValue<string>();
        var signIn = (await host.SendAsync("POST", "/api/v1/session", new { name = "taro", password = oneTime })).Expect(200);
        Assert.True(signIn["mustSetPassword"]!.GetValue<bool>());
        var token = signIn["token"]!.GetValue<string>();

        (await host.SendAsync("GET", "/ops/v1/accounts", token: token)).ExpectProblem(403, "password-unset");
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: token)).ExpectProblem(403, "password-unset");
        Assert.Null((await host.SendAsync("GET", "/health/ready", token: token)).Expect(200)["stages"]);
        (await host.SendAsync("GET", "/api/v1/session", token: token)).Expect(200);
        (await host.SendAsync("PUT", "/api/v1/session/password", new { current = oneTime, @new = oneTime }, token)).ExpectProblem(422, "invalid");
        (await host.SendAsync("PUT", "/api/v1/session/password", new { current = oneTime, @new = "nine green bottles" }, token)).Expect(204);
        (await host.SendAsync("GET", "/ops/v1/accounts", token: token)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: token)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/homes/audit", token: token)).ExpectProblem(404, "not-found");
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_an_account_loses_it_loses_with_the_very_next_request(Dialect dialect)
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var token = await host.AddAccountAsync(maintainer, "taro", ["auditor"], ["cars", "homes"]);
        (await host.SendAsync("GET", "/api/v1/fields/homes/audit", token: token)).Expect(200);

        (await ChangeAsync(host, maintainer, ["auditor"], ["cars"], disabled: false)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/homes/audit", token: token)).ExpectProblem(404, "not-found");
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: token)).Expect(200);

        (await ChangeAsync(host, maintainer, ["auditor"], ["cars"], disabled: true)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: token)).ExpectProblem(401, "sign-in-needed");
        (await ChangeAsync(host, maintainer, ["auditor"], ["cars"], disabled: false)).Expect(200);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: token)).ExpectProblem(401, "sign-in-needed");

        var again = await host.SignInAsync("taro", OperationsHost.FirstPassword);
        var reset = (await host.SendAsync("POST", "/ops/v1/accounts/taro/password", token: maintainer)).Expect(200)["password"]!.GetValue<string>();
        (await host.SendAsync("GET", "/api/v1/session", token: again)).ExpectProblem(401, "sign-in-needed");
        (await host.SendAsync("POST", "/api/v1/session", new { name = "taro", password = OperationsHost.FirstPassword })).ExpectProblem(401, "sign-in-failed");
        var fresh = await host.SignInAsync("taro", reset);

        (await host.SendAsync("DELETE", "/ops/v1/accounts/taro", token: maintainer)).Expect(204);
        (await host.SendAsync("GET", "/api/v1/session", token: fresh)).ExpectProblem(401, "sign-in-needed");
        (await host.SendAsync("DELETE", "/ops/v1/accounts/taro", token: maintainer)).ExpectProblem(404, "not-found");
        await host.RestartAsync();
        (await host.SendAsync("GET", "/api/v1/session", token: fresh)).ExpectProblem(401, "sign-in-needed");
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_last_enabled_maintainer_stays(Dialect dialect)
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        object Without(string[] roles, bool disabled) => new { roles, fields = new[] { "*" }, language = "en", disabled };
        (await host.SendAsync("DELETE", "/ops/v1/accounts/hanako", token: maintainer)).ExpectProblem(409, "last-maintainer");
        (await host.SendAsync("PUT", "/ops/v1/accounts/hanako", Without(["administrator"], disabled: false), maintainer)).ExpectProblem(409, "last-maintainer");
        (await host.SendAsync("PUT", "/ops/v1/accounts/hanako", Without(["maintainer"], disabled: true), maintainer)).ExpectProblem(409, "last-maintainer");

        var second = await host.AddAccountAsync(maintainer, "taro", ["maintainer"], []);
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", new { roles = new[] { "maintainer" }, fields = Array.Empty<string>(), language = "en", disabled = true }, maintainer)).Expect(200);
        (await host.SendAsync("DELETE", "/ops/v1/accounts/hanako", token: maintainer)).ExpectProblem(409, "last-maintainer");
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", new { roles = new[] { "maintainer" }, fields = Array.Empty<string>(), language = "en", disabled = false }, maintainer)).Expect(200);

        second = await host.SignInAsync("taro", OperationsHost.FirstPassword);
        var both = await Task.WhenAll(
            host.SendAsync("DELETE", "/ops/v1/accounts/taro", token: maintainer),
            host.SendAsync("DELETE", "/ops/v1/accounts/hanako", token: second));
        Assert.InRange(both.Count(a => a.Status == 204), 1, 1);
    }

    [Fact]
    public async Task All_faults_of_a_new_account_are_told_at_once()
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var answer = await host.SendAsync("POST", "/ops/v1/accounts", new { name = "日本", roles = new[] { "king" }, fields = new[] { "cars", "nowhere", null }, language = "fr" }, maintainer);
        answer.ExpectProblem(422, "invalid");
        Assert.Equal(["/name", "/roles", "/fields/1", "/fields/2", "/language"], answer.Faults);
        var empty = await host.SendAsync("POST", "/ops/v1/accounts", "{}", maintainer);
        Assert.Equal(["/name", "/roles", "/fields"], empty.Faults); // without a language it is Japanese
        (await host.SendAsync("POST", "/ops/v1/accounts", new { name = "HANAKO", roles = new[] { "maintainer" }, fields = Array.Empty<string>(), language = "en" }, maintainer)).ExpectProblem(409, "conflict");
    }

    [Fact]
    public async Task Only_maintainers_manage_accounts_and_keys()
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var administrator = await host.AddAccountAsync(maintainer, "taro", ["administrator", "responder", "auditor"], ["*"]);
        foreach (var (method, path) in ((string, string)[])
            [
                ("GET", "/ops/v1/accounts"), ("POST", "/ops/v1/accounts"), ("PUT", "/ops/v1/accounts/hanako"), ("POST", "/ops/v1/accounts/hanako/password"),
                ("DELETE", "/ops/v1/accounts/hanako"), ("GET", "/ops/v1/keys"), ("POST", "/ops/v1/keys"), ("DELETE", "/ops/v1/keys/x"), ("GET", "/ops/v1/audit"),
                ("GET", "/ops/v1/audit/verification"), ("GET", "/ops/v1/stages"), ("POST", "/ops/v1/stages/detection/pause"), ("POST", "/ops/v1/stages/detection/resume"),
                ("GET", "/ops/v1/settings"), ("GET", "/metrics"),
            ])
        {
            (await host.SendAsync(method, path, token: administrator)).ExpectProblem(403, "forbidden");
            (await host.SendAsync(method, path)).ExpectProblem(401, "sign-in-needed");
        }
    }

    [Fact]
    public async Task A_maintainer_without_fields_sees_no_data_of_any()
    {
        var (host, first) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var maintainer = await host.AddAccountAsync(first, "jiro", ["maintainer"], []);
        (await host.SendAsync("GET", "/api/v1/fields/cars/audit", token: maintainer)).ExpectProblem(403, "forbidden");
    }

    private static Task<Answer> ChangeAsync(OperationsHost host, string token, string[] roles, string[] fields, bool disabled) =>
        host.SendAsync("PUT", "/ops/v1/accounts/taro", new { roles, fields, language = "en", disabled }, token);
}
