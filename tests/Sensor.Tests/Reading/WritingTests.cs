using Sekisho.Sensor.Reading;

namespace Sekisho.Sensor.Tests.Reading;

public class WritingTests
{
    [Theory]
    [InlineData(0, "0 bit/s")]
    [InlineData(3.4, "3 bit/s")]
    [InlineData(999.4, "999 bit/s")]
    [InlineData(999.5, "1.00 kbit/s")]
    [InlineData(9_994, "9.99 kbit/s")]
    [InlineData(9_996, "10.0 kbit/s")]
    [InlineData(99_940, "99.9 kbit/s")]
    [InlineData(99_960, "100 kbit/s")]
    [InlineData(1_400_000, "1.40 Mbit/s")]
    [InlineData(2.5e9, "2.50 Gbit/s")]
    [InlineData(1e16, "10000 Tbit/s")]
    public void A_rate_has_three_digits_and_the_unit_that_fits(double rate, string expected) => Assert.Equal(expected, Writing.BitRate(rate));

    [Theory]
    [InlineData(0, "0 %")]
    [InlineData(0.00004, "0 %")]
    [InlineData(0.0123, "1.23 %")]
    [InlineData(0.0994, "9.94 %")]
    [InlineData(0.0996, "10 %")]
    [InlineData(1.5, "150 %")]
    public void A_share_has_as_many_digits_as_matter(double share, string expected) => Assert.Equal(expected, Writing.Percent(share));

    [Fact]
    public void Numbers_addresses_and_times_are_written_the_same_everywhere()
    {
        Assert.Equal("1,234,567", Writing.Number(1_234_567));
        Assert.Equal("12.3 kB", Writing.Bytes(12_345));
        Assert.Equal("00:80:92:0a:0b:0c", Writing.Mac(0x0080_920A_0B0C));
        Assert.Equal("–", Writing.Mac(0));
        Assert.Equal("2026-11-27T09:00:00Z", Writing.Time(new DateTimeOffset(2026, 11, 27, 9, 0, 0, 999, TimeSpan.Zero).ToUnixTimeMilliseconds()));
    }
}
