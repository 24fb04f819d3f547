using System.Text.RegularExpressions;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Tests;

public sealed class TextsTests
{
    [Fact]
    public void Every_text_stands_in_both_languages_with_the_same_placeholders()
    {
        var texts = new Texts([typeof(Problem).Assembly, typeof(DevicesFeature).Assembly]);
        Assert.Equal(texts.Keys("en").Order(), texts.Keys("ja").Order());
        foreach (var key in texts.Keys("en"))
        {
            Assert.Equal(Placeholders(texts.Get(key, "en")), Placeholders(texts.Get(key, "ja")));
        }
    }

    [Fact]
    public void Every_rule_that_code_names_has_a_sentence()
    {
        var texts = new Texts([typeof(DevicesFeature).Assembly]);
        foreach (var type in Domain.Devices.UniqueIdTypes.All)
        {
            Assert.Contains("devices.rule.unique-id-" + type, texts.Keys("ja"));
        }
    }

    private static IEnumerable<string> Placeholders(string text) => Regex.Matches(text, @"\{[a-z]+\}").Select(m => m.Value).Distinct().Order();
}
