using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Distribution.Connectors.Https;
using Sekisho.Distribution.Mapping;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Mapping;

public class MappingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("\"2026-04-01T12:00:00Z\"", 1775044800000)]
    [InlineData("\"2026-04-01T21:00:00+09:00\"", 1775044800000)]
    [InlineData("\"2026-04-01T21:00:00+0900\"", 1775044800000)]
    [InlineData("\"2026-04-01T12:00:00.1239999Z\"", 1775044800123)]
    [InlineData("1775044800", 1775044800000)]
    [InlineData("1775044800.5", 1775044800500)]
    [InlineData("1775044800123", 1775044800123)]
    [InlineData("0", 0L)]
    [InlineData("\"2200-12-31T23:59:59Z\"", 7289654399000)]
    [InlineData("\"2026-04-01T12:00:00\"", null)]
    [InlineData("\"0001-01-01T00:00:00Z\"", null)]
    [InlineData("\"0001-01-01T00:00:00+14:00\"", null)]
    [InlineData("\"9999-12-31T23:59:59Z\"", null)]
    [InlineData("\"9999-12-31T23:59:59-14:00\"", null)]
    [InlineData("\"1969-12-31T23:59:59Z\"", null)]
    [InlineData("-1", null)]
    [InlineData("1e300", null)]
    [InlineData("7289654400000000", null)]
    [InlineData("true", null)]
    [InlineData("{}", null)]
    [InlineData("\"soon\"", null)]
    public void A_device_time_is_read_where_it_is_one_and_absent_otherwise(string json, long? expected) =>
        Assert.Equal(expected, One($"{{\"time\":{json}}}", FieldMapping.Default).DeviceTime?.ToUnixTimeMilliseconds());

    [Theory]
    [InlineData("12", "12")]
    [InlineData("1e3", "1e3")]
    [InlineData("\"a\\u0062\"", "ab")]
    [InlineData("\"\"", null)]
    [InlineData("null", null)]
    [InlineData("[1]", null)]
    public void A_sequence_is_a_number_or_a_text(string json, string? expected) => Assert.Equal(expected, One($"{{\"seq\":{json}}}", FieldMapping.Default).Sequence);

    [Fact]
    public void A_sequence_of_more_than_64_and_a_mode_of_more_than_32_characters_are_absent()
    {
        var message = One($"{{\"seq\":\"{new string('9', 65)}\",\"mode\":\"{new string('m', 33)}\"}}", FieldMapping.Default);
        Assert.Null(message.Sequence);
        Assert.Null(message.Mode);
        Assert.Equal("on", One("{\"mode\":\"on\"}", FieldMapping.Default).Mode);
    }

    [Fact]
    public void Without_marks_the_payload_is_the_message_byte_for_byte()
    {
        const string json = "{ \"b\" : 1.50,\n \"a\":\"\\u00e9\" }";
        var message = One("[" + json + "]", FieldMapping.Default);
        Assert.Equal(json, Encoding.UTF8.GetString(message.Payload.Span));
        Assert.True(message.Transient.IsEmpty);
        Assert.Equal(json.Length, message.Size);
    }

    [Theory]
    [InlineData("/a", "", "{\"a\":1,\"b\":2}", "{\"b\":2}", "")]
    [InlineData("/b", "", "{\"a\":1,\"b\":2}", "{\"a\":1}", "")]
    [InlineData("/a /b", "", "{\"a\":1,\"b\":2}", "{}", "")]
    [InlineData("", "/gps/lat", "{\"gps\":{\"lat\":35.6,\"lon\":139.7}}", "{\"gps\":{\"lon\":139.7}}", "{\"/gps/lat\":35.6}")]
    [InlineData("/list/1", "", "{\"list\":[1,2,3]}", "{\"list\":[1,3]}", "")]
    [InlineData("/list/*/secret", "", "{\"list\":[{\"secret\":1},{\"x\":[2],\"secret\":{}}]}", "{\"list\":[{},{\"x\":[2]}]}", "")]
    [InlineData("", "/list/*", "{\"list\":[1,\"二\"]}", "{\"list\":[]}", "{\"/list/0\":1,\"/list/1\":\"二\"}")]
    [InlineData("/a/b", "/a", "{\"a\":{\"b\":1,\"c\":2},\"d\":3}", "{\"d\":3}", "{\"/a\":{\"c\":2}}")]
    [InlineData("/list/0/x", "/list/*/y", "{\"list\":[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4}]}", "{\"list\":[{},{\"x\":3}]}", "{\"/list/0/y\":2,\"/list/1/y\":4}")]
    [InlineData("/a~1b/m~0n", "", "{\"a/b\":{\"m~n\":1,\"k\":2}}", "{\"a/b\":{\"k\":2}}", "")]
    [InlineData("/\u00e9", "", "{\"\\u00e9\":1,\"k\":2}", "{\"k\":2}", "")]
    [InlineData("/*", "", "{\"*\":1,\"k\":2}", "{\"k\":2}", "")]
    public void Marked_properties_leave_the_payload(string dropped, string transient, string json, string payload, string expectedTransient)
    {
        var message = One(json, Mapping(dropped.Split(' ', StringSplitOptions.RemoveEmptyEntries), transient.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(payload, Encoding.UTF8.GetString(message.Payload.Span));
        Assert.Equal(expectedTransient, Encoding.UTF8.GetString(message.Transient.Span));
    }

    [Fact]
    public void Time_sequence_and_mode_are_read_even_when_they_are_dropped()
    {
        var message = One("{\"time\":1775044800,\"seq\":5,\"mode\":\"on\",\"x\":1}", Mapping(["/time", "/seq"], ["/mode"]));
        Assert.Equal((1775044800000, "5", "on"), (message.DeviceTime!.Value.ToUnixTimeMilliseconds(), message.Sequence, message.Mode));
        Assert.Equal("{\"x\":1}", Encoding.UTF8.GetString(message.Payload.Span));
    }

    [Fact]
    public void Whatever_the_message_the_output_is_the_input_minus_what_is_marked()
    {
        var random = Fuzz.Source(2);
        var rounds = Fuzz.Rounds(5_000);
        for (var i = 0; i < rounds; i++)
        {
            var node = Object(random, 0);
            string[] dropped = [.. Enumerable.Range(0, random.Next(4)).Select(_ => SomePointer(random))];
            string[] transient = [.. Enumerable.Range(0, random.Next(3)).Select(_ => SomePointer(random))];
            var json = node.ToJsonString(new JsonSerializerOptions { WriteIndented = random.Next(2) == 0 });
            var message = One(json, Mapping(dropped, transient));

            var expected = (JsonObject)JsonNode.Parse(json)!;
            Remove(expected, [.. dropped.Concat(transient).Select(p => Pointer.Parse(p)!)], []);
            var actual = JsonNode.Parse(message.Payload.Span);
            Assert.True(JsonNode.DeepEquals(expected, actual), $"{json} minus {string.Join(' ', dropped)} and {string.Join(' ', transient)} gave {actual?.ToJsonString()}");
            if (!message.Transient.IsEmpty)
            {
                Assert.NotEmpty(JsonNode.Parse(message.Transient.Span)!.AsObject());
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a~2")]
    [InlineData("/a~")]
    public void What_is_no_pointer_is_refused(string text) => Assert.Null(Pointer.Parse(text));

    [Fact]
    public void Any_text_is_a_pointer_that_is_written_as_it_was_read_or_none()
    {
        var random = Fuzz.Source(4);
        string[] parts = ["/", "/", "~0", "~1", "~", "*", "0", "01", "1234567890123", "a", "テ", "\ud83d\ude00", "\ud800", "\u0000", "\"", new string('x', 250)];
        var (read, refused) = (0, 0);
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(random.Next(4) == 0 ? 40 : 6)).Select(_ => parts[random.Next(parts.Length)]));
            if (Pointer.Parse(text) is not { } segments)
            {
                refused++;
                continue;
            }

            read++;
            Assert.InRange(segments.Length, 1, Pointer.MaxSegments);
            Assert.Equal(text, string.Concat(segments.Select(s => "/" + Pointer.Escape(s))));

            // What the API takes as a mapping must serve every message: building and walking it never fails.
            One("{\"a\":[0,{\"テ\":1,\"*\":2}],\"\":{\"\":3}}", Mapping([text, "/a/*/x"], ["/a/0", text]) with { Sequence = text });
        }

        Assert.True(read > rounds / 20 && refused > rounds / 20, $"{read} read, {refused} refused: one side is hardly tried");
    }

    [Fact]
    public void Half_of_a_character_is_no_pointer()
    {
        Assert.Null(Pointer.Parse("/\ud800"));
        Assert.NotNull(Pointer.Parse("/\ud83d\ude00"));
    }

    [Fact]
    public void The_identity_is_equal_for_equal_device_epoch_sequence_and_payload_only()
    {
        var payload = "{\"seq\":1}"u8.ToArray();
        var id = MessageIds.Of("d1", 1, "1", payload);
        Assert.Matches("^[0-9a-f]{32}$", id);
        Assert.Equal(id, MessageIds.Of("d1", 1, "1", payload));
        Assert.NotEqual(id, MessageIds.Of("d2", 1, "1", payload));
        Assert.NotEqual(id, MessageIds.Of("d1", 2, "1", payload));
        Assert.NotEqual(id, MessageIds.Of("d1", 1, "2", payload));
        Assert.NotEqual(id, MessageIds.Of("d1", 1, "1", "{}"u8));
        Assert.NotEqual(MessageIds.Of("d1", 1, null, payload), MessageIds.Of("d1", 1, null, payload));
    }

    internal static FieldMapping Mapping(string[] dropped, string[] transient) => FieldMapping.Default with { Dropped = dropped, Transient = transient };

    internal static MessageEvent One(string json, FieldMapping mapping)
    {
        var events = new MessageParser(new HttpsSettings()).Parse(
            Encoding.UTF8.GetBytes(json), new Sender("cars", "d1", 1, "192.0.2.1", Noon, "c"), MappingNode.Build(mapping), out var fault);
        Assert.True(events is not null, fault?.ToString());
        return (MessageEvent)Assert.Single(events);
    }

    private static JsonObject Object(Random random, int depth)
    {
        var result = new JsonObject();
        for (var n = random.Next(4); n > 0; n--)
        {
            result["abc".Substring(random.Next(3), 1)] = Value(random, depth + 1);
        }

        return result;
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 3 ? 4 : 6) switch
    {
        0 => JsonValue.Create(random.Next(100)),
        1 => JsonValue.Create("\"テ\u001f" + random.Next(10).ToString(CultureInfo.InvariantCulture)),
        2 => null,
        3 => JsonValue.Create(true),
        4 => Object(random, depth),
        _ => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth + 1))]),
    };

    private static string SomePointer(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => "/" + new[] { "a", "b", "c", "*", "0", "1" }[random.Next(6)]));

    // The plain way: walk everything, compare each place with each pointer.
    private static void Remove(JsonNode? node, List<string[]> marks, List<(string Name, bool Element)> path)
    {
        if (node is JsonObject o)
        {
            foreach (var name in o.Select(p => p.Key).ToList())
            {
                path.Add((name, false));
                if (marks.Any(m => Matches(m, path)))
                {
                    o.Remove(name);
                }
                else
                {
                    Remove(o[name], marks, path);
                }

                path.RemoveAt(path.Count - 1);
            }
        }
        else if (node is JsonArray a)
        {
            var gone = new List<int>();
            for (var i = 0; i < a.Count; i++)
            {
                path.Add((i.ToString(CultureInfo.InvariantCulture), true));
                if (marks.Any(m => Matches(m, path)))
                {
                    gone.Add(i);
                }
                else
                {
                    Remove(a[i], marks, path);
                }

                path.RemoveAt(path.Count - 1);
            }

            gone.Reverse();
            gone.ForEach(a.RemoveAt);
        }
    }

    private static bool Matches(string[] mark, List<(string Name, bool Element)> path) =>
        mark.Length == path.Count && mark.Zip(path).All(p => p.First == p.Second.Name || (p.First == "*" && p.Second.Element));
}
