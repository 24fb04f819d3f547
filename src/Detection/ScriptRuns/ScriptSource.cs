using System.Globalization;
using Sekisho.Scripting;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>Opens the text of a script and reads what it says of itself. Pure but for the time limit.</summary>
internal static class ScriptSource
{
    /// <summary>Name of the script in Lua's messages.</summary>
    public const string Chunk = "script";

    /// <summary>What a worker may ask for.</summary>
    public static readonly IReadOnlyList<HostLibrary> WorkerLibraries = [new HostLibrary("history", ["messages", "devices", "now"])];

    /// <summary>Opens it.</summary>
    /// <param name="source">Lua (UTF-8).</param>
    /// <param name="manifest">What it says of itself; null when there is a fault.</param>
    /// <param name="faults">What is wrong.</param>
    /// <returns>The sandbox to run it in; null when there is a fault.</returns>
    public static Sandbox? Open(ReadOnlySpan<byte> source, out ScriptManifest? manifest, out IReadOnlyList<ScriptWrong> faults)
    {
        manifest = null;
        var sandbox = Sandbox.Open(source, Chunk, SandboxLimits.Flow, WorkerLibraries, out var fault);
        if (sandbox is null)
        {
            faults = [Wrong(fault!, source)];
            return null;
        }

        var run = sandbox.Describe();
        if (run.Fault is not null)
        {
            faults = [Wrong(run.Fault, source)];
        }
        else
        {
            manifest = ManifestReader.Read(run.Result, out faults);
        }

        if (manifest is { IsWorker: false })
        {
            return sandbox;
        }

        sandbox.Dispose();
        return manifest is null ? null : Sandbox.Open(source, Chunk, SandboxLimits.Worker, WorkerLibraries, out _);
    }

    /// <summary>A fault of the sandbox with its place in the text.</summary>
    public static ScriptWrong Wrong(ScriptFault fault, ReadOnlySpan<byte> source)
    {
        var (line, column, message) = FaultPlace.Of(fault.Message, Chunk, source);
        return fault.Kind is FaultKind.Instructions or FaultKind.Time or FaultKind.Memory
            ? new ScriptWrong("/source", "budget", ("message", message))
            : line == 0 ? new ScriptWrong("/source", "lua", ("message", message))
            : new ScriptWrong(
                string.Create(CultureInfo.InvariantCulture, $"/source line {line} column {column}"),
                "lua-at",
                ("line", line.ToString(CultureInfo.InvariantCulture)),
                ("column", column.ToString(CultureInfo.InvariantCulture)),
                ("message", message));
    }
}
