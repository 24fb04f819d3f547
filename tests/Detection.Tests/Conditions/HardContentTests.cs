namespace Sekisho.Detection.Tests.Conditions;

/// <summary>What a sender, or a year of honest operation, may put before the conditions on content.</summary>
public class HardContentTests
{
    [Fact]
    public void A_file_behind_many_harmless_ones_is_found()
    {
        var files = string.Join(",", Enumerable.Repeat("\"a.jpg\"", 200));
        Assert.Single(Content.Findings(Lab.Condition("file-type", "pointer: /f"), [Content.At(0, $$"""{"f":[{{files}},"b.exe"]}""")]));
    }

    [Fact]
    public void A_number_beside_levels_without_end_is_found()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 200)) + new string(']', 200);
        Assert.Single(Content.Findings(Lab.Condition("value", "pointer: /t, most: 1"), [Content.At(0, $$"""{"x":{{deep}},"t":5}""")]));
    }
}
