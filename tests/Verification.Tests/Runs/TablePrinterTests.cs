using System.Text.Json.Nodes;
using Sekisho.Verification.Rows;
using Sekisho.Verification.Runs;

namespace Sekisho.Verification.Tests.Runs;

public class TablePrinterTests
{
    private static readonly RowResult[] Some =
    [
        new("V12", "car-mobility", Cases.Row, Results.Pass, "too often", [new Alert("frequency", "frequency-engine-off", null, "takeover", "important", "act", "d1", DateTimeOffset.UnixEpoch, "too often", null)]),
        new("V22", "smart-home", Cases.Row, Results.Fail, "nothing found", []),
        new("V22", "education", Cases.Row, Results.Pass, "foreign", []),
        new("V26", "car-mobility", Cases.Row, Results.NotBuilt, "not built yet", []),
        new("F1", "car-mobility", Cases.Benign, Results.Pass, "no alarm", []),
        new("F1", "car-mobility", Cases.Attack, Results.Fail, "not found", []) { Number = 2 },
    ];

    [Fact]
    public void Each_field_has_its_mark_and_what_was_no_part_of_the_trial_has_a_dash()
    {
        var lines = new TablePrinter("en").Print(Table.Published, Some).Split('\n');
        Assert.Equal(["○", "–", "–"], Marks(lines, "V12"));
        Assert.Equal(["–", "×", "○"], Marks(lines, "V22"));
        Assert.Equal(["…", "–", "–"], Marks(lines, "V26"));
        Assert.Contains(lines, l => l.StartsWith("Benign  40 minutes without coverage", StringComparison.Ordinal) && l.Contains('○', StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("Attack  60 readings after a gap", StringComparison.Ordinal) && l.Contains('×', StringComparison.Ordinal));
        Assert.Contains("× V22 Smart home: nothing found", lines);
        Assert.Contains("× F1 Attack 2 Car mobility: not found", lines);
        Assert.Equal("3 as expected, 2 not as expected, 1 not built yet", lines[^1]);
        Assert.DoesNotContain(lines, l => l.StartsWith("V01", StringComparison.Ordinal));
    }

    [Fact]
    public void The_table_is_in_japanese_when_asked_for()
    {
        var text = new TablePrinter("ja").Print(Table.Published, Some);
        Assert.Contains("エンジン停止時の頻度超過", text, StringComparison.Ordinal);
        Assert.Contains("カーモビリティ", text, StringComparison.Ordinal);
        Assert.Contains("期待どおり3、期待と異なる2、未実装1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("verify.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_stand_under_each_other_whatever_the_width_of_the_name()
    {
        var lines = new TablePrinter("ja").Print(Table.Published, [.. Some[..1], new RowResult("V01", "car-mobility", Cases.Row, Results.Pass, "", [])]).Split('\n');
        static int Column(string line) => line[..line.IndexOf('○', StringComparison.Ordinal)].Sum(c => c > '\u2E80' ? 2 : 1);
        Assert.Single(lines.Where(l => l.StartsWith('V') && l.Contains('○', StringComparison.Ordinal)).Select(Column).Distinct());
    }

    [Fact]
    public void The_json_has_the_promised_properties()
    {
        var rows = JsonNode.Parse(TablePrinter.ToJson(Some))!["rows"]!.AsArray();
        Assert.Equal(Some.Length, rows.Count);
        Assert.Equal(["id", "field", "case", "result", "evidence", "alerts"], rows[0]!.AsObject().Select(p => p.Key));
        Assert.Equal(("V12", "pass", "row"), ((string)rows[0]!["id"]!, (string)rows[0]!["result"]!, (string)rows[0]!["case"]!));
        Assert.Equal("frequency", (string)rows[0]!["alerts"]![0]!["condition"]!);
    }

    [Fact]
    public void Progress_says_how_far_it_is()
    {
        Assert.Equal("[3/9] ○ V12 Car mobility", new TablePrinter("en").Progress(Some[0], 3, 9));
        Assert.Equal("[4/9] × F1 攻撃 2 カーモビリティ: not found", new TablePrinter("ja").Progress(Some[5], 4, 9));
    }

    [Fact]
    public void A_name_that_is_neither_row_nor_cause_is_noticed() => Assert.Equal(["V99", "F9"], new VerificationOptions(["V12", "V99", "F1", "F9"], "en").Unknown);

    private static string[] Marks(string[] lines, string id) => lines.Single(l => l.StartsWith(id, StringComparison.Ordinal))[70..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
