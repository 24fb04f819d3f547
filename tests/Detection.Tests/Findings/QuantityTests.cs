using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Tests.Findings;

public class QuantityTests
{
    private static readonly Texts Texts = new([typeof(DetectionFeature).Assembly]);

    [Theory]
    [InlineData(90, "s", "00:01:30", "00:01:30")]
    [InlineData(0.427, "s", "0.427 s", "0.427 s")]
    [InlineData(1e13, "s", "10000000000000 s", "10000000000000 s")]
    [InlineData(-1e300, "s", "-1E+300 s", "-1E+300 s")]
    [InlineData(double.MaxValue, "", "1.798E+308", "1.798E+308")]
    [InlineData(1385, "minutes", "23:05", "23:05")]
    [InlineData(1500, "minutes", "1500 minutes", "1500 minutes")]
    [InlineData(61, "seconds-per-day", "1日あたり61秒", "61 seconds a day")]
    [InlineData(0.2, "per-month", "1か月あたり0.2件", "0.2 a month")]
    [InlineData(3, "count", "3件", "3")]
    [InlineData(36.5, "°C", "36.5 °C", "36.5 °C")]
    public void A_number_is_written_with_its_unit_whatever_it_is(double value, string unit, string japanese, string english)
    {
        Assert.Equal(japanese, FindingTexts.Quantity(Texts, value, unit, "ja"));
        Assert.Equal(english, FindingTexts.Quantity(Texts, value, unit, "en"));
    }
}
