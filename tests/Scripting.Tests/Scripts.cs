using System.Text;

namespace Sekisho.Scripting.Tests;

/// <summary>Short ways to run a piece of Lua.</summary>
internal static class Scripts
{
    public static Sandbox Open(string source, SandboxLimits? limits = null, params HostLibrary[] libraries)
    {
        var sandbox = Sandbox.Open(Encoding.UTF8.GetBytes(source), "test", limits ?? SandboxLimits.Flow, libraries, out var fault);
        Assert.True(fault is null, fault?.Message);
        return sandbox!;
    }

    /// <summary>The body of a function f(a, b) run once; what it returns as JSON, or "KIND: message".</summary>
    public static string Run(string body, params string[] arguments) => Run(SandboxLimits.Flow, body, arguments);

    public static string Run(SandboxLimits limits, string body, params string[] arguments)
    {
        using var sandbox = Open($"return {{ f = function(a, b) {body}\nend }}", limits);
        return Shown(Call(sandbox, "f", arguments));
    }

    public static ScriptRun Call(Sandbox sandbox, string function, params string[] arguments) =>
        sandbox.Call(function, [.. arguments.Select(a => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(a))]);

    public static string Shown(ScriptRun run) => run.Fault is { } fault ? $"{fault.Kind}: {fault.Message}" : Encoding.UTF8.GetString(run.Result.Span);
}
