using System.Text;
using System.Text.Json;
using Sekisho.History.Queries;

namespace Sekisho.History.Tests.Queries;

public class PayloadMaskTests
{
    [Theory]
    [InlineData("""{"a":1,"b":{"c":"x"}}""", "/b/c", """{"a":1,"b":{"c":"***"}}""")]
    [InlineData("""{"a":1,"b":{"c":"x"}}""", "/b", """{"a":1,"b":"***"}""")]
    [InlineData("""{"list":[{"n":"x","k":1},{"n":"y"}]}""", "/list/*/n", """{"list":[{"n":"***","k":1},{"n":"***"}]}""")]
    [InlineData("""{"list":[1,2]}""", "/list/1", """{"list":[1,"***"]}""")]
    [InlineData("""{"list":{"*":1,"x":2}}""", "/list/*", """{"list":{"*":"***","x":2}}""")]
    [InlineData("""{"a/b":1,"m~n":2}""", "/a~1b", """{"a/b":"***","m~n":2}""")]
    [InlineData("""{"a/b":1,"m~n":2}""", "/m~0n", """{"a/b":1,"m~n":"***"}""")]
    [InlineData("""{"a":1,"a":2}""", "/a", """{"a":"***","a":"***"}""")]
    [InlineData("""{"a":1}""", "", "\"***\"")]
    [InlineData("""[{"a":1}]""", "/missing/deep", """[{"a":1}]""")]
    [InlineData("""{"n":1.50,"e":1E400,"t":true,"z":null}""", "/q", """{"n":1.50,"e":1E400,"t":true,"z":null}""")]
    public void Marked_properties_are_masked_and_nothing_else_changes(string payload, string mark, string expected) =>
        Assert.Equal(expected, Apply(payload, mark));

    [Fact]
    public void Two_marks_on_one_way_both_hold() =>
        Assert.Equal("""{"l":[{"a":"***","b":"***","c":3}]}""", Apply("""{"l":[{"a":1,"b":2,"c":3}]}""", "/l/*/a", "/l/0/b"));

    [Fact]
    public void Without_marks_the_bytes_pass_as_they_are() => Assert.Equal("""{ "a" : 1 }""", Apply("""{ "a" : 1 }"""));

    [Fact]
    public void What_is_no_json_is_masked_whole() => Assert.Equal("\"***\"", Apply("""{"a":1,"secret":""", "/secret"));

    [Fact]
    public void Deep_nesting_is_masked_at_any_level()
    {
        var payload = string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "\"secret\"" + new string('}', 500);
        Assert.DoesNotContain("secret", Apply(payload, string.Concat(Enumerable.Repeat("/a", 500))), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_comes_in_the_marked_value_never_goes_out()
    {
        var random = new Random(13);
        var seed = """{"a":[{"secret":"HIDDEN","x":[1,"é\u00e9",{"y":null}]},{"secret":{"d":"HIDDEN"}}],"secret":"open"}""";
        for (var round = 0; round < 3000; round++)
        {
            var bytes = Encoding.UTF8.GetBytes(seed);
            for (var i = random.Next(4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
            }

            var output = new PayloadMask(["/a/*/secret"]).Apply(bytes);
            using var document = JsonDocument.Parse(output, new JsonDocumentOptions { MaxDepth = 1000 });
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("a", out var list) && list.ValueKind == JsonValueKind.Array)
            {
                foreach (var element in list.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Object))
                {
                    Assert.All(element.EnumerateObject().Where(p => p.Name == "secret"), p => Assert.Equal("***", p.Value.GetString()));
                }
            }
        }
    }

    private static string Apply(string payload, params string[] pointers) => Encoding.UTF8.GetString(new PayloadMask(pointers).Apply(Encoding.UTF8.GetBytes(payload)).Span);
}
