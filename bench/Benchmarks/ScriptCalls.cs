using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sekisho.Scripting;

namespace Sekisho.Benchmarks;

/// <summary>What a call into a script costs, on one thread: nothing at all, a typical step, a pattern, and what a fault costs with the state built anew.</summary>
internal static class ScriptCalls
{
    private const string Event = """{"device":"d123456789abcdef","at":1775001600000,"bytes":512,"payload":{"temperature":21.5,"speed":48,"state":"on","position":{"lat":35.68,"lon":139.76}}}""";

    public static int Run(double seconds)
    {
        Console.WriteLine("| call | µs | calls per second | bytes allocated |\n|---|---|---|---|");
        Measure("nothing in, nothing out", "return { step = function() end }", seconds);
        Measure("event in, nothing out", "return { step = function(state, event) end }", seconds, "{}", Event);
        Measure("counts and compares, state out", "return { step = function(state, event) local n = (state.n or 0) + 1 local t = event.payload.temperature if t > 80 then return { n = n }, { measured = t } end return { n = n, last = t } end }", seconds, """{"n":41,"last":21.0}""", Event);
        Measure("one pattern", "return { step = function(state, event) return event.device:match('^d(%x+)$') end }", seconds, "{}", Event);
        Measure("error, state built anew", "return { step = function() error('no') end }", seconds);
        Measure("budget of 100000 instructions used up", "return { step = function() while true do end end }", seconds);
        return 0;
    }

    private static void Measure(string name, string source, double seconds, params string[] arguments)
    {
        using var sandbox = Sandbox.Open(Encoding.UTF8.GetBytes(source), "bench", SandboxLimits.Flow, [], out var fault) ?? throw new InvalidOperationException(fault!.Message);
        var given = arguments.Select(a => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(a)).ToArray();
        For(sandbox, given, seconds / 4);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var (calls, taken) = For(sandbox, given, seconds);
        var allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / calls;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {taken / calls * 1e6:F2} | {calls / taken:F0} | {allocated} |"));
    }

    private static (long Calls, double Seconds) For(Sandbox sandbox, ReadOnlyMemory<byte>[] arguments, double seconds)
    {
        var started = Stopwatch.GetTimestamp();
        for (var calls = 1L; ; calls++)
        {
            sandbox.Call("step", arguments);
            if (Stopwatch.GetElapsedTime(started).TotalSeconds is var taken && taken >= seconds)
            {
                return (calls, taken);
            }
        }
    }
}
