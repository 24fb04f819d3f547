using System.Text;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Scripts;

public class ManifestReaderTests
{
    private const string Good = """
        [{"manifest":{"kind":"flow","title":{"ja":"試験","en":"Test"},"on":["message","tick"],"state":64,"every":120,
        "findings":{"hot":{"ja":"熱い{t}","en":"Hot {t}","risk":"takeover","threat":"destruction","level":"warning","unit":"s","raiseAfter":2,"clearAfter":3,"repeatAfter":60,"lastsFor":5,"quietAfter":30}}},"step":"function"}]
        """;

    [Fact]
    public void Everything_that_a_manifest_says_is_read()
    {
        var manifest = ManifestReader.Read(Encoding.UTF8.GetBytes(Good), out var faults)!;
        Assert.Empty(faults);
        Assert.Equal((ScriptKinds.Flow, 64, 120_000L), (manifest.Kind, manifest.StateBytes, manifest.Every));
        Assert.Equal([SignalKind.Message, SignalKind.Tick], manifest.On);
        var finding = Assert.Single(manifest.Findings);
        Assert.Equal(("hot", "熱い{t}", "s", 30_000L), (finding.Name, finding.Sentence.Ja, finding.Unit, finding.QuietAfter));
        Assert.Equal(new Judgement(2, 3, 60_000, 5000), finding.Judgement);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once_with_its_place()
    {
        var wrong = Good.Replace("\"flow\"", "\"flood\"", StringComparison.Ordinal).Replace("64", "1", StringComparison.Ordinal).Replace("takeover", "boredom", StringComparison.Ordinal)
            .Replace("\"tick\"", "\"tock\"", StringComparison.Ordinal).Replace("\"unit\"", "\"units\"", StringComparison.Ordinal).Replace("\"en\":\"Test\"", "\"en\":\"\"", StringComparison.Ordinal)
            .Replace("\"step\":\"function\"", "\"step\":1", StringComparison.Ordinal);
        Assert.Null(ManifestReader.Read(Encoding.UTF8.GetBytes(wrong), out var faults));
        Assert.Equal(
            ["/manifest/kind one-of", "/step no-function", "/manifest/on list-of", "/manifest/title/en text", "/manifest/state number", "/manifest/findings/hot/units unknown", "/manifest/findings/hot/risk one-of"],
            faults.Select(f => $"{f.Place} {f.Key}"));
    }

    [Theory]
    [InlineData("return {\n  manifest = {,\n}", 2, 15)]
    [InlineData("local x = 1\n  error('no')", 2, 3)]
    [InlineData("x = 1 )", 1, 7)]
    public void A_fault_of_the_text_has_line_and_column(string source, int line, int column)
    {
        Assert.Null(ScriptSource.Open(Encoding.UTF8.GetBytes(source), out _, out var faults));
        Assert.Equal($"/source line {line} column {column}", Assert.Single(faults).Place);
    }

    [Theory]
    [InlineData("while true do end")]
    [InlineData("local s = 'x' while true do s = s .. s end")]
    [InlineData("return 1")]
    [InlineData("return setmetatable({}, {})")]
    [InlineData("\u001bLua")]
    [InlineData("")]
    public void A_text_that_is_no_script_is_refused_within_the_budget_of_a_call(string source)
    {
        Assert.Null(ScriptSource.Open(Encoding.UTF8.GetBytes(source), out var manifest, out var faults));
        Assert.Null(manifest);
        Assert.NotEmpty(faults);
    }

    [Fact]
    public void Whatever_a_script_returns_is_a_manifest_or_has_faults()
    {
        var random = Fuzz.Source(7);
        string[] pieces = ["null", "1", "-1", "1e400", "\"\"", "\"message\"", "[]", "{}", "true", "[[[]]]", "{\"ja\":1}", "\"function\"", "99999999999999999999"];
        var tokens = System.Text.RegularExpressions.Regex.Split(Good.Replace("\n", "", StringComparison.Ordinal), "(?<=[,:{\\[])|(?=[,}\\]])");
        var rounds = Fuzz.Rounds(20_000);
        var (read, faulty) = (0, 0);
        for (var i = 0; i < rounds; i++)
        {
            var changed = (string[])tokens.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                changed[random.Next(changed.Length)] = random.Next(3) == 0 ? "" : pieces[random.Next(pieces.Length)];
            }

            var bytes = Encoding.UTF8.GetBytes(string.Concat(changed));
            try
            {
                using var valid = System.Text.Json.JsonDocument.Parse(bytes);
                if (valid.RootElement.ValueKind != System.Text.Json.JsonValueKind.Array)
                {
                    continue;
                }
            }
            catch (System.Text.Json.JsonException)
            {
                // The sandbox makes the JSON, so it is always well formed.
                continue;
            }

            var manifest = ManifestReader.Read(bytes, out var faults);
            Assert.Equal(manifest is null, faults.Count > 0);
            (read, faulty) = manifest is null ? (read, faulty + 1) : (read + 1, faulty);
        }

        Assert.True(read > 10 && faulty > 500, $"{read} read, {faulty} faulty");
    }
}
