using System.Diagnostics;
using System.Text.Json.Nodes;
using Sekisho.Gateway;
using Sekisho.Verification.Rows;
using Sekisho.Verification.Runs;

namespace Sekisho.EndToEnd.Tests;

/// <summary>The command verify, as a user runs it; and that what it shows could also fail.</summary>
public class VerifyTests
{
    /// <summary>What needs a day or more of virtual time is left to the command itself.</summary>
    private static readonly string[] Short = ["V01", "V02", "V03", "V05", "V06", "V07", "V08", "V09", "V10", "V11", "V12", "V13", "V14", "V15", "V18", "V23", "V24", "V25"];

    [Fact]
    public async Task Every_row_that_takes_no_days_is_as_expected_and_what_is_not_built_is_said_to_be_so()
    {
        var file = Path.Combine(Path.GetTempPath(), $"verify-{Guid.NewGuid():N}.json");
        try
        {
            var (code, output, error) = await RunAsync("--language", "ja", "--json", file, "--only", string.Join(',', Short) + ",V27,F5");
            Assert.True(code == 0, output + error);
            var rows = JsonNode.Parse(await File.ReadAllTextAsync(file))!["rows"]!.AsArray();
            Assert.Equal([.. Short, "F5", "V27"], rows.Select(r => (string)r!["id"]!).Distinct().OrderBy(i => i is "V27" or "F5").ThenBy(i => i, StringComparer.Ordinal));
            Assert.All(rows, r => Assert.Equal((string)r!["id"]! is "V27" or "F5" ? "not-built" : "pass", (string)r["result"]!));
            Assert.All(rows, r => Assert.NotEmpty((string)r!["evidence"]!));
            Assert.Contains("エンジン停止時の頻度超過", output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task With_the_conditions_only_tried_out_what_must_be_detected_is_not()
    {
        VirtualGateway? gateway = null;
        try
        {
            var results = await VerificationRun.PlayAsync(
                new VerificationOptions(["V12", "V13", "V14", "V15", "V18", "V23", "V24"], "en") { ConditionsActive = false },
                async (clock, settings) => (gateway = await VirtualGateway.StartAsync(clock, settings)).UnderTest,
                TimeProvider.System.GetUtcNow(),
                (_, _, _) => { },
                CancellationToken.None);
            Assert.Equal(3 + 2 + 3 + 3 + 3, results.Count);
            Assert.All(results, r => Assert.True(r.Result == Results.Fail, $"{r.Id} {r.Field}: {r.Evidence}"));
            Assert.All(results, r => Assert.All(r.Alerts, a => Assert.Equal("shadow", a.Effect)));
        }
        finally
        {
            if (gateway is not null)
            {
                await gateway.DisposeAsync();
            }
        }
    }

    [Theory]
    [InlineData("V99", "--only", "V99")]
    [InlineData("--langage", "--langage", "ja")]
    [InlineData("fr", "--language", "fr")]
    public async Task A_wrong_option_is_named_and_ends_with_2(string named, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(named, output + error, StringComparison.Ordinal);
    }

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(12);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var info = new ProcessStartInfo(Site.Command[0], [.. Site.Command.Skip(1), "verify", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Longest, TimeProvider.System);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output, await error);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
