namespace Sekisho.Scripting;

/// <summary>Why a call failed.</summary>
public enum FaultKind
{
    /// <summary>The source is no Lua text.</summary>
    Syntax,

    /// <summary>The script raised an error, or returned what cannot be taken.</summary>
    Error,

    /// <summary>Its instructions were used up.</summary>
    Instructions,

    /// <summary>Its memory was used up. Where exactly may differ between two runs.</summary>
    Memory,

    /// <summary>Its time was over. Where exactly differs between two runs.</summary>
    Time,
}

/// <summary>A call that failed.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Message">What the script or the sandbox says, cut to 500 characters; names lines of the script, no values that the host passed in unless the script put them there.</param>
public sealed record ScriptFault(FaultKind Kind, string Message)
{
    /// <summary>True when the same call from the same state fails in the same way everywhere.</summary>
    public bool Repeatable => Kind is FaultKind.Syntax or FaultKind.Error or FaultKind.Instructions;
}

/// <summary>What a call gave.</summary>
/// <param name="Result">JSON array of the values returned (UTF-8); empty when it failed. Valid until the next call.</param>
/// <param name="Fault">Why it failed; null when it did not.</param>
/// <param name="Instructions">Instructions used, in hundreds rounded down.</param>
/// <param name="Memory">Bytes in use at most, beyond what was in use when it began.</param>
/// <param name="Elapsed">Time it took.</param>
public readonly record struct ScriptRun(ReadOnlyMemory<byte> Result, ScriptFault? Fault, long Instructions, long Memory, TimeSpan Elapsed);

/// <summary>Answers what a worker asks for while it runs. Called on the thread of the call, with no Lua frame above it.</summary>
public interface IScriptHost
{
    /// <summary>Answers a request.</summary>
    /// <param name="request">Name of the function ("messages", …).</param>
    /// <param name="argument">Its argument as JSON (UTF-8); valid during the call.</param>
    /// <returns>JSON of the value to give back, or the fault that the script shall see as an error.</returns>
    HostAnswer Answer(string request, ReadOnlyMemory<byte> argument);
}

/// <summary>An answer to a script.</summary>
/// <param name="Value">JSON (UTF-8); ignored when there is a fault.</param>
/// <param name="Fault">What was wrong with the request; null when nothing was.</param>
public readonly record struct HostAnswer(ReadOnlyMemory<byte> Value, string? Fault = null);

/// <summary>A table of functions that a host answers.</summary>
/// <param name="Name">Name of the table in scripts.</param>
/// <param name="Functions">Names of its functions; each takes one value and gives one.</param>
public sealed record HostLibrary(string Name, IReadOnlyList<string> Functions);
