using System.Globalization;
using System.Text;
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
        var (line, column, message) = Place(fault.Message, source);
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

    /// <summary>
    /// Line, column (both from 1) and message. Lua names the line; the column is that of the first such token in it where Lua names one, else that of the line's first
    /// character that is no space. Line 0 when it names none.
    /// </summary>
    public static (int Line, int Column, string Message) Place(string message, ReadOnlySpan<byte> source)
    {
        var rest = message.StartsWith(Chunk + ":", StringComparison.Ordinal) ? message[(Chunk.Length + 1)..] : "";
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !int.TryParse(rest[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var line))
        {
            return (0, 0, message);
        }

        var said = rest[(colon + 1)..].TrimStart();
        var text = Line(Encoding.UTF8.GetString(source), line);
        var near = said.LastIndexOf("near '", StringComparison.Ordinal);
        var token = near >= 0 ? said[(near + 6)..].TrimEnd('\'') : "";
        var at = token.Length > 0 ? text.IndexOf(token, StringComparison.Ordinal) : -1;
        return (line, (at >= 0 ? at : text.Length - text.TrimStart().Length) + 1, said);
    }

    private static string Line(string source, int number)
    {
        var lines = source.Split('\n');
        return number <= lines.Length ? lines[number - 1].TrimEnd('\r') : "";
    }
}
