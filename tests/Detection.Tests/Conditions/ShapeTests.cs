using System.Text;
using System.Text.Json;
using Sekisho.Detection.Conditions.Shapes;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Conditions;

public class ShapeTests
{
    private const string Usual = """{"t":21.5,"unit":"C","door":{"open":true},"list":[{"id":1,"name":"a"},{"id":2}]}""";
    private static readonly string Hour = Lab.Condition("shape", "messages: 20, learn: \"01:00:00\"");

    [Theory]
    [InlineData("""{"t":-3,"unit":"F","door":{"open":false},"list":[{"id":9,"name":"z"}]}""", null, null)]
    [InlineData("""{"t":21.5}""", null, null)]
    [InlineData("""{"list":[],"door":{},"t":null,"unit":null}""", null, null)]
    [InlineData("""{"list":[{"id":1},{"id":2},{"id":3},{"name":"d"}]}""", null, null)]
    [InlineData("""{"\u0074":1}""", null, null)]
    [InlineData("""{"t":"21.5"}""", "/t", "string")]
    [InlineData("""{"t":{"t":1}}""", "/t", "object")]
    [InlineData("""{"humidity":60}""", "/humidity", "number")]
    [InlineData("""{"T":1}""", "/T", "number")]
    [InlineData("""{"door":{"open":true,"a/b~\n":1}}""", "/door/a~1b~0?", "number")]
    [InlineData("""{"list":[{"id":1},{"id":1,"cmd":"reboot"}]}""", "/list/*/cmd", "string")]
    [InlineData("""{"list":[1]}""", "/list/*", "number")]
    [InlineData("""{"list":{"*":{"id":1}}}""", "/list", "object")]
    [InlineData("""[{"t":1}]""", "/", "array")]
    [InlineData("\"text\"", "/", "string")]
    public void A_new_place_or_a_new_type_is_found_once_the_form_is_known(string json, string? place, string? type)
    {
        var finding = Content.Findings(Hour, [.. Learnt(), Content.At(100, json)]).SingleOrDefault();
        Assert.Equal((place, type, place), (finding?.Evidence.Facts["pointer"], finding?.Evidence.Facts["type"], finding?.Evidence.Claim));
    }

    [Fact]
    public void It_needs_the_messages_and_the_time_and_not_one_less()
    {
        var odd = """{"x":1}""";
        Assert.Empty(Content.Findings(Hour, [.. Learnt(19), Content.At(100, odd)]));
        var evidence = Assert.Single(Content.Findings(Hour, [.. Learnt(20), Content.At(100, odd)])).Evidence;
        Assert.Equal(("9", "21", "2026-04-01T00:00:00Z", 22), (evidence.Facts["shapes"], evidence.Facts["messages"], evidence.Facts["since"], evidence.Counterfactual.Value));
        Assert.Empty(Content.Findings(Hour, [.. Learnt(40, every: 1), Content.At(59.999, odd)]));
        Assert.Single(Content.Findings(Hour, [.. Learnt(40, every: 1), Content.At(60, odd)]));
    }

    [Fact]
    public void What_was_found_is_known_and_a_further_new_place_is_found_by_itself_once_an_update_would_be_over()
    {
        var further = """{"t":1,"x":1,"y":{"z":[true]}}""";
        List<MessageEvent> first = [.. Learnt(), .. Enumerable.Range(0, 12).Select(i => Content.At(100 + i, """{"t":1,"x":1}"""))];
        Assert.Equal("/x", Assert.Single(Content.Findings(Hour, [.. first, Content.At(159.999, further), Content.At(170, further)])).Evidence.Claim);
        var findings = Content.Findings(Hour, [.. first, Content.At(160, further)]);
        Assert.Equal([("/x", 1.0), ("/y", 3.0)], findings.Select(f => (f.Evidence.Claim, f.Evidence.Measured)));
    }

    [Fact]
    public void Many_new_places_do_not_push_out_what_was_learnt()
    {
        var wild = Content.At(100, "{" + string.Join(",", Enumerable.Range(0, 500).Select(i => $"\"n{i}\":1")) + "}");
        var findings = Content.Findings(Hour, [.. Learnt(), wild, Content.At(101, Usual), Content.At(161, """{"x":1}"""), Content.At(162, Usual)]);
        Assert.Equal([500.0, 1.0], findings.Select(f => f.Evidence.Measured));
        Assert.Equal("/n0", findings[0].Evidence.Claim);
    }

    [Fact]
    public void A_device_without_a_form_is_never_judged()
    {
        var wild = Enumerable.Range(0, 200).Select(i => Content.At(5 * i, $$"""{"key{{i}}":1}"""));
        Assert.Empty(Content.Findings(Hour, wild));

        // Names that are data, one new in every tenth message: never twenty in a row without.
        Assert.Empty(Content.Findings(Hour, Enumerable.Range(0, 3000).Select(i => Content.At(5 * i, $$"""{"t":1,"key{{i / 10}}":1}"""))));
        var narrow = Lab.Condition("shape", "messages: 20, learn: \"01:00:00\", most: 9");
        Assert.Single(Content.Findings(narrow, [.. Learnt(), Content.At(100, """{"x":1}""")]));
        Assert.Empty(Content.Findings(narrow, [Content.At(-5, """{"w":1}"""), .. Learnt(), Content.At(100, """{"x":1}""")]));
    }

    [Fact]
    public void An_object_whose_names_are_data_is_a_map_and_what_is_new_beside_it_or_within_its_values_is_found()
    {
        static string Sensors(int from, string more = "", string within = "") =>
            $$"""{"time":"x","sensors":{{{string.Join(",", Enumerable.Range(from, 5).Select(i => $$"""  "s{{i}}":{"t":{{i}},"ok":true{{within}}} """))}}}{{more}}}""";
        List<MessageEvent> learnt = [.. Enumerable.Range(0, 300).Select(i => Content.At(5 * i, Sensors(5 * i)))];
        Assert.Empty(Content.Findings(Hour, [.. learnt, .. Enumerable.Range(300, 100).Select(i => Content.At(5 * i, Sensors(5 * i)))]));
        Assert.Equal("/cmd", Assert.Single(Content.Findings(Hour, [.. learnt, Content.At(1500, Sensors(9000, ",\"cmd\":\"reboot\""))])).Evidence.Claim);
        Assert.Equal("/sensors/*/cmd", Assert.Single(Content.Findings(Hour, [.. learnt, Content.At(1500, Sensors(9000, within: ",\"cmd\":1"))])).Evidence.Claim);
        Assert.Equal("/sensors/*", Assert.Single(Content.Findings(Hour, [.. learnt, Content.At(1500, """{"time":"x","sensors":{"s1":7}}""")])).Evidence.Claim);
    }

    [Fact]
    public void A_backlog_of_the_usual_form_is_quiet_another_form_is_found_and_nothing_stored_teaches()
    {
        IEnumerable<MessageEvent> Stored(string json) => Enumerable.Range(0, 10).Select(i => Content.At(100 + (5 * i), json, sent: 200.1 + (0.01 * i), sequence: 100 + i));
        List<MessageEvent> before = [.. Learnt(), Content.At(200, Usual, sequence: 300)];
        Assert.Empty(Content.Findings(Hour, [.. before, .. Stored(Usual)]));
        Assert.Equal("/stored", Assert.Single(Content.Findings(Hour, [.. before, .. Stored("""{"t":1,"stored":true}""")])).Evidence.Claim);

        var slow = Lab.Condition("shape", "messages: 20, learn: \"04:00:00\"");
        Assert.Single(Content.Findings(slow, [.. before, .. Stored("""{"x":1}"""), Content.At(250, """{"x":1}""", sequence: 301)]));
    }

    [Fact]
    public void What_is_no_json_says_nothing_beyond_its_beginning()
    {
        Assert.Empty(Content.Findings(Hour, [.. Learnt(), Content.At(100, """{"t":1,"""), Content.At(101, "\0\0\0"), Content.At(102, "")]));
        var deep = string.Concat(Enumerable.Repeat("[", 10_000));
        Assert.Equal("/x", Assert.Single(Content.Findings(Hour, [.. Learnt(), Content.At(100, "{\"x\":" + deep)])).Evidence.Claim);
    }

    [Fact]
    public void Messages_of_one_form_are_quiet_whatever_their_values()
    {
        var random = new Random(5);
        var events = Enumerable.Range(0, 1000).Select(i => Content.At(5 * i, $$"""{"t":{{random.Next(100)}},"s":"{{random.Next()}}","l":[{{string.Join(",", Enumerable.Range(0, random.Next(1, 9)))}}]}"""));
        Assert.Empty(Content.Findings(Hour, events));
    }

    [Fact]
    public void Shapes_are_those_of_a_plain_walk_and_any_bytes_do_no_harm()
    {
        var random = Fuzz.Source(77);
        var shapes = new Dictionary<(string, string), long>();
        Span<ulong> room = stackalloc ulong[ShapeWalk.Room];
        for (var i = 0; i < Fuzz.Rounds(5_000); i++)
        {
            var json = Encoding.UTF8.GetBytes(Draw(random, 5));
            using var document = JsonDocument.Parse(json);
            var expected = Walk(document.RootElement, "").ToList();
            var walk = new ShapeWalk(json, room, names: new string[ShapeWalk.Room]);
            foreach (var (place, type) in expected)
            {
                Assert.True(walk.Next());
                Assert.Equal((place.Length == 0 ? "/" : place, type), (walk.Place, walk.Type));
                Assert.Equal(walk.Shape, shapes.TryGetValue((place, type), out var known) ? known : shapes[(place, type)] = walk.Shape);
            }

            Assert.False(walk.Next());
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                json[random.Next(json.Length)] = (byte)random.Next(256);
            }

            var broken = new ShapeWalk(json, room, names: new string[ShapeWalk.Room]);
            while (broken.Next())
            {
                Assert.NotEqual(0, broken.Shape);
            }
        }

        Assert.Equal(shapes.Count, shapes.Values.Distinct().Count());
    }

    private static IEnumerable<MessageEvent> Learnt(int messages = 20, double every = 5) => Enumerable.Range(0, messages).Select(i => Content.At(every * i, Usual, sequence: i));

    private static IEnumerable<(string Place, string Type)> Walk(JsonElement value, string place)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                return value.EnumerateObject().SelectMany(m => Walk(m.Value, $"{place}/{m.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}")).Prepend((place, "object"));
            case JsonValueKind.Array:
                return value.EnumerateArray().SelectMany(e => Walk(e, place + "/*")).Prepend((place, "array"));
            case JsonValueKind.String:
                return [(place, "string")];
            case JsonValueKind.Number:
                return [(place, "number")];
            case JsonValueKind.Null:
                return [];
            default:
                return [(place, "boolean")];
        }
    }

    private static string Draw(Random random, int depth) => random.Next(depth > 0 ? 9 : 4) switch
    {
        0 => random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture),
        1 => "\"text\"",
        2 => "true",
        3 => "null",
        4 or 5 => "[" + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => Draw(random, depth - 1))) + "]",
        _ => "{" + string.Join(",", new[] { "a", "b", "", "~/", "\\u00e9" }.Where(_ => random.Next(2) == 0).Select(n => $"\"{n}\":{Draw(random, depth - 1)}")) + "}",
    };
}
