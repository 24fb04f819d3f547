using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>What a script says of itself. Immutable.</summary>
internal sealed record ScriptManifest
{
    /// <summary>Most findings of a script.</summary>
    public const int MostFindings = 8;

    /// <summary>Most bytes of a flow script's state of a device.</summary>
    public const int MostState = 2048;

    /// <summary>Bytes of a worker's state.</summary>
    public const int WorkerState = 16 << 10;

    /// <summary>One of <see cref="ScriptKinds"/>.</summary>
    public required string Kind { get; init; }

    public required Bilingual Title { get; init; }

    /// <summary>Signals that a flow script is shown.</summary>
    public IReadOnlyList<SignalKind> On { get; init; } = [];

    /// <summary>Bytes of its state (JSON), for each device.</summary>
    public int StateBytes { get; init; }

    /// <summary>Milliseconds between two runs of a worker, or two ticks that a flow script is shown.</summary>
    public long Every { get; init; }

    /// <summary>In the order of their names.</summary>
    public required IReadOnlyList<ScriptFinding> Findings { get; init; }

    public bool IsWorker => Kind == ScriptKinds.Worker;
}

/// <summary>Something that a script may find.</summary>
internal sealed record ScriptFinding
{
    public required string Name { get; init; }

    /// <summary>The sentence; {NAME} stands for a value that the script gives.</summary>
    public required Bilingual Sentence { get; init; }

    public required string Risk { get; init; }

    public string? Threat { get; init; }

    public required string Level { get; init; }

    /// <summary>Unit of what was measured: "s", "bytes", "count" or nothing.</summary>
    public string Unit { get; init; } = "";

    public required Judgement Judgement { get; init; }

    /// <summary>Milliseconds without a violation after which it is over; <see cref="long.MaxValue"/> when only the script ends it.</summary>
    public long QuietAfter { get; init; } = long.MaxValue;
}

/// <summary>Stable names of kinds of scripts.</summary>
internal static class ScriptKinds
{
    /// <summary>Sees what happens to a device, in the lane.</summary>
    public const string Flow = "flow";

    /// <summary>Runs by itself every so often and reads the history.</summary>
    public const string Worker = "worker";

    public static readonly IReadOnlyList<string> All = [Flow, Worker];
}

/// <summary>Something wrong with a script.</summary>
/// <param name="Place">Where in the manifest, as a JSON pointer; "/source" for the text itself.</param>
/// <param name="Key">Text that says what is wrong: script.fault.KEY.</param>
/// <param name="Values">Values of the text.</param>
internal sealed record ScriptWrong(string Place, string Key, params (string Name, string Value)[] Values);
