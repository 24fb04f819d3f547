using System.Text.RegularExpressions;
using Sekisho.Domain.Localization;

namespace Sekisho.History.Tests;

public partial class TextTests
{
    [Fact]
    public void Every_text_exists_in_both_languages_with_the_same_placeholders()
    {
        var texts = new Texts([typeof(HistoryFeature).Assembly]);
        Assert.Equal(texts.Keys("en").Order(), texts.Keys("ja").Order());
        Assert.NotEmpty(texts.Keys("en"));
        Assert.All(texts.Keys("en"), k => Assert.Equal(Names(texts.Get(k, "en")), Names(texts.Get(k, "ja"))));
    }

    private static IEnumerable<string> Names(string text) => Placeholder().Matches(text).Select(m => m.Value).Order();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Placeholder();
}
