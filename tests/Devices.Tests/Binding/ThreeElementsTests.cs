using System.Text;
using Sekisho.Devices.Binding;

namespace Sekisho.Devices.Tests.Binding;

public sealed class ThreeElementsTests
{
    private const string Good = """{"commonAuthId":"c1","authSecret":"s\u00e9","uniqueId":"491"}""";

    [Fact]
    public void The_three_elements_are_read_in_any_order_and_with_escapes()
    {
        Assert.Equal(new ThreeElements("c1", "sé", "491"), Parse(Good));
        Assert.Equal(new ThreeElements("c", "s", "u"), Parse(""" { "unique\u0049d" : "u", "authSecret":"s" ,"commonAuthId":"c"} """));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s"}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":""}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":1}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":null}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":{"a":1}}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"u","uniqueId":"v"}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"u","unique\u0049d":"v"}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"u","more":"v"}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"u"} x""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"u",}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"\ud800"}""")]
    [InlineData("""{"commonAuthId":"c","authSecret":"s","uniqueId":"u" """)]
    public void Anything_else_is_refused(string text) => Assert.Null(Parse(text));

    [Fact]
    public void Values_that_are_too_long_or_no_UTF8_are_refused()
    {
        Assert.Null(Parse(Good.Replace("491", new string('4', 257), StringComparison.Ordinal)));
        var bytes = Encoding.UTF8.GetBytes(Good);
        bytes[^4] = 0xff;
        Assert.Null(ThreeElements.Parse(bytes));
    }

    [Fact]
    public void No_bytes_break_the_reader()
    {
        var random = new Random(4711);
        var good = Encoding.UTF8.GetBytes(Good);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = good.AsSpan(0, random.Next(good.Length + 1)).ToArray();
            for (var n = random.Next(4); n > 0 && bytes.Length > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var read = ThreeElements.Parse(bytes);
            Assert.True(read is null || (read.CommonAuthId.Length > 0 && read.AuthSecret.Length > 0 && read.UniqueId.Length > 0));
        }
    }

    private static ThreeElements? Parse(string text) => ThreeElements.Parse(Encoding.UTF8.GetBytes(text));
}
