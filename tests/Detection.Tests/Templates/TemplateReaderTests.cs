using Sekisho.Api.Settings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Templates;

public class TemplateReaderTests
{
    internal static readonly string[] Shipped =
    [
        "agriculture", "building-control", "car-mobility", "cold-chain", "education", "factory-line", "general-purpose-board", "medical-device", "network-camera", "retail-terminal", "smart-home",
        "smart-meter", "smart-tv", "wearable",
    ];

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "templates");

    [Fact]
    public void All_faults_of_a_file_come_at_once_with_file_and_line()
    {
        var faults = Read("""
            id: Bad Id
            version: 0
            title: { ja: あ }
            description: { ja: あ, en: a, fr: b }
            colour: red
            conditions:
              - key: one
                kind: frequency
                scope: source
                risk: theft
                level: high
                label: { ja: あ, en: a }
                parameters: { messages: 0, window: 5, size: 3 }
              - key: two
                kind: weather
                scope: device
                risk: theft
                level: warning
                label: { ja: あ, en: a }
                schedule: { days: [mon, someday], from: 22, to: "24:00" }
              - key: four
                kind: size
                scope: device
                risk: theft
                level: warning
                label: { ja: あ, en: a }
                parameters: { bytes: 10 }
                schedule: { days: [], from: "22:00", to: "06:00" }
              - key: three
                kind: malformed
                scope: device
                mode: "on"
                risk: theft
                level: warning
                label: { ja: あ, en: a }
                raiseAfter: many
            responses:
              - { risk: fun, level: warning, action: mail, approval: maybe, condition: none }
            """);
        string[] expected =
        [
            "t.yaml:1: 'Bad Id'", "t.yaml:2: '0'", "t.yaml:3: 'en' is missing", "t.yaml:4: 'fr'", "t.yaml:5: 'colour'",
            "t.yaml:8: 'frequency' cannot watch 'source'", "t.yaml:11: 'high'", "t.yaml:13: '0' is not allowed for 'messages'", "t.yaml:13: '5' is not allowed for 'window'", "t.yaml:13: 'size'",
            "t.yaml:15: 'weather'", "t.yaml:20: 'someday'", "t.yaml:20: '22'", "t.yaml:20: '24:00'",
            "t.yaml:28: at least one day",
            "t.yaml:32: 'malformed' takes no mode", "t.yaml:36: 'many'", "t.yaml:29: the parameter 'refusals'", "t.yaml:29: the parameter 'window'",
            "t.yaml:38: 'fun'", "t.yaml:38: 'maybe'", "t.yaml:38: 'none'",
        ];
        Assert.All(expected, e => Assert.Contains(faults, f => f.StartsWith(e, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, faults.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("just a text")]
    [InlineData("a: [1, 2")]
    [InlineData("a: 1\n---\nb: 2")]
    [InlineData("a: 1\na: 2")]
    [InlineData("? [a]\n: b")]
    [InlineData("a: *nowhere")]
    public void What_is_no_template_is_refused(string text) => Assert.NotEmpty(Read(text));

    [Fact]
    public void Mutated_files_are_refused_or_read_but_never_crash()
    {
        var good = File.ReadAllText(Path.Combine(Folder, "car-mobility", "template.yaml"));
        var random = Fuzz.Source(11);
        const string Characters = "{}[]:-,'\"\n\t #&*!|>%@`\\0aあ\u0007";
        var rounds = Fuzz.Rounds(400);
        for (var i = 0; i < rounds; i++)
        {
            var text = new System.Text.StringBuilder(good[..random.Next(200, good.Length)]);
            for (var j = random.Next(1, 5); j > 0; j--)
            {
                text[random.Next(text.Length)] = Characters[random.Next(Characters.Length)];
            }

            Read(text.ToString());
        }
    }

    [Theory]
    [InlineData("[", 200_000, "deeper")]
    [InlineData("{a: ", 200_000, "deeper")]
    [InlineData("- ", 200_000, "")]
    [InlineData("? ", 200_000, "")]
    public void Depth_without_end_is_refused_and_does_not_end_the_program(string opening, int times, string what)
    {
        var faults = Read("id: " + (opening[0] is '[' or '{' ? "" : "\n") + string.Concat(Enumerable.Repeat(opening, times)));
        Assert.Contains(what, Assert.Single(faults), StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_that_would_multiply_are_refused()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n")) + "? *a12\n: y\n";
        Assert.Contains("t.yaml:2: ", Assert.Single(Read(bomb)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_shipped_templates_are_those_of_the_trial_and_eleven_more()
    {
        var catalog = TemplateCatalog.Load(Folder, new TemplateReader(DetectionFeature.Kinds));
        Assert.Equal(Shipped, catalog.All.Select(t => t.Id));
        Assert.Contains(catalog.Find("car-mobility")!.Responses, r => r.Action == "mail");
        Assert.All(catalog.All.Append(catalog.Gateway), t => Assert.All(t.Conditions, c => Assert.True(Levels.Rank(c.Level) > 0)));
    }

    [Fact]
    public void A_template_folder_that_is_missing_or_holds_faults_stops_the_start_and_names_them()
    {
        var reader = new TemplateReader(DetectionFeature.Kinds);
        Assert.Contains("Detection:Templates:Folder", Assert.Throws<SettingsException>(() => TemplateCatalog.Load("/nowhere", reader)).Message, StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("sekisho-templates-");
        Directory.CreateDirectory(Path.Combine(folder.FullName, "a"));
        File.WriteAllText(Path.Combine(folder.FullName, "a", "template.yaml"), "id: a");
        var e = Assert.Throws<SettingsException>(() => TemplateCatalog.Load(folder.FullName, reader));
        Assert.Contains("a/template.yaml:1: 'version' is missing", e.Message, StringComparison.Ordinal);

        // A link that leads nowhere stands for every file that cannot be read, which even root cannot.
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(Path.Combine(folder.FullName, "b")).FullName, "template.yaml"), "/nowhere/template.yaml");
        e = Assert.Throws<SettingsException>(() => TemplateCatalog.Load(folder.FullName, reader));
        folder.Delete(recursive: true);
        Assert.Contains("a/template.yaml:1: 'version' is missing", e.Message, StringComparison.Ordinal);
        Assert.Contains("b/template.yaml: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_text_exists_in_both_languages_with_the_same_placeholders_and_every_kind_has_its_texts()
    {
        var texts = new Texts([typeof(DetectionFeature).Assembly]);
        Assert.Equal(texts.Keys("en").Order(), texts.Keys("ja").Order());
        foreach (var key in texts.Keys("en"))
        {
            Assert.Equal(Placeholders(texts.Get(key, "en")), Placeholders(texts.Get(key, "ja")));
        }

        foreach (var kind in DetectionFeature.Kinds)
        {
            string[] needed = [$"condition.{kind.Name}", .. kind.Judges.Count + kind.Stages.Count == 0 ? [$"finding.{kind.Name}.sentence"] : Array.Empty<string>(), .. kind.Parameters.Select(p => $"condition.{kind.Name}.{p.Name}")];
            Assert.All(needed, k => Assert.Contains(k, texts.Keys("en")));
        }
    }

    private static IEnumerable<string> Placeholders(string text) =>
        System.Text.RegularExpressions.Regex.Matches(text, @"\{[a-zA-Z]+\}").Select(m => m.Value).Order(StringComparer.Ordinal);

    private static List<string> Read(string text)
    {
        var faults = new List<string>();
        var template = new TemplateReader(DetectionFeature.Kinds).Read("t.yaml", text, faults);
        Assert.Equal(template is null, faults.Count > 0);
        return faults;
    }
}
