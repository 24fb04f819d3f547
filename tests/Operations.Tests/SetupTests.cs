using Sekisho.Storage;

namespace Sekisho.Operations.Tests;

public class SetupTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_code_of_the_first_start_makes_the_first_account_once(Dialect dialect)
    {
        await using var host = await OperationsHost.StartAsync(dialect);
        var code = host.Code!;
        Assert.Matches("^([2-9A-HJ-NP-Z]{5}-){3}[2-9A-HJ-NP-Z]{5}$", code);

        (await host.SendAsync("POST", "/api/v1/setup", new { code = code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), name = "hanako", password = OperationsHost.FirstPassword }, language: "ja")).Expect(201);
        Assert.Null(host.Code);
        (await host.SendAsync("POST", "/api/v1/setup", new { code, name = "mallory", password = OperationsHost.FirstPassword })).ExpectProblem(409, "setup-done");

        var me = (await host.SendAsync("GET", "/api/v1/session", token: await host.SignInAsync("Hanako", OperationsHost.FirstPassword))).Expect(200);
        Assert.Equal("""["maintainer","administrator"]""", me["roles"]!.ToJsonString());
        Assert.Equal("""["*"]""", me["fields"]!.ToJsonString());
        Assert.Equal("ja", me["language"]!.GetValue<string>());

        await host.RestartAsync();
        Assert.Null(host.Code);
        await host.SignInAsync("hanako", OperationsHost.FirstPassword);
    }

    [Fact]
    public async Task Each_start_without_an_account_makes_another_code_and_the_old_one_is_dead()
    {
        await using var host = await OperationsHost.StartAsync();
        var first = host.Code;
        await host.RestartAsync();
        Assert.NotEqual(first, host.Code);
        (await host.SendAsync("POST", "/api/v1/setup", new { code = first, name = "hanako", password = OperationsHost.FirstPassword })).ExpectProblem(403, "setup-code-wrong");
    }

    [Fact]
    public async Task The_code_runs_out_after_a_day()
    {
        await using var host = await OperationsHost.StartAsync();
        var code = host.Code;
        host.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Null(host.Code);
        (await host.SendAsync("POST", "/api/v1/setup", new { code, name = "hanako", password = OperationsHost.FirstPassword })).ExpectProblem(403, "setup-code-wrong");
    }

    [Fact]
    public async Task Guessing_the_code_is_slowed_down()
    {
        await using var host = await OperationsHost.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            (await host.SendAsync("POST", "/api/v1/setup", new { code = "AAAAA-AAAAA-AAAAA-AAAAA", name = "hanako", password = OperationsHost.FirstPassword })).ExpectProblem(403, "setup-code-wrong");
        }

        var slowed = await host.SendAsync("POST", "/api/v1/setup", new { code = host.Code, name = "hanako", password = OperationsHost.FirstPassword });
        slowed.ExpectProblem(429, "too-many");
        Assert.Equal(TimeSpan.FromSeconds(1), slowed.RetryAfter);
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        (await host.SendAsync("POST", "/api/v1/setup", new { code = host.Code, name = "hanako", password = OperationsHost.FirstPassword })).Expect(201);
    }

    [Fact]
    public async Task A_right_code_with_a_bad_name_and_password_names_both_faults_and_stays_good()
    {
        await using var host = await OperationsHost.StartAsync();
        var answer = await host.SendAsync("POST", "/api/v1/setup", new { code = host.Code, name = "gateway", password = "short" }, language: "ja");
        answer.ExpectProblem(422, "invalid");
        Assert.Equal(["/name", "/password"], answer.Faults);
        Assert.Contains("12～256文字", answer.Text, StringComparison.Ordinal);
        (await host.SendAsync("POST", "/api/v1/setup", new { code = host.Code, name = "hanako", password = OperationsHost.FirstPassword })).Expect(201);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Of_many_set_ups_at_once_one_wins(Dialect dialect)
    {
        await using var host = await OperationsHost.StartAsync(dialect);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(i =>
            host.SendAsync("POST", "/api/v1/setup", new { code = host.Code, name = $"person{i}", password = OperationsHost.FirstPassword })));
        Assert.Single(answers, a => a.Status == 201);
        Assert.All(answers.Where(a => a.Status != 201), a => a.ExpectProblem(409, "setup-done"));
    }
}
