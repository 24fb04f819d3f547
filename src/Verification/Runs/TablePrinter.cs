using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sekisho.Domain.Localization;
using Sekisho.Verification.Rows;

namespace Sekisho.Verification.Runs;

/// <summary>Writes results as the trial published them, and as JSON.</summary>
/// <param name="texts">Texts for people.</param>
/// <param name="language">"ja" or "en".</param>
public sealed class TablePrinter(Texts texts, string language)
{
    private const int IdWidth = 8;
    private const int NameWidth = 62;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A printer with the texts of this library.</summary>
    public TablePrinter(string language)
        : this(new Texts([typeof(TablePrinter).Assembly]), language)
    {
    }

    /// <summary>{"rows":[…]}</summary>
    public static string ToJson(IReadOnlyList<RowResult> results) => JsonSerializer.Serialize(new { rows = results }, Json);

    /// <summary>One line about a result that has just come.</summary>
    public string Progress(RowResult result, int done, int all)
    {
        ArgumentNullException.ThrowIfNull(result);
        var line = $"[{done}/{all}] {Mark(result.Result)} {result.Id}{Which(result)} {texts.Get("verify.field." + result.Field, language)}";
        return result.Result == Results.Fail ? $"{line}: {result.Evidence}" : line;
    }

    /// <summary>The table: a mark per field, then the evidence behind each.</summary>
    public string Print(Table table, IReadOnlyList<RowResult> results)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(results);
        var text = new StringBuilder();
        text.AppendLine(Pad(texts.Get("verify.head.row", language), NameWidth + IdWidth) + string.Join("  ", Table.Fields.Select(f => texts.Get("verify.field." + f, language))));
        var group = "";
        foreach (var row in table.Rows)
        {
            var mine = results.Where(r => r.Id == row.Id).ToList();
            if (mine.Count > 0)
            {
                if (group != row.Class.In(language))
                {
                    text.AppendLine("— " + (group = row.Class.In(language)));
                }

                Line(text, row.Id, row.Name.In(language), mine);
            }
        }

        foreach (var cause in table.Causes.Where(c => results.Any(r => r.Id == c.Id)))
        {
            text.Append("— ").Append(cause.Id).Append(' ').Append(cause.Name.In(language)).Append(" (").AppendJoin(", ", cause.Rows).AppendLine(")");
            foreach (var (kind, plays) in ((string, IReadOnlyList<BothLanguages>)[])[(Cases.Benign, cause.Benign), (Cases.Attack, cause.Attack)])
            {
                foreach (var (index, name) in plays.Index())
                {
                    Line(text, texts.Get("verify.case." + kind, language), name.In(language), [.. results.Where(r => r.Id == cause.Id && r.Case == kind && r.Number == index + 1)]);
                }
            }
        }

        text.AppendLine().AppendLine(texts.Get("verify.head.evidence", language));
        foreach (var result in results.Where(r => r.Result != Results.NotBuilt))
        {
            text.Append(Mark(result.Result)).Append(' ').Append(result.Id).Append(Which(result)).Append(' ').Append(texts.Get("verify.field." + result.Field, language)).Append(": ").AppendLine(result.Evidence);
        }

        return text.AppendLine().Append(texts.Get("verify.legend", language)).AppendLine().Append(Sum(results)).ToString();
    }

    private string Sum(IReadOnlyList<RowResult> results) => texts.Get(
        "verify.sum", language, ("pass", Count(results, Results.Pass)), ("fail", Count(results, Results.Fail)), ("notBuilt", Count(results, Results.NotBuilt)));

    private static string Count(IReadOnlyList<RowResult> results, string result) => results.Count(r => r.Result == result).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private void Line(StringBuilder text, string id, string name, IReadOnlyList<RowResult> results)
    {
        text.Append(Pad(id, IdWidth)).Append(Pad(Cut(name, NameWidth - 1), NameWidth));
        foreach (var field in Table.Fields)
        {
            var width = Width(texts.Get("verify.field." + field, language)) + 2;
            text.Append(Pad(results.FirstOrDefault(r => r.Field == field) is { } result ? Mark(result.Result) : "–", width));
        }

        while (text[^1] == ' ')
        {
            text.Length--;
        }

        text.AppendLine();
    }

    private string Which(RowResult result) => result.Case == Cases.Row ? "" : $" {texts.Get("verify.case." + result.Case, language)} {result.Number}";

    private string Mark(string result) => result switch { Results.Pass => "○", Results.Fail => "×", _ => texts.Get("verify.mark.not-built", language) };

    private static string Pad(string text, int width) => text + new string(' ', Math.Max(0, width - Width(text)));

    private static string Cut(string text, int width)
    {
        if (Width(text) <= width)
        {
            return text;
        }

        var end = 0;
        for (var used = 0; used + Width(text[end..(end + 1)]) < width; end++)
        {
            used += Width(text[end..(end + 1)]);
        }

        return text[..end] + "…";
    }

    // Japanese characters and the marks take two columns of a terminal.
    private static int Width(string text) => text.Sum(c => c is >= '\u1100' and <= '\u115F' or >= '\u2E80' and <= '\uA4CF' or >= '\uAC00' and <= '\uD7A3' or >= '\uF900' and <= '\uFAFF' or >= '\uFF00' and <= '\uFF60' ? 2 : 1);
}
