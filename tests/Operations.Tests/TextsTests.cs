using System.Text.RegularExpressions;
using Sekisho.Domain.Localization;

namespace Sekisho.Operations.Tests;

public class TextsTests
{
    [Fact]
    public void Every_text_exists_in_both_languages_with_the_same_placeholders()
    {
        var texts = new Texts([typeof(OperationsFeature).Assembly]);
        Assert.Equal(texts.Keys("ja").Order(), texts.Keys("en").Order());
        foreach (var key in texts.Keys("ja"))
        {
            Assert.Equal(Places(texts.Get(key, "ja")), Places(texts.Get(key, "en")));
        }
    }

    private static IEnumerable<string> Places(string text) => Regex.Matches(text, @"\{\w+\}").Select(m => m.Value).Order();
}
