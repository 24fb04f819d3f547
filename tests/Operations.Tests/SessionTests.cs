using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Storage;

namespace Sekisho.Operations.Tests;

public class SessionTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_session_lives_while_it_is_used_and_ends_when_idle_or_old(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        for (var i = 0; i < 23; i++)
        {
            host.Clock.Advance(TimeSpan.FromMinutes(29));
            (await host.SendAsync("GET", "/api/v1/session", token: token)).Expect(200);
        }

        await host.RestartAsync();
        (await host.SendAsync("GET", "/api/v1/session", token: token)).Expect(200);

        host.Clock.Advance(TimeSpan.FromHours(12) - (23 * TimeSpan.FromMinutes(29)));
        (await host.SendAsync("GET", "/api/v1/session", token: token)).ExpectProblem(401, "sign-in-needed");

        var idle = await host.SignInAsync(OperationsHost.FirstName, OperationsHost.FirstPassword);
        host.Clock.Advance(TimeSpan.FromMinutes(30));
        (await host.SendAsync("GET", "/api/v1/session", token: idle)).ExpectProblem(401, "sign-in-needed");
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Signing_out_holds_for_the_very_next_request_and_after_a_restart(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        (await host.SendAsync("DELETE", "/api/v1/session", token: token)).Expect(204);
        (await host.SendAsync("GET", "/api/v1/session", token: token)).ExpectProblem(401, "sign-in-needed");
        await host.RestartAsync();
        (await host.SendAsync("GET", "/api/v1/session", token: token)).ExpectProblem(401, "sign-in-needed");
    }

    [Fact]
    public async Task An_own_password_ends_the_other_sessions_and_keeps_this_one()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var other = await host.SignInAsync(OperationsHost.FirstName, OperationsHost.FirstPassword);
        (await host.SendAsync("PUT", "/api/v1/session/password", new { current = OperationsHost.FirstPassword, @new = "seven loud mountains" }, token)).Expect(204);
        (await host.SendAsync("GET", "/api/v1/session", token: other)).ExpectProblem(401, "sign-in-needed");
        await host.RestartAsync();
        (await host.SendAsync("GET", "/api/v1/session", token: token)).Expect(200);
        (await host.SendAsync("POST", "/api/v1/session", new { name = OperationsHost.FirstName, password = OperationsHost.FirstPassword })).ExpectProblem(401, "sign-in-failed");
    }

    [Fact]
    public async Task A_wrong_current_password_changes_nothing()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var answer = await host.SendAsync("PUT", "/api/v1/session/password", new { current = "something else entirely", @new = "seven loud mountains" }, token);
        answer.ExpectProblem(422, "invalid");
        Assert.Equal(["/current"], answer.Faults);
        await host.SignInAsync(OperationsHost.FirstName, OperationsHost.FirstPassword);
    }

    [Theory]
    [InlineData("short", "password-length")]
    [InlineData("hanakohanako1", "password-name")]
    [InlineData("Password1234", "password-common")]
    [InlineData("zzzzzzzzzzzzzz", "password-common")]
    public void A_guessable_password_is_refused(string password, string why) =>
        Assert.Equal("operations.fault." + why, Accounts.Passwords.Fault(password, "hanako"));

    [Theory]
    [InlineData("all lower case words")]
    [InlineData("ひらがなばかりのぱすわーど")]
    public void Length_is_enough_whatever_the_characters(string password) => Assert.Null(Accounts.Passwords.Fault(password, "hanako"));

    [Fact]
    public async Task Wrong_password_unknown_name_and_disabled_account_get_the_same_answer()
    {
        var (host, maintainer) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        await host.AddAccountAsync(maintainer, "taro", ["auditor"], ["cars"]);
        (await host.SendAsync("PUT", "/ops/v1/accounts/taro", new { roles = new[] { "auditor" }, fields = new[] { "cars" }, language = "en", disabled = true }, maintainer)).Expect(200);
        var answers = new[]
        {
            await host.SendAsync("POST", "/api/v1/session", new { name = "hanako", password = "wrong wrong wrong" }),
            await host.SendAsync("POST", "/api/v1/session", new { name = "nobody", password = "wrong wrong wrong" }),
            await host.SendAsync("POST", "/api/v1/session", new { name = "taro", password = OperationsHost.FirstPassword }),
            await host.SendAsync("POST", "/api/v1/session", "{}"),
        };
        foreach (var answer in answers)
        {
            answer.ExpectProblem(401, "sign-in-failed");
            answer.Body!.AsObject().Remove("correlationId");
            answers[0].Body!.AsObject().Remove("correlationId");
            Assert.Equal(answers[0].Body!.ToJsonString(), answer.Body.ToJsonString());
        }
    }

    [Fact]
    public async Task Guessing_is_slowed_down_more_and_more_and_never_locks_the_account()
    {
        var (host, _) = await OperationsHost.WithAccountAsync();
        await using var __ = host;
        var waits = new List<double>();
        for (var i = 0; i < 20 && waits.Count < 4; i++)
        {
            var answer = await host.SendAsync("POST", "/api/v1/session", new { name = "hanako", password = "wrong wrong wrong" });
            if (answer.Status == 429)
            {
                waits.Add(answer.RetryAfter!.Value.TotalSeconds);
                host.Clock.Advance(answer.RetryAfter.Value);
            }
        }

        Assert.Equal([1, 2, 4, 8], waits);
        await host.SignInAsync("hanako", OperationsHost.FirstPassword);
    }

    [Fact]
    public async Task A_token_that_is_no_token_is_nobody()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        foreach (var bad in (string[])["x", "se_", token[..^1], token + "A", token[..^1] + (token[^1] == 'A' ? 'Q' : 'A'), "sk_" + token[3..], token.ToUpperInvariant(), "' OR 1=1 --"])
        {
            (await host.SendAsync("GET", "/api/v1/session", token: bad)).ExpectProblem(401, "sign-in-needed");
        }
    }

    [Fact]
    public async Task No_file_of_the_store_holds_a_token_a_password_or_the_code()
    {
        await using var host = await OperationsHost.StartAsync();
        var code = host.Code!;
        (await host.SendAsync("POST", "/api/v1/setup", new { code, name = "hanako", password = OperationsHost.FirstPassword })).Expect(201);
        var token = await host.SignInAsync("hanako", OperationsHost.FirstPassword);
        var key = (await host.SendAsync("POST", "/ops/v1/keys", new { name = "scraper", roles = new[] { "maintainer" }, fields = Array.Empty<string>(), scopes = new[] { "operations:read" } }, token)).Expect(201)["key"]!.GetValue<string>();
        await host.SendAsync("POST", "/api/v1/session", new { name = "typed into the wrong box", password = "x" });

        foreach (var file in Directory.GetFiles(host.Store.Folder))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            foreach (var marker in (string[])[code, code.Replace("-", "", StringComparison.Ordinal), OperationsHost.FirstPassword, token, token[3..], key, key[3..], "wrong box"])
            {
                Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(marker)) < 0, $"{Path.GetFileName(file)} holds '{marker}'");
            }
        }
    }

    [Fact]
    public async Task One_account_holds_twenty_sessions_at_most_and_the_oldest_goes()
    {
        var (host, first) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var account = host.Services.GetRequiredService<Accounts.AccountBook>().ByName("hanako")!;
        var sessions = host.Services.GetRequiredService<SignIn.SessionBook>();
        for (var i = 0; i < 20; i++)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            await sessions.StartAsync(account);
        }

        Assert.Null(sessions.Use(first));
    }
}
