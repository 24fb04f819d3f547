using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sekisho.Architecture.Tests;

/// <summary>Texts and migrations stand twice, and both copies must say the same.</summary>
public partial class DataTests
{
    [Fact]
    public void Every_text_exists_in_japanese_and_english_with_the_same_placeholders()
    {
        var faults = new List<string>();
        var seen = new Dictionary<string, string>();
        foreach (var english in Tree.Files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".en.json", StringComparison.Ordinal)))
        {
            var japanese = english[..^".en.json".Length] + ".ja.json";
            if (!Tree.Files.Contains(japanese))
            {
                faults.Add($"{japanese} is missing");
                continue;
            }

            var (en, ja) = (Texts(english), Texts(japanese));
            faults.AddRange(en.Keys.Except(ja.Keys).Select(k => $"{japanese} lacks {k}"));
            faults.AddRange(ja.Keys.Except(en.Keys).Select(k => $"{english} lacks {k}"));
            faults.AddRange(en.Keys.Intersect(ja.Keys).Where(k => !Places(en[k]).SequenceEqual(Places(ja[k]))).Select(k => $"{k} has other placeholders in {japanese}"));
            faults.AddRange(en.Concat(ja).Where(t => string.IsNullOrWhiteSpace(t.Value)).Select(t => $"{t.Key} is empty"));
            faults.AddRange(en.Keys.Where(k => !seen.TryAdd(k, english)).Select(k => $"{k} stands in {english} and {seen[k]}"));
        }

        faults.AddRange(Tree.Files.Where(f => f.EndsWith(".ja.json", StringComparison.Ordinal) && !Tree.Files.Contains(f[..^".ja.json".Length] + ".en.json")).Select(f => $"{f} has no English"));
        Assert.Empty(faults);
    }

    [Fact]
    public void Every_problem_has_title_and_detail()
    {
        var keys = Tree.Files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".en.json", StringComparison.Ordinal)).SelectMany(f => Texts(f).Keys).ToHashSet();
        var slugs = Tree.Sources("src").SelectMany(f => ProblemPattern().Matches(Tree.Text(f))).Select(m => m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value).ToArray();
        Assert.NotEmpty(slugs);
        Tree.None(slugs.SelectMany(s => (string[])[$"problem.{s}.title", $"problem.{s}.detail"]).Where(k => !keys.Contains(k)));
    }

    [Fact]
    public void Migrations_have_the_same_names_in_both_dialects_and_numbers_without_gaps()
    {
        var all = Tree.Files.Where(f => f.Contains("Migrations/", StringComparison.Ordinal) && f.EndsWith(".sql", StringComparison.Ordinal)).ToArray();
        Assert.Contains(all, f => f.Contains("/JournalMigrations/", StringComparison.Ordinal));
        Assert.Equal(
            all.Where(f => f.Contains("/sqlite/", StringComparison.Ordinal)).Select(f => f.Replace("/sqlite/", "/", StringComparison.Ordinal)).Order(),
            all.Where(f => f.Contains("/postgresql/", StringComparison.Ordinal)).Select(f => f.Replace("/postgresql/", "/", StringComparison.Ordinal)).Order());
        foreach (var folder in all.GroupBy(Path.GetDirectoryName))
        {
            var numbers = folder.Select(f => int.Parse(Path.GetFileName(f).Split('_')[0], System.Globalization.CultureInfo.InvariantCulture)).Order().ToArray();
            Assert.Equal(Enumerable.Range(1, numbers.Length), numbers);
        }
    }

    [Fact]
    public void Both_dialects_make_the_same_tables_with_the_same_columns()
    {
        foreach (var file in Tree.Files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.Contains("Migrations/sqlite/", StringComparison.Ordinal)))
        {
            Assert.Equal(Columns(Tree.Text(file)), Columns(Tree.Text(file.Replace("/sqlite/", "/postgresql/", StringComparison.Ordinal))));
        }
    }

    [Fact]
    public void Every_line_of_the_budgets_is_measured_by_one_test_and_every_measurement_has_a_line()
    {
        var lines = JsonSerializer.Deserialize<Dictionary<string, double>>(Tree.Text("bench/budgets.json"))!.Keys.Order();
        var measured = Tree.Sources("tests").SelectMany(f => BudgetPattern().Matches(Tree.Text(f))).Select(m => m.Groups[1].Value).Order();
        Assert.Equal(lines, measured);
    }

    private static IEnumerable<string> Columns(string sql) =>
        from table in TablePattern().Matches(sql)
        from line in table.Groups[2].Value.Split('\n')
        let column = ColumnPattern().Match(line)
        where column.Success && column.Groups[1].Value is not ("PRIMARY" or "UNIQUE" or "FOREIGN" or "CHECK" or "CONSTRAINT")
        select $"{table.Groups[1].Value}.{column.Groups[1].Value}";

    private static Dictionary<string, string> Texts(string file) => JsonSerializer.Deserialize<Dictionary<string, string>>(Tree.Text(file))!;

    private static IEnumerable<string> Places(string text) => PlacePattern().Matches(text).Select(m => m.Value).Distinct().Order();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex PlacePattern();

    [GeneratedRegex(@"ProblemType\s+\w+\s*=\s*new\(\s*""([a-z0-9-]+)""|new ProblemType\(\s*""([a-z0-9-]+)""")]
    private static partial Regex ProblemPattern();

    [GeneratedRegex(@"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*?)\n\)", RegexOptions.Singleline)]
    private static partial Regex TablePattern();

    [GeneratedRegex(@"Budget\.Measure\(""([a-z-]+)""")]
    private static partial Regex BudgetPattern();

    [GeneratedRegex(@"^\s+(\w+) ")]
    private static partial Regex ColumnPattern();
}
