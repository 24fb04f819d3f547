using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Sekisho.Detection.Conditions.Schemas;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Localization;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Conditions;

public class SchemaTests
{
    private const string Reading = """
        {"$schema":"https://json-schema.org/draft/2020-12/schema","title":"A reading","type":"object","additionalProperties":false,"required":["t","unit"],
         "properties":{"t":{"type":"number","minimum":-40,"maximum":85},"unit":{"enum":["C","F"]},"n":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10},
         "id":{"type":"string","minLength":2,"maxLength":4,"pattern":"^[a-zé😀]+$"},"v":{"const":2},"ok":{"type":["boolean","null"]},
         "list":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"object","properties":{"a/b":{"type":"string"}},"required":["x"]}}}}
        """;

    [Theory]
    [InlineData("""{"t":-40,"unit":"C"}""", null)]
    [InlineData("""{"t":85,"unit":"F","n":1,"v":2,"ok":null}""", null)]
    [InlineData("""{"t":8.5e1,"unit":"\u0043","n":9.0,"v":2.0,"ok":true,"id":"é😀","list":[{"x":1}]}""", null)]
    [InlineData("""{"t":-40.001,"unit":"C"}""", "/t minimum -40")]
    [InlineData("""{"t":85.001,"unit":"C"}""", "/t maximum 85")]
    [InlineData("""{"t":1e999,"unit":"C"}""", "/t maximum 85")]
    [InlineData("""{"t":"5","unit":"C"}""", "/t type number")]
    [InlineData("""{"t":5}""", "/ required unit")]
    [InlineData("""{"t":5,"unit":"c"}""", "/unit enum \"C\", \"F\"")]
    [InlineData("""{"t":5,"unit":"C","n":0}""", "/n exclusiveMinimum 0")]
    [InlineData("""{"t":5,"unit":"C","n":10}""", "/n exclusiveMaximum 10")]
    [InlineData("""{"t":5,"unit":"C","n":1.5}""", "/n type integer")]
    [InlineData("""{"t":5,"unit":"C","v":3}""", "/v const 2")]
    [InlineData("""{"t":5,"unit":"C","ok":0}""", "/ok type boolean, null")]
    [InlineData("""{"t":5,"unit":"C","id":"a"}""", "/id minLength 2")]
    [InlineData("""{"t":5,"unit":"C","id":"abcde"}""", "/id maxLength 4")]
    [InlineData("""{"t":5,"unit":"C","id":"aB"}""", "/id pattern ^[a-zé😀]+$")]
    [InlineData("""{"t":5,"unit":"C","id":"\ud800a"}""", "/ json ")]
    [InlineData("""{"t":5,"unit":"C","list":[]}""", "/list minItems 1")]
    [InlineData("""{"t":5,"unit":"C","list":[{"x":1},{"x":1},{"x":1},{"x":1}]}""", "/list maxItems 3")]
    [InlineData("""{"t":5,"unit":"C","list":[{"x":1},{"a/b":"","x":0},{"x":1,"a/b":7}]}""", "/list/2/a~1b type string")]
    [InlineData("""{"t":5,"unit":"C","list":[{"x":1},{}]}""", "/list/1 required x")]
    [InlineData("""{"t":5,"unit":"C","evil\u0007":1}""", "/evil? additionalProperties false")]
    [InlineData("""{"t":5,"t":99,"unit":"C"}""", "/t maximum 85")]
    [InlineData("""{"t":99,"t":5,"unit":"C"}""", "/t maximum 85")]
    [InlineData("""[]""", "/ type object")]
    [InlineData("""{"t":5,"unit":"C"} 1""", "/ json ")]
    [InlineData("""{"t":5,"unit":"C",""", "/ json ")]
    public void A_message_is_held_against_each_keyword(string json, string? wrong)
    {
        var condition = Lab.Condition("schema", $"schema: '{Reading.Replace("\n", " ", StringComparison.Ordinal)}'");
        var evidence = Content.Findings(condition, [Content.At(0, json)]).SingleOrDefault()?.Evidence;
        Assert.Equal(wrong, evidence is null ? null : $"{evidence.Facts["pointer"]} {evidence.Facts["keyword"]} {evidence.Facts["expected"]}");
        Assert.Equal(wrong is null ? null : evidence!.Facts["pointer"].Replace("/2/", "/*/", StringComparison.Ordinal).Replace("/1", "/*", StringComparison.Ordinal).Replace("~*", "~1", StringComparison.Ordinal), evidence?.Claim);
    }

    [Theory]
    [InlineData("""{"type":"number","multipleOf":2}""", "keyword", "multipleOf", "/")]
    [InlineData("""{"properties":{"a/b":{"items":{"format":"date"}}}}""", "format", "date-time", "/properties/a~1b/items")]
    [InlineData("""{"$ref":"#/x"}""", "keyword", "$ref", "/")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#"}""", "draft", "2020-12", "/")]
    [InlineData("""{"type":"date"}""", "type", "object, array", "/")]
    [InlineData("""{"type":[]}""", "type", "object, array", "/")]
    [InlineData("""{"type":5}""", "type", "object, array", "/")]
    [InlineData("""{"properties":[]}""", "value", "properties", "/")]
    [InlineData("""{"required":"a"}""", "value", "required", "/")]
    [InlineData("""{"required":[1]}""", "value", "required", "/")]
    [InlineData("""{"items":[{}]}""", "node", "true or false", "/items")]
    [InlineData("""{"additionalProperties":{"minimum":"1"}}""", "value", "minimum", "/additionalProperties")]
    [InlineData("""{"maximum":1e999}""", "value", "maximum", "/")]
    [InlineData("""{"minLength":-1}""", "value", "minLength", "/")]
    [InlineData("""{"maxItems":1.5}""", "value", "maxItems", "/")]
    [InlineData("""{"enum":[]}""", "value", "enum", "/")]
    [InlineData("""{"enum":[1,{}]}""", "scalar", "enum", "/")]
    [InlineData("""{"const":[]}""", "scalar", "const", "/")]
    [InlineData("""{"const":1,"enum":[1]}""", "both", "enum and const", "/")]
    [InlineData("""{"minimum":1,"minimum":2}""", "twice", "minimum", "/")]
    [InlineData("""{"pattern":"(a"}""", "pattern", "256", "/")]
    [InlineData("""{"pattern":"(a)\\1"}""", "pattern", "256", "/")]
    [InlineData("""{"pattern":"(?=a)b"}""", "pattern", "256", "/")]
    [InlineData("""{"pattern":"((a{1000}){1000}){1000}"}""", "pattern", "256", "/")]
    [InlineData("""[1]""", "node", "true or false", "/")]
    public void A_schema_that_could_not_be_kept_is_refused_in_both_languages(string schema, string key, string said, string place)
    {
        Assert.Null(SchemaReader.Read(schema, out var fault));
        Assert.Equal(("schema." + key, place), (fault!.Key, fault.Values.First(v => v.Name == "place").Value));
        var faults = new List<string>();
        var yaml = $"""
            id: test
            version: 1
            title: {"{ ja: 試験, en: Test }"}
            description: {"{ ja: 試験, en: Test }"}
            conditions: [{Lab.Condition("schema", $"schema: '{schema}'")}]
            """;
        Assert.Null(new TemplateReader(DetectionFeature.Kinds).Read("t.yaml", yaml, faults));
        var line = Assert.Single(faults);
        Assert.StartsWith("t.yaml:5: 'schema': ", line, StringComparison.Ordinal);
        Assert.Contains(said, line, StringComparison.Ordinal);
        Assert.Contains(line, c => c is >= 'ぁ' and <= 'ん');
        Assert.DoesNotContain('{', line);
    }

    [Theory]
    [InlineData("2026-04-01T09:00:00Z", true)]
    [InlineData("2024-02-29t23:59:60.123456789+09:00", true)]
    [InlineData("0000-01-01T00:00:00-23:59", true)]
    [InlineData("2026-02-29T00:00:00Z", false)]
    [InlineData("2026-04-01T24:00:00Z", false)]
    [InlineData("2026-04-01T09:00:00", false)]
    [InlineData("2026-04-01T09:00:00.Z", false)]
    [InlineData("2026-04-01T09:00:00+0900", false)]
    [InlineData("2026-04-01 09:00:00Z", false)]
    [InlineData("2026-04-01T09:00:00Z ", false)]
    [InlineData("２０26-04-01T09:00:00Z", false)]
    [InlineData("", false)]
    public void A_time_is_one_as_its_standard_writes_it(string text, bool isOne)
    {
        var condition = Lab.Condition("schema", """schema: '{"properties":{"time":{"format":"date-time"}}}'""");
        Assert.Equal(isOne, Content.Findings(condition, [Content.At(0, $$"""{"time":"{{text}}"}"""), Content.At(5, """{"time":5}""")]).Count == 0);
    }

    [Fact]
    public void What_is_taken_for_a_time_is_one_for_others_too_and_no_text_does_harm()
    {
        var random = Fuzz.Source(33);
        var taken = 0;
        for (var i = 0; i < Fuzz.Rounds(50_000); i++)
        {
            var text = $"{random.Next(1, 10000):d4}-{random.Next(1, 14):d2}-{random.Next(1, 33):d2}T{random.Next(25):d2}:{random.Next(61):d2}:{random.Next(61):d2}{(random.Next(2) == 0 ? "" : $".{random.Next(10_000)}")}{(random.Next(2) == 0 ? "Z" : $"+{random.Next(14):d2}:{random.Next(60):d2}")}".ToCharArray();
            if (random.Next(3) == 0)
            {
                text[random.Next(text.Length)] = "09-:TZ.+ あ\0"[random.Next(11)];
            }

            var cut = text.AsSpan(0, random.Next(4) == 0 ? random.Next(text.Length) : text.Length);
            if (DateTimeText.IsOne(cut) && cut[17] != '6' && !cut.StartsWith("0000"))
            {
                taken++;
                Assert.True(DateTimeOffset.TryParse(cut, CultureInfo.InvariantCulture, out _) || cut.StartsWith("0001-01-01") || cut.StartsWith("9999-12-31"), cut.ToString());
            }
        }

        Assert.InRange(taken, 1000, int.MaxValue);
    }

    [Fact]
    public void Too_much_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"items\":", 20)) + "{}" + new string('}', 20);
        Assert.Null(SchemaReader.Read(deep, out var fault));
        Assert.Contains(fault!.Key, new[] { "schema.deep", "schema.json" });
        Assert.Null(SchemaReader.Read($$"""{"required":[{{string.Join(",", Enumerable.Range(0, 65).Select(i => $"\"m{i}\""))}}]}""", out fault));
        Assert.Equal("schema.many", fault!.Key);
        Assert.NotNull(SchemaReader.Read($$"""{"required":[{{string.Join(",", Enumerable.Range(0, 64).Select(i => $"\"m{i}\""))}}]}""", out _));
        Assert.Null(SchemaReader.Read("{\"title\":\"\ud800\"}", out fault));
        Assert.Null(SchemaReader.Read("{\"enum\":[\"\\ud800\"]}", out fault));
        Assert.Null(SchemaReader.Read("{", out fault));
        Assert.Equal("schema.json", fault!.Key);
    }

    [Fact]
    public void A_field_that_writes_a_schema_of_its_own_is_told_what_is_wrong_with_it()
    {
        var template = Lab.TemplateOf($"[{Lab.Condition("schema", "schema: '{}'")}]");
        TemplateValues.Check(template, new Dictionary<string, string> { ["c1.schema"] = """{"oneOf":[]}""" }, out var wrong);
        var texts = new Texts([typeof(DetectionFeature).Assembly]);
        Assert.Contains("oneOf", TemplateRoutes.FaultOf(Assert.Single(wrong), texts, "ja").ToString(), StringComparison.Ordinal);
        Assert.Empty(Content.Findings(Lab.Condition("schema", "schema: 'true'"), [Content.At(0, "[1]"), Content.At(1, "")]));
    }

    [Fact]
    public void Stored_messages_are_held_against_it_like_others_and_long_texts_cost_no_memory()
    {
        var condition = Lab.Condition("schema", """schema: '{"properties":{"a":{"type":"number"},"s":{"pattern":"^x*$"}}}'""");
        var findings = Content.Findings(condition, [Content.At(0, """{"a":1}""", sequence: 1), Content.At(300, """{"a":1}""", sequence: 9), Content.At(100, """{"a":""}""", sent: 301, sequence: 2), Content.At(305, """{"a":2}""", sequence: 10)]);
        Assert.Equal("/a", Assert.Single(findings).Evidence.Facts["pointer"]);

        var schema = SchemaReader.Read("""{"properties":{"s":{"pattern":"^x*$","maxLength":100000}},"required":["s"]}""", out _)!;
        var json = Encoding.UTF8.GetBytes($$"""{"s":"{{new string('x', 90_000)}}"}""");
        for (var i = 0; i < 20; i++)
        {
            Assert.True(new SchemaCheck(null).Follows(json, schema));
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
        {
            new SchemaCheck(null).Follows(json, schema);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    [Fact]
    public void Whatever_schema_and_message_come_the_answer_is_that_of_a_plain_reading_of_the_standard()
    {
        var random = Fuzz.Source(2020);
        var (followed, broken) = (0, 0);
        for (var i = 0; i < Fuzz.Rounds(20_000); i++)
        {
            var text = DrawSchema(random, 3);
            var schema = SchemaReader.Read(text, out _);
            Assert.NotNull(schema);
            var json = DrawValue(random, 4);
            using var document = JsonDocument.Parse(json);
            using var written = JsonDocument.Parse(text);
            var expected = Follows(document.RootElement, written.RootElement);
            Assert.True(expected == new SchemaCheck(null).Follows(Encoding.UTF8.GetBytes(json), schema), $"{text} {json} {expected}");
            Assert.Equal(expected, new SchemaCheck([]).Follows(Encoding.UTF8.GetBytes(json), schema));
            followed += expected ? 1 : 0;
            broken += expected ? 0 : 1;
        }

        Assert.True(followed > 1000 && broken > 1000);
    }

    [Fact]
    public void Broken_schemas_and_messages_do_no_harm()
    {
        var random = Fuzz.Source(12);
        var schema = SchemaReader.Read(Reading, out _)!;
        var message = Encoding.UTF8.GetBytes("""{"t":-40,"unit":"C","id":"\u00e9\ud83d\ude00","list":[{"x":1,"a/b":"s"}],"ok":null}""");
        for (var i = 0; i < Fuzz.Rounds(10_000); i++)
        {
            var bytes = (byte[])message.Clone();
            var text = Reading.ToCharArray();
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"{}[],:\"\\ 0e-"[random.Next(12)];
                text[random.Next(text.Length)] = "{}[],:\"\\ 0e-(){*"[random.Next(16)];
            }

            var place = new List<string>();
            var check = new SchemaCheck(place);
            Assert.Equal(check.Follows(bytes, schema), new SchemaCheck(null).Follows(bytes, schema));
            Assert.True((SchemaReader.Read(new string(text), out var fault) is null) == (fault is not null));
        }
    }

    private static string DrawSchema(Random random, int depth)
    {
        if (random.Next(12) == 0)
        {
            return random.Next(4) > 0 ? "true" : "false";
        }

        var parts = new List<string>();
        string Number() => (random.Next(-4, 9) / 2.0).ToString("R", CultureInfo.InvariantCulture);
        string Scalar() => random.Next(5) switch { 0 => Number(), 1 => "\"ab\"", 2 => "true", 3 => "null", _ => "\"\"" };
        string[] types = ["object", "array", "string", "number", "integer", "boolean", "null"];
        var draws = new (string, int, Func<string>)[]
        {
            ("type", 3, () => random.Next(2) == 0 ? $"\"{types[random.Next(7)]}\"" : "[" + string.Join(",", types.Where(_ => random.Next(3) > 0).DefaultIfEmpty("null").Select(t => $"\"{t}\"")) + "]"),
            ("properties", depth > 0 ? 2 : 1000, () => "{" + string.Join(",", new[] { "a", "b", "é" }.Where(_ => random.Next(2) == 0).Select(n => $"\"{n}\":{DrawSchema(random, depth - 1)}")) + "}"),
            ("required", 5, () => random.Next(2) == 0 ? "[\"a\"]" : "[\"b\",\"c\"]"),
            ("additionalProperties", depth > 0 ? 5 : 1000, () => DrawSchema(random, depth - 1)),
            ("items", depth > 0 ? 3 : 1000, () => DrawSchema(random, depth - 1)),
            ("enum", 12, () => $"[{Scalar()},{Scalar()},{Scalar()}]"),
            ("minimum", 5, Number), ("maximum", 5, Number), ("exclusiveMinimum", 8, Number), ("exclusiveMaximum", 8, Number),
            ("minLength", 6, () => $"{random.Next(3)}"), ("maxLength", 6, () => $"{random.Next(4)}"), ("minItems", 6, () => $"{random.Next(3)}"), ("maxItems", 6, () => $"{random.Next(4)}"),
            ("pattern", 8, () => random.Next(2) == 0 ? "\"^a\"" : "\"[^b]$\""),
        };
        parts.AddRange(draws.Where(d => random.Next(d.Item2) == 0).Select(d => $"\"{d.Item1}\":{d.Item3()}"));
        return "{" + string.Join(",", parts) + "}";
    }

    private static string DrawValue(Random random, int depth) => random.Next(depth > 0 ? 10 : 5) switch
    {
        0 => (random.Next(-4, 9) / 2.0).ToString("R", CultureInfo.InvariantCulture),
        1 => new[] { "\"\"", "\"ab\"", "\"\\u0061b\"", "\"é\"", "\"b😀\"", "\"\\ud83d\\ude00a\"" }[random.Next(6)],
        2 => "true",
        3 => "null",
        4 => random.Next(-2, 4).ToString(CultureInfo.InvariantCulture) + ".0",
        5 or 6 => "[" + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => DrawValue(random, depth - 1))) + "]",
        _ => "{" + string.Join(",", new[] { "a", "b", "\\u00e9", "c", "d" }.Where(_ => random.Next(2) == 0).Select(n => $"\"{n}\":{DrawValue(random, depth - 1)}")) + "}",
    };

    private static bool Follows(JsonElement value, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            return schema.ValueKind == JsonValueKind.True;
        }

        bool Is(string type) => type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "number" => value.ValueKind == JsonValueKind.Number,
            "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() % 1 == 0,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            _ => value.ValueKind == JsonValueKind.Null,
        };
        bool Demands(string keyword, Func<JsonElement, bool> check) => !schema.TryGetProperty(keyword, out var given) || check(given);
        bool Numeric(string keyword, Func<double, double, bool> check) => Demands(keyword, g => !Is("number") || check(value.GetDouble(), g.GetDouble()));
        bool Length(string keyword, Func<int, int, bool> check) => Demands(keyword, g => !Is("string") || check(value.GetString()!.EnumerateRunes().Count(), g.GetInt32()));
        bool Count(string keyword, Func<int, int, bool> check) => Demands(keyword, g => !Is("array") || check(value.GetArrayLength(), g.GetInt32()));
        return Demands("type", g => g.ValueKind == JsonValueKind.String ? Is(g.GetString()!) : g.EnumerateArray().Any(t => Is(t.GetString()!)))
            && Demands("enum", g => g.EnumerateArray().Any(e => JsonElement.DeepEquals(e, value)))
            && Numeric("minimum", (v, g) => v >= g) && Numeric("maximum", (v, g) => v <= g) && Numeric("exclusiveMinimum", (v, g) => v > g) && Numeric("exclusiveMaximum", (v, g) => v < g)
            && Length("minLength", (v, g) => v >= g) && Length("maxLength", (v, g) => v <= g) && Count("minItems", (v, g) => v >= g) && Count("maxItems", (v, g) => v <= g)
            && Demands("pattern", g => !Is("string") || Regex.IsMatch(value.GetString()!, g.GetString()!))
            && Demands("items", g => !Is("array") || value.EnumerateArray().All(v => Follows(v, g)))
            && Demands("required", g => !Is("object") || g.EnumerateArray().All(n => value.TryGetProperty(n.GetString()!, out _)))
            && Demands("properties", g => !Is("object") || g.EnumerateObject().All(p => !value.TryGetProperty(p.Name, out var member) || Follows(member, p.Value)))
            && Demands("additionalProperties", g => !Is("object") || value.EnumerateObject().All(m => (schema.TryGetProperty("properties", out var named) && named.TryGetProperty(m.Name, out _)) || Follows(m.Value, g)));
    }
}
