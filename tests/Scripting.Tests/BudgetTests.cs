using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Sekisho.Scripting.Tests;

public class BudgetTests
{
    /// <summary>Scripts that try to get away, and what becomes of them: kinds of faults, or nothing when they may end well.</summary>
    public static readonly TheoryData<string, string> Hostile = new()
    {
        { "while true do end", "Instructions" },
        { "for i = 1, 1e18 do end", "Instructions" },
        { "goto a ::a:: goto a", "Instructions" },
        { "repeat until false", "Instructions" },
        { "while true do pcall(function() while true do end end) end", "Instructions" },
        { "while true do pcall(error) end", "Instructions" },
        { "local function f() return f() end f()", "Instructions" },
        { "local function f() pcall(f) f() end f()", "Instructions|Memory|Error" },
        { "local function f() return 1 + f() end f()", "Memory" },
        { "local t = {} for i = 1, 1e9 do t[i] = i end", "Memory" },
        { "local t = {} for i = 1, 1e9 do t[i] = {} end", "Memory|Instructions" },
        { "local s = 'x' while true do s = s .. s end", "Memory" },
        { "local s = 'x' while true do pcall(function() s = s .. s end) end", "Instructions|Memory" },
        { "local s = ('x'):rep(60000) while true do local t = s .. s end", "Instructions|Time" },
        { "local s = ('x'):rep(60000) while true do local t = s:upper() end", "Instructions|Time" },
        { "local s = ('x'):rep(60000) while true do local t = s:reverse() == s end", "Instructions|Time" },
        { "local s = ('x'):rep(60000) while true do local t = s:find('y', 1, true) end", "Instructions|Time" },
        { "return ('a'):rep(30):match(('a?'):rep(30) .. ('a'):rep(30))", "Instructions" },
        { "return ('a'):rep(200):match('.-.-.-.-.-b')", "Instructions" },
        { "return ('('):rep(5000):match('%b()%b()')", "Instructions" },
        { "return ('a'):rep(5000):gsub('.-b', '')", "Instructions" },
        { "return ('x'):rep(60000):gsub('x', ('y'):rep(1000))", "Instructions" },
        { "return pcall(string.rep, 'x', -1), pcall(string.rep, 'x', 1e300)", "" },
        { "return (('%99.99f'):rep(60)):format(table.unpack({}, 1, 60))", "Error" },
        { "local t = {} for i = 1, 60 do t[i] = 1e308 end return #('%99.99f'):rep(60):format(table.unpack(t))", "" },
        { "return ('%s'):rep(2000):format(1)", "Error" },
        { "return #table.concat({('x'):rep(60000), ('x'):rep(60000), ('x'):rep(60000), ('x'):rep(60000), ('x'):rep(60000)})", "Memory" },
        { "local t = {} for i = 1, 2000 do t[i] = ('x'):rep(100) end return #table.concat(t, ('y'):rep(60000))", "Memory" },
        { "table.sort({3,2,1,5,4}, function() while true do end end)", "Instructions" },
        { "local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function() return true end) return #t", "" },
        { "('x'):gsub('x', function() while true do end end)", "Instructions" },
        { "for _ in pairs(string) do end for k in ('aaaa'):gmatch('a*') do while true do end end", "Instructions" },
        { "return setmetatable({}, { __gc = function() while true do end end })", "Error" },
        { "local x <close> = 1", "Error" },
        { "local x <close> = nil return 1", "" },
        { "getmetatable('').__index = nil", "Error" },
        { "string.rep = function() end", "Error" },
        { "('').rep = 1", "Error" },
        { "local s = string s.x = 1", "Error" },
        { "_ENV = nil x = 1", "Error" },
        { "_ENV = { pcall = pcall } while true do pcall(function() _ENV = {} end) end", "Error|Instructions" },
        { "pairs = nil ipairs = nil return 1", "" },
        { "error(nil)", "Error" },
        { "error(setmetatable)", "Error" },
        { "error(('x'):rep(60000))", "Error" },
        { "return coroutine.wrap(function() while true do end end)()", "Error" },
        { "return string.dump(function() end)", "Error" },
        { "return debug.sethook()", "Error" },
        { "return ('x'):rep(65536, ('y'):rep(65536))", "Error" },
        { "return utf8.char(table.unpack({0x7fffffff, 0x10ffff}))", "Error" },
        { "return #{ ('x'):rep(60000):byte(1, -1) }", "Memory|Error" },
        { "return #{ utf8.codepoint(('x'):rep(60000), 1, -1) }", "Memory|Error" },
        { "return select(-1)", "Error" },
        { "return tonumber(('9'):rep(60000)), tonumber('z', 99)", "Error" },
        { "local t = {} t[0/0] = 1", "Error" },
        { "local a = {} for i = 1, 30 do a = { a } end return a", "Error" },
        { "return " + new string('(', 1000) + "1" + new string(')', 1000), "Syntax" },
        { "return " + string.Concat(Enumerable.Repeat("{", 150)) + string.Concat(Enumerable.Repeat("}", 150)), "Error" },
        { "return 1 // 0", "Error" },
        { "return math.mininteger // -1, math.mininteger % -1, 5 // 0.0 > 1", "" },
        { "return 1 << 64, 1 >> -70, 1 << math.mininteger", "" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Hostile_scripts_end_within_their_budget_and_the_sandbox_works_on(string body, string faults)
    {
        using var sandbox = Sandbox.Open(Encoding.UTF8.GetBytes($"return {{ f = function() {body}\nend, good = function() return 1 end }}"), "test", SandboxLimits.Flow, [], out var fault);
        if (sandbox is null)
        {
            Assert.True(faults == "Syntax" && fault!.Kind == FaultKind.Syntax, $"{body}: {fault}");
            return;
        }

        for (var i = 0; i < 4; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var run = Scripts.Call(sandbox, "f");
            // On a busy machine the clock may be the first of the budgets to run out.
            var isTooSlow = run.Fault?.Kind == FaultKind.Time && faults.Contains("Instructions", StringComparison.Ordinal);
            Assert.True(isTooSlow || (faults.Length == 0 ? run.Fault is null : faults.Split('|').Contains(run.Fault?.Kind.ToString())), $"{body}: {Scripts.Shown(run)}");
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), $"{body} took {Stopwatch.GetElapsedTime(started)}");
            Assert.Equal("[1]", Scripts.Shown(Scripts.Call(sandbox, "good")));
            Assert.True(sandbox.MemoryInUse < 4 << 20, $"{body} leaves {sandbox.MemoryInUse} bytes");
        }
    }

    [Theory]
    [InlineData("while true do end")]
    [InlineData("for i = 1, 10 do end return 1")]
    [InlineData("while true do pcall(function() while true do end end) end")]
    [InlineData("local n = 0 while true do n = n + #('abc'):gsub('b', 'x') end")]
    [InlineData("local t = {} for i = 1, 400 do t['k' .. i * 7919 % 1000] = i end for k, v in pairs(t) do t[k] = nil end return 1")]
    public void Instructions_are_counted_alike_in_every_state(string body)
    {
        var counts = Enumerable.Range(0, 10).Select(_ =>
        {
            using var sandbox = Scripts.Open($"return {{ f = function() {body} end }}");
            var (first, second) = (Scripts.Call(sandbox, "f"), Scripts.Call(sandbox, "f"));
            Assert.Equal(first.Instructions, second.Instructions);
            Assert.Equal(first.Fault?.Kind, second.Fault?.Kind);
            return first.Instructions;
        });
        Assert.Single(counts.Distinct());
    }

    [Fact]
    public void The_budget_ends_a_script_at_the_same_place_everywhere()
    {
        // The longest loop that still ends well, found in states of their own each time.
        static long Last(long budget)
        {
            var (low, high) = (1L, 100_000L);
            while (low < high)
            {
                var middle = (low + high + 1) / 2;
                var run = Scripts.Run(SandboxLimits.Flow with { Instructions = budget }, $"local n = 0 for i = 1, {middle} do n = n + i end return n");
                (low, high) = run.StartsWith('[') ? (middle, high) : (low, middle - 1);
            }

            return low;
        }

        Assert.Equal(Last(10_000), Last(10_000));
        Assert.InRange(Last(10_000), 3_000, 5_000);
    }

    [Fact]
    public void A_script_that_catches_the_lack_of_memory_has_failed_all_the_same() =>
        Assert.StartsWith("Memory: ", Scripts.Run("pcall(function() local s = 'x' while true do s = s .. s end end) return 1"), StringComparison.Ordinal);

    [Fact]
    public void Time_stops_what_the_instructions_would_allow()
    {
        var limits = SandboxLimits.Flow with { Instructions = long.MaxValue, Time = TimeSpan.FromMilliseconds(20) };
        Assert.Equal("Time: more than 20 ms in one call", Scripts.Run(limits, "while true do pcall(function() while true do end end) end"));
    }

    [Fact]
    public void Arguments_do_not_count_against_the_memory_of_the_script() =>
        Assert.Equal("[50000]", Scripts.Run("return #a", "[" + string.Join(",", Enumerable.Repeat("{}", 50_000)) + "]"));

    [Fact]
    public void Arguments_that_are_no_json_are_the_hosts_mistake_and_leave_a_working_sandbox()
    {
        using var sandbox = Scripts.Open("return { f = function(a) return a end }");
        foreach (var wrong in (string[])["", "{", "[1,", "{\"a\":", "nul", "1 2", new string('[', 40) + new string(']', 40)])
        {
            Assert.ThrowsAny<JsonException>(() => Scripts.Call(sandbox, "f", "1", wrong));
            Assert.Equal("[1]", Scripts.Shown(Scripts.Call(sandbox, "f", "1")));
        }

        Assert.Throws<InvalidOperationException>(() => Scripts.Call(sandbox, "f", "\"\\ud800\""));
        Assert.Equal("[1]", Scripts.Shown(Scripts.Call(sandbox, "f", "1")));
    }

    [Fact]
    public void States_on_many_threads_do_not_disturb_each_other_while_memory_is_collected()
    {
        // A collection while each call runs, and no more: without a bound the collector takes the processor from the calls, and from all tests beside them.
        const int Threads = 4;
        const int Calls = 300;
        using var begun = new SemaphoreSlim(0);
        var collector = new Thread(() =>
        {
            for (var i = 0; i < Threads * Calls; i++)
            {
                begun.Wait();
                GC.Collect();
            }
        });
        collector.Start();
        var wrong = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            using var sandbox = Scripts.Open("return { f = function(a) if a % 3 == 0 then while true do end elseif a % 3 == 1 then local t = {} while true do t[#t + 1] = {} end end return a end }");
            for (var i = 0; i < Calls; i++)
            {
                begun.Release();
                var shown = Scripts.Shown(Scripts.Call(sandbox, "f", $"{i}"));
                if (i % 3 == 2 ? shown != $"[{i}]" : !shown.Contains("more than", StringComparison.Ordinal))
                {
                    wrong.Enqueue(shown);
                }
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        collector.Join();
        Assert.Empty(wrong);
    }

    [Fact]
    public void A_worker_asks_its_host_and_gets_values_or_errors()
    {
        using var sandbox = Scripts.Open(
            """
            return { run = function(a)
              local sum = 0
              for i = 1, 3 do sum = sum + history.messages({ n = i }).value end
              local ok, why = pcall(history.messages, { n = 13 })
              local empty = history.messages()
              return sum, ok, why, empty
            end }
            """,
            SandboxLimits.Worker,
            new HostLibrary("history", ["messages"]));
        var host = new Doubling();
        Assert.Equal("""[12,false,"unlucky",{"value":0}]""", Scripts.Shown(sandbox.CallWith("run", host, "{}"u8.ToArray())));
        Assert.Equal(5, host.Asked);
        Assert.StartsWith("Error: attempt to yield from outside", Scripts.Shown(Scripts.Call(sandbox, "run", "{}")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_throws_leaves_a_working_sandbox()
    {
        using var sandbox = Scripts.Open("return { run = function(a) return history.messages(a) end }", SandboxLimits.Worker, new HostLibrary("history", ["messages"]));
        Assert.Throws<TimeoutException>(() => sandbox.CallWith("run", new Broken(), "{}"u8.ToArray()));
        Assert.Equal("""[{"value":4}]""", Scripts.Shown(sandbox.CallWith("run", new Doubling(), "{\"n\":2}"u8.ToArray())));
    }

    [Theory]
    [InlineData("while true do history.messages({ n = 1 }) end", FaultKind.Instructions)]
    [InlineData("while true do pcall(history.messages, { n = 13 }) end", FaultKind.Instructions)]
    [InlineData("history.messages(function() end)", FaultKind.Error)]
    [InlineData("local t = {} t.t = t history.messages(t)", FaultKind.Error)]
    [InlineData("table.sort({ 3, 1, 2 }, function(x, y) history.messages({ n = 1 }) return x < y end) ('x'):gsub('x', function() history.messages({ n = 1 }) end) error('end')", FaultKind.Error)]
    public void A_worker_that_asks_without_end_is_stopped(string body, FaultKind kind)
    {
        using var sandbox = Scripts.Open($"return {{ run = function() {body} end }}", SandboxLimits.Worker with { Instructions = 100_000 }, new HostLibrary("history", ["messages"]));
        Assert.Equal(kind, sandbox.CallWith("run", new Doubling()).Fault!.Kind);
        Assert.Equal(kind, sandbox.CallWith("run", new Doubling()).Fault!.Kind);
    }

    private sealed class Doubling : IScriptHost
    {
        public int Asked { get; private set; }

        public HostAnswer Answer(string request, ReadOnlyMemory<byte> argument)
        {
            Asked++;
            Assert.Equal("messages", request);
            using var json = JsonDocument.Parse(argument);
            var n = json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("n", out var given) ? given.GetInt32() : 0;
            return n == 13 ? new HostAnswer(default, "unlucky") : new HostAnswer(Encoding.UTF8.GetBytes($$"""{"value":{{n * 2}}}"""));
        }
    }

    private sealed class Broken : IScriptHost
    {
        public HostAnswer Answer(string request, ReadOnlyMemory<byte> argument) => throw new TimeoutException();
    }
}
