using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Conditions;

public class JsonPointerReaderTests
{
    // From RFC 6901, section 5.
    private const string Example = """{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}""";

    [Theory]
    [InlineData("", Example)]
    [InlineData("/foo", """["bar","baz"]""")]
    [InlineData("/foo/0", "\"bar\"")]
    [InlineData("/", "0")]
    [InlineData("/a~1b", "1")]
    [InlineData("/c%d", "2")]
    [InlineData("/i\\j", "5")]
    [InlineData("/k\"l", "6")]
    [InlineData("/ ", "7")]
    [InlineData("/m~0n", "8")]
    [InlineData("/foo/2", null)]
    [InlineData("/foo/00", null)]
    [InlineData("/foo/-", null)]
    [InlineData("/foo/99999999999", null)]
    [InlineData("/foo/bar", null)]
    [InlineData("/m~0n/x", null)]
    [InlineData("/none", null)]
    public void The_examples_of_the_standard_are_found_as_it_says(string path, string? value) => Assert.Equal(value, Find(path, Example));

    [Theory]
    [InlineData("""{"a":1,"a":2}""", "/a", "2")]
    [InlineData("""{"a":{"b":1},"a":{"c":2}}""", "/a/b", null)]
    [InlineData("""{"a":{"b":1},"a":3,"a":{"b":4},"z":0}""", "/a/b", "4")]
    [InlineData("""{"\u0061":1}""", "/a", "1")]
    [InlineData("""{"温度":-18.5}""", "/温度", "-18.5")]
    [InlineData(""" { "a" : [ 1 , { "b" : null } ] } """, "/a/1/b", "null")]
    public void Of_members_with_one_name_the_last_wins(string json, string path, string? value) => Assert.Equal(value, Find(path, json));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":1}}")]
    [InlineData("{\"a\":1} 2")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\":1,\"\\ud800\":2,\"b\":01}")]
    public void In_broken_json_nothing_is_found(string json) => Assert.Null(Find("/a", json));

    [Fact]
    public void What_only_detection_may_see_is_found_by_its_pointer_and_within_it()
    {
        const string Transient = """{"/position/lat":35.6,"/tags/0":{"a/b":[1,2]},"/x":7}""";
        Assert.Equal("35.6", Find("/position/lat", Transient, isTransient: true));
        Assert.Equal("2", Find("/tags/0/a~1b/1", Transient, isTransient: true));
        Assert.Null(Find("/position", Transient, isTransient: true));
        Assert.Null(Find("/x/y", Transient, isTransient: true));
        Assert.Null(Find("/x", "[7]", isTransient: true));
        Assert.Null(Find("", Transient, isTransient: true));
    }

    [Theory]
    [InlineData("1e-400", 0.0)]
    [InlineData("-0.5E-3", -0.0005)]
    [InlineData("-1e17", -1e17)]
    [InlineData("1e19", 1e18)]
    [InlineData("1e400", 1e18)]
    [InlineData("-1e400", -1e18)]
    [InlineData("true", null)]
    [InlineData("null", null)]
    [InlineData("\"5\"", null)]
    [InlineData("[5]", null)]
    public void What_is_too_large_for_any_limit_counts_as_a_large_number(string written, double? number) =>
        Assert.Equal(number, Number("/a", $$"""{"a":{{written}}}"""));

    [Fact]
    public void Numbers_of_a_hundred_thousand_digits_are_read()
    {
        var digits = new string('9', 100_000);
        Assert.Equal(1, Number("/a", $$"""{"a":0.{{digits}}}"""));
        Assert.Equal(JsonPointerReader.Largest, Number("/a", $$"""{"a":{{digits}}}"""));
        Assert.Equal(-JsonPointerReader.Largest, Number("/a", $$"""{"a":-1e{{digits}}}"""));
    }

    [Fact]
    public void Depth_is_bounded()
    {
        static string Nested(int depth) => string.Concat(Enumerable.Repeat("[", depth)) + "1" + new string(']', depth);
        static string Path(int depth) => string.Concat(Enumerable.Repeat("/0", depth));
        Assert.Equal("1", Find(Path(JsonPointerReader.Deepest), Nested(JsonPointerReader.Deepest)));
        Assert.Null(Find(Path(JsonPointerReader.Deepest + 1), Nested(JsonPointerReader.Deepest + 1)));
        Assert.Null(Find(Path(128), Nested(200_000)));
        Assert.Null(Find("/a", """{"a":1,"b":""" + Nested(100_000) + "}"));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var reader = new JsonPointerReader("/a/2/b~1c");
        var json = Encoding.UTF8.GetBytes("""{"x":"\u00e9","a":[1,"two",{"b\/c":12.75}]}""");
        Assert.True(reader.TryFind(json, out _, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            reader.TryFind(json, out _, out _);
            reader.TryFindTransient(json, out _, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Whatever_bytes_come_it_says_what_a_whole_parser_says()
    {
        var random = Fuzz.Source(6901);
        string[] pointers = ["", "/", "/a", "/b/a", "/a/0", "/a/1/b", "/~1/~0", "/é/a", "/b/b/b/b"];
        var readers = pointers.Select(p => new JsonPointerReader(p)).ToList();
        var found = 0;
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            var json = Encoding.UTF8.GetBytes(Draw(random, 5));
            for (var j = random.Next(3) - 1; j > 0; j--)
            {
                json[random.Next(json.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"{}[],:\"\\ 0e-"[random.Next(12)];
            }

            for (var p = 0; p < pointers.Length; p++)
            {
                var isFound = readers[p].TryFind(json, out var value, out var kind);
                readers[p].TryFindTransient(json, out _, out _);
                if (isFound)
                {
                    found++;
                    Assert.NotEqual(JsonTokenType.None, kind);
                }

                if (Whole(json) is { } document)
                {
                    var expected = Walk(document, pointers[p]);
                    Assert.Equal(expected is not null, isFound);
                    Assert.True(expected is not { } there || JsonMarshal.GetRawUtf8Value(there).SequenceEqual(value));
                }
            }
        }

        Assert.True(found > rounds / 2);
    }

    [Fact]
    public void Random_bytes_are_nothing()
    {
        var random = Fuzz.Source(8259);
        var reader = new JsonPointerReader("/a");
        var json = new byte[64];
        for (var i = 0; i < Fuzz.Rounds(20_000); i++)
        {
            random.NextBytes(json);
            Assert.False(reader.TryFind(json.AsSpan(0, random.Next(json.Length)), out _, out _));
        }
    }

    private static string? Find(string pointer, string json, bool isTransient = false)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var reader = new JsonPointerReader(pointer);
        return (isTransient ? reader.TryFindTransient(bytes, out var value, out _) : reader.TryFind(bytes, out value, out _)) ? Encoding.UTF8.GetString(value) : null;
    }

    private static double? Number(string pointer, string json)
    {
        var signal = new Signal
        {
            Kind = SignalKind.Message,
            At = 0,
            EventAt = 0,
            Position = 0,
            Downtime = 0,
            Happened = Lab.Message(Lab.Start) with { Payload = Encoding.UTF8.GetBytes(json) },
        };
        return new JsonPointerReader(pointer).TryNumber(signal, out var number, out _) ? number : null;
    }

    private static string Draw(Random random, int depth) => random.Next(depth > 0 ? 8 : 4) switch
    {
        0 => random.NextInt64().ToString(CultureInfo.InvariantCulture),
        1 => "\"a\\u00e9\\n/\"",
        2 => random.Next(2) == 0 ? "true" : "null",
        3 => (random.NextDouble() * 1e10).ToString("R", CultureInfo.InvariantCulture),
        4 or 5 => "[" + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => Draw(random, depth - 1))) + "]",
        _ => "{" + string.Join(", ", Enumerable.Range(0, random.Next(5)).Select(_ => $"\"{new[] { "a", "b", "", "/", "~", "é", "\\u0061", "/a" }[random.Next(8)]}\" : {Draw(random, depth - 1)}")) + "}",
    };

    private static JsonElement? Whole(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement? Walk(JsonElement element, string pointer)
    {
        foreach (var name in pointer.Split('/').Skip(1).Select(n => n.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)))
        {
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member))
            {
                element = member;
            }
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, out var index) && index < element.GetArrayLength())
            {
                element = element[index];
            }
            else
            {
                return null;
            }
        }

        return element;
    }
}
