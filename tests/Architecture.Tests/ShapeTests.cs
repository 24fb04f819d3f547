using System.Text.RegularExpressions;

namespace Sekisho.Architecture.Tests;

/// <summary>What a newcomer may rely on when looking for something.</summary>
public partial class ShapeTests
{
    private static readonly string[] EmptyWords = ["Core", "Common", "Helpers", "Managers", "Utils", "Services", "Abstractions"];

    [Fact]
    public void A_folder_is_a_namespace()
    {
        var faults = new List<string>();
        foreach (var file in Tree.Sources("src"))
        {
            // Program.cs is statements without a namespace.
            var declared = NamespacePattern().Match(Tree.Text(file)).Groups[1].Value;
            var expected = "Sekisho." + Path.GetDirectoryName(file)!["src/".Length..].Replace('/', '.');
            if (declared != expected && !(declared.Length == 0 && Path.GetFileName(file) == "Program.cs"))
            {
                faults.Add($"{file}: namespace {declared} instead of {expected}");
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public void No_folder_has_a_name_that_says_nothing() =>
        Tree.None(Tree.Files.Where(f => f.Split('/')[..^1].Intersect(EmptyWords, StringComparer.OrdinalIgnoreCase).Any()));

    [Fact]
    public void A_feature_has_one_way_in_and_one_way_to_map()
    {
        foreach (var file in Tree.Sources("src").Where(f => f.EndsWith("Feature.cs", StringComparison.Ordinal)))
        {
            var name = Path.GetFileName(file)[..^"Feature.cs".Length];
            Assert.Equal($"src/{name}/{name}Feature.cs", file);
            var text = Tree.Text(file);
            Assert.Contains($"public static IServiceCollection Add{name}(this IServiceCollection services)", text, StringComparison.Ordinal);
            Assert.Contains($"public static void Map{name}(this RouteGroups routes)", text, StringComparison.Ordinal);
            Assert.Equal(2, PublicMethodPattern().Count(text));
        }
    }

    [Fact]
    public void No_file_of_code_is_longer_than_five_hundred_lines() =>
        Tree.None(Tree.Files.Where(f => f.EndsWith(".cs", StringComparison.Ordinal) && Tree.Text(f).Count(c => c == '\n') > 500));

    [Fact]
    public void No_test_is_skipped()
    {
        var mark = new Regex(@"\bSkip(Unless|When)?\s*" + "=|Assert" + @"\.Skip");
        Tree.None(Tree.Sources("tests").Where(f => mark.IsMatch(Tree.Text(f))));
    }

    [Fact]
    public void Nothing_names_a_place_on_somebodys_machine()
    {
        // Spelt apart, so that this file does not name them either.
        var places = new[] { "home", "root", "work", "Users" }.Select(p => $"/{p}/").ToArray();
        var faults = from file in Tree.Files
                     where !Binary(file)
                     let text = Tree.Text(file)
                     from place in places
                     from at in Occurrences(text, place)
                     where at == 0 || !IsPathPart(text[at - 1])
                     select $"{file}: {text[at..Math.Min(text.Length, at + 40)].Split('\n')[0]}";
        Assert.Empty(faults);
    }

    [Fact]
    public void Folders_inside_a_stage_form_no_circle()
    {
        var faults = new List<string>();
        foreach (var project in Tree.Sources("src").Select(f => f.Split('/')[1]).Distinct())
        {
            var arrows = new Dictionary<string, HashSet<string>>();
            var prefix = $"Sekisho.{project}.";
            foreach (var file in Tree.Sources("src/" + project).Where(f => f.Split('/').Length > 3))
            {
                var from = file.Split('/')[2];
                var uses = UsingPattern().Matches(Tree.Text(file)).Select(m => m.Groups[1].Value).Where(u => u.StartsWith(prefix, StringComparison.Ordinal)).Select(u => u[prefix.Length..].Split('.')[0]);
                arrows.TryAdd(from, []);
                arrows[from].UnionWith(uses.Where(u => u != from));
            }

            // What nothing below it points to is taken away until nothing is left, or only circles are.
            while (arrows.FirstOrDefault(a => a.Value.All(v => !arrows.ContainsKey(v))).Key is { } leaf)
            {
                arrows.Remove(leaf);
            }

            if (arrows.Count > 0)
            {
                faults.Add($"src/{project}: {string.Join(", ", arrows.Select(a => $"{a.Key} → {string.Join(" ", a.Value.Where(arrows.ContainsKey))}"))}");
            }
        }

        Assert.Empty(faults);
    }

    private static IEnumerable<int> Occurrences(string text, string part)
    {
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + 1, StringComparison.Ordinal))
        {
            yield return at;
        }
    }

    private static bool IsPathPart(char c) => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '}' or ')' or '*' or '~';

    private static bool Binary(string file) => Path.GetExtension(file) is ".gz" or ".png" or ".jpg" or ".ico" or ".pcap" or ".woff2" or ".p12" or ".zip";

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespacePattern();

    [GeneratedRegex(@"^using (Sekisho\.[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex UsingPattern();

    [GeneratedRegex(@"^    public static .*\(", RegexOptions.Multiline)]
    private static partial Regex PublicMethodPattern();
}
