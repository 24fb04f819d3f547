using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Api.Tests;

public class ProblemTests
{
    private static readonly Texts Texts = new([typeof(Correlation).Assembly]);

    [Theory]
    [InlineData("", "en")]
    [InlineData("ja", "ja")]
    [InlineData("ja-JP", "ja")]
    [InlineData("JA-jp,en;q=0.9", "ja")]
    [InlineData("en-US,en;q=0.9,ja;q=0.8", "en")]
    [InlineData("en;q=0.5,ja;q=0.9", "ja")]
    [InlineData("fr,de;q=0.9,ja;q=0.1", "ja")]
    [InlineData("fr", "en")]
    [InlineData("*", "en")]
    [InlineData("ja;q=0", "en")]
    [InlineData("ja;q=0, en;q=0.1", "en")]
    [InlineData("ja;q=x;;,,", "en")]
    public void The_language_is_the_best_weighted_one_that_we_speak(string header, string language)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.AcceptLanguage = header;
        Assert.Equal(language, RequestLanguage.Of(context));
    }

    [Theory]
    [InlineData("en", "Conflict")]
    [InlineData("ja", "競合しています")]
    public async Task A_document_has_type_title_status_detail_and_correlation_id_in_the_language(string language, string title)
    {
        var (context, body) = await WriteAsync(Problem.Of(CommonProblems.Conflict), language);
        Assert.Equal("application/problem+json", context.Response.ContentType);
        Assert.Equal(language, context.Response.Headers.ContentLanguage.ToString());
        var json = JsonNode.Parse(body)!;
        Assert.Equal(["type", "title", "status", "detail", "correlationId"], json.AsObject().Select(p => p.Key));
        Assert.Equal(("urn:sekisho:problem:conflict", title, 409), (json["type"]!.GetValue<string>(), json["title"]!.GetValue<string>(), json["status"]!.GetValue<int>()));
        Assert.Equal(Correlation.Of(context), json["correlationId"]!.GetValue<string>());
        Assert.Equal(Encoding.UTF8.GetByteCount(body), context.Response.ContentLength);
    }

    [Fact]
    public async Task All_faults_are_listed_with_their_places()
    {
        var (_, body) = await WriteAsync(Problem.Of(CommonProblems.Invalid, [new Fault("/name", "\"<b>\" 長い"), new Fault("row 3", "x")]), "en");
        var faults = JsonNode.Parse(body)!["faults"]!.AsArray();
        Assert.Equal(["/name", "row 3"], faults.Select(f => f!["place"]!.GetValue<string>()));
        Assert.Equal("\"<b>\" 長い", faults[0]!["message"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(0, "1")]
    [InlineData(1, "1")]
    [InlineData(1200, "2")]
    [InlineData(60_000, "60")]
    public async Task Retry_after_is_whole_seconds_and_never_too_short(int milliseconds, string header)
    {
        var (context, _) = await WriteAsync(Problem.Of(CommonProblems.TooMany).After(TimeSpan.FromMilliseconds(milliseconds)), "en");
        Assert.Equal(header, context.Response.Headers.RetryAfter.ToString());
    }

    [Fact]
    public async Task Retry_after_keeps_the_faults()
    {
        var (context, body) = await WriteAsync(Problem.Of(CommonProblems.TooMany, [new Fault("/a", "b")]).After(TimeSpan.FromSeconds(3)), "en");
        Assert.Equal("3", context.Response.Headers.RetryAfter.ToString());
        Assert.Single(JsonNode.Parse(body)!["faults"]!.AsArray());
    }

    [Fact]
    public async Task A_401_says_how_to_authenticate_and_others_do_not()
    {
        Assert.Equal("Bearer", (await WriteAsync(Problem.Of(CommonProblems.SignInNeeded), "en")).Context.Response.Headers.WWWAuthenticate.ToString());
        Assert.Empty((await WriteAsync(Problem.Of(CommonProblems.Forbidden), "en")).Context.Response.Headers.WWWAuthenticate.ToString());
    }

    [Fact]
    public async Task A_head_request_gets_the_headers_and_no_body()
    {
        await using var host = await ApiHost.StartAsync();
        var (status, _, _, response) = await host.SendAsync("HEAD", "/nothing");
        Assert.Equal(404, status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.True(response.Content.Headers.ContentLength > 50);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Over_the_wire_a_busy_answer_is_a_problem_with_retry_after()
    {
        await using var host = await ApiHost.StartAsync();
        var (status, problem, _, response) = await host.SendAsync("GET", "/busy");
        Assert.Equal((429, "too-many", TimeSpan.FromSeconds(2)), (status, problem, response.Headers.RetryAfter!.Delta!.Value));
    }

    [Fact]
    public void Every_common_problem_has_its_texts_in_both_languages()
    {
        var slugs = new[] { typeof(CommonProblems), typeof(DeviceProblems) }.SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.Static)).Select(f => ((ProblemType)f.GetValue(null)!).Slug).ToArray();
        Assert.Equal(slugs.Length, slugs.Distinct().Count());
        foreach (var language in Texts.Languages)
        {
            Assert.Equal(slugs.SelectMany(s => (string[])[$"problem.{s}.title", $"problem.{s}.detail"]).Order(), Texts.Keys(language).Order());
        }

        foreach (var key in Texts.Keys("ja"))
        {
            Assert.Equal(Places(Texts.Get(key, "ja")), Places(Texts.Get(key, "en")));
        }
    }

    private static IEnumerable<string> Places(string text) => Regex.Matches(text, @"\{\w+\}").Select(m => m.Value).Order();

    private static async Task<(HttpContext Context, string Body)> WriteAsync(Problem problem, string language)
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddSingleton(Texts).BuildServiceProvider() };
        context.Request.Headers.AcceptLanguage = language;
        using var body = new MemoryStream();
        context.Response.Body = body;
        await problem.ExecuteAsync(context);
        return (context, Encoding.UTF8.GetString(body.ToArray()));
    }
}
