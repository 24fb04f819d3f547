using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sekisho.Scripting.Tests;

/// <summary>Random scripts and random JSON. SEKISHO_FUZZ_SECONDS makes it long; the seed of a failure stands in its message.</summary>
public class FuzzTests
{
    private static readonly string[] Names = ["a", "b", "c", "string", "table", "math", "utf8", "pairs", "ipairs", "pcall", "error", "assert", "select", "tostring", "tonumber", "type", "null"];
    private static readonly string[] Variables = ["a", "b", "c", "d"];
    private static readonly string[] Libraries = ["string", "table", "math", "utf8"];
    private static readonly string[] Members = ["rep", "find", "match", "gmatch", "gsub", "format", "upper", "lower", "sub", "byte", "char", "len", "reverse", "sort", "concat", "insert", "remove", "unpack", "pack", "floor", "max", "huge", "mininteger", "codepoint", "offset", "x"];
    private static readonly string[] Literals = ["0", "1", "-1", "2.5", "1e308", "math.huge", "math.mininteger", "'x'", "'%a+'", "'(.-)%1'", "'%99.9f'", "'\\xff'", "{}", "{1,2,3}", "{x=1}", "nil", "true", "null", "('x'):rep(1000)", "function(...) return ... end", "..."];
    private static readonly string[] Operators = ["+", "-", "*", "/", "//", "%", "^", "..", "==", "<", "<=", "and", "or", "&", "<<", "~="];
    private static readonly string[] Words = ["do", "end", "if", "then", "function", "return", "local", "=", "(", ")", "[[", "--[[", "goto", "::"];

    [Fact]
    public void Random_scripts_end_and_say_the_same_twice() => Repeat(400, (random, seed) =>
    {
        var source = $"return {{ f = function(a, b, ...) local c = a {Block(random, 0)} return a, b, c end }}";
        var limits = SandboxLimits.Flow with { Instructions = 20_000 };
        using var first = Sandbox.Open(Encoding.UTF8.GetBytes(source), "test", limits, [], out var fault);
        if (first is null)
        {
            Assert.True(fault!.Kind == FaultKind.Syntax, $"seed {seed}: {source}");
            return;
        }

        using var second = Scripts.Open(source, limits);
        for (var i = 0; i < 3; i++)
        {
            var (one, two) = (Scripts.Call(first, "f", "[1,2,3]", "\"text\""), Scripts.Call(second, "f", "[1,2,3]", "\"text\""));
            if (one.Fault is not { Repeatable: false } && two.Fault is not { Repeatable: false })
            {
                var same = Scripts.Shown(one) == Scripts.Shown(two) && one.Instructions == two.Instructions;
                Assert.True(same, $"seed {seed}: {source}\n{Scripts.Shown(one)} {one.Instructions}\n{Scripts.Shown(two)} {two.Instructions}");
            }
        }
    });

    [Fact]
    public void Random_bytes_are_loaded_or_refused() => Repeat(1000, (random, _) =>
    {
        var source = new byte[random.Next(200)];
        random.NextBytes(source);
        if (random.Next(2) == 0)
        {
            source = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, random.Next(40)).Select(_ => Pick(random, Names, Members, Literals, Operators, Words))));
        }

        using var sandbox = Sandbox.Open(source, "test", SandboxLimits.Flow, [], out var fault);
        Assert.Equal(sandbox is null, fault is not null);
        sandbox?.Describe();
    });

    [Fact]
    public void Random_json_passes_through_unchanged()
    {
        using var sandbox = Scripts.Open("return { f = function(a) return a end }");
        Repeat(2000, (random, seed) =>
        {
            var json = Json(random, 0);
            var once = Scripts.Shown(Scripts.Call(sandbox, "f", json));
            if (once.StartsWith("Error: what is returned has more than", StringComparison.Ordinal))
            {
                Assert.True(json.Length > 4096, $"seed {seed}: {json}");
                return;
            }

            using var expected = JsonDocument.Parse($"[{json}]");
            using var got = JsonDocument.Parse(once);
            Assert.True(JsonElement.DeepEquals(expected.RootElement, got.RootElement), $"seed {seed}: {json}\n{once}");
        });
    }

    private static void Repeat(int least, Action<Random, int> one)
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("SEKISHO_FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);
        var start = seconds == 0 ? 1 : new Random().Next(1_000_000_000);
        var until = Stopwatch.GetTimestamp() + (seconds * Stopwatch.Frequency);
        for (var i = 0; i < least || Stopwatch.GetTimestamp() < until; i++)
        {
            one(new Random(start + i), start + i);
        }
    }

    private static string Pick(Random random, params string[][] from)
    {
        var some = from[random.Next(from.Length)];
        return some[random.Next(some.Length)];
    }

    private static string Block(Random random, int depth) => string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Statement(random, depth)));

    private static string Statement(Random random, int depth) => (depth > 3 ? random.Next(3) : random.Next(10)) switch
    {
        0 or 1 => $"{Pick(random, Variables)} = {Expression(random, depth)};",
        2 => $"local _ = {Expression(random, depth)};",
        3 => $"for i = {Expression(random, 9)}, {Expression(random, 9)} do {Block(random, depth + 1)} end",
        4 => $"for k, v in pairs({Expression(random, depth + 1)}) do {Block(random, depth + 1)} end",
        5 => $"while {Expression(random, depth + 1)} do {Block(random, depth + 1)} end",
        6 => $"if {Expression(random, depth + 1)} then {Block(random, depth + 1)} end",
        7 => $"pcall(function(...) {Block(random, depth + 1)} end)",
        8 => $"do local function f(...) {Block(random, depth + 1)} return {(random.Next(2) == 0 ? "f(...)" : Expression(random, depth + 1))} end pcall(f) end",
        _ => $"do local t = {{}} t[{Expression(random, depth + 1)}] = {Expression(random, depth + 1)} a = t end",
    };

    private static string Expression(Random random, int depth) => (depth > 4 ? random.Next(2) : random.Next(7)) switch
    {
        0 => Pick(random, Literals),
        1 => Pick(random, Variables),
        2 => $"({Expression(random, depth + 1)} {Pick(random, Operators)} {Expression(random, depth + 1)})",
        3 => $"({Expression(random, depth + 1)}):{Pick(random, Members)}({Expression(random, depth + 1)}, {Expression(random, depth + 1)})",
        4 => $"{Pick(random, Libraries)}.{Pick(random, Members)}({Expression(random, depth + 1)}, {Expression(random, depth + 1)})",
        5 => $"(select(2, pcall({Pick(random, Libraries)}.{Pick(random, Members)}, {Expression(random, depth + 1)}, {Expression(random, depth + 1)}, {Expression(random, depth + 1)})))",
        _ => $"#{Expression(random, depth + 1)}",
    };

    private static string Json(Random random, int depth) => (depth > 4 ? random.Next(5) : random.Next(7)) switch
    {
        0 => random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture),
        1 => (random.NextDouble() * Math.Pow(10, random.Next(-300, 300))).ToString("R", CultureInfo.InvariantCulture),
        2 => JsonSerializer.Serialize(string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => new Rune(random.Next(3) == 0 ? random.Next(0xE000, 0x110000) : random.Next(0, 0x200)).ToString()))),
        3 => random.Next(2) == 0 ? "true" : "false",
        4 => random.Next(1000).ToString(CultureInfo.InvariantCulture),
        5 => "[1," + string.Join(',', Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(5) == 0 ? "null" : Json(random, depth + 1))) + "]",
        _ => "{" + string.Join(',', Enumerable.Range(0, random.Next(5)).Select(i => $"\"k{random.Next(1000)}{i}\":{Json(random, depth + 1)}")) + "}",
    };
}
