using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>
/// Runs a flow script over a device's signals and keeps its state; says nothing itself. The claims behind it in the plan say what it found.
/// <code>
/// cell 0  bytes of the state, 0 for none yet
/// cell 1  arrival time of the last tick shown
/// cell 2… the state, JSON, padded with zeros
/// </code>
/// </summary>
internal sealed class ScriptCondition(RunningScript script) : ICondition
{
    private readonly ScriptManifest _manifest = script.Manifest!;
    private readonly bool _ticks = script.Manifest!.On.Contains(SignalKind.Tick);

    public int Cells => script.Cells;

    // What it knows may matter for ever.
    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => _manifest.On.Contains(signal.Kind);

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || (signal.Kind == SignalKind.Tick && signal.At < Next(state)))
        {
            script.Pass();
            return Verdict.None;
        }

        if (_ticks)
        {
            state[1] = signal.Kind == SignalKind.Tick || state[1] == 0 ? signal.At : state[1];
        }

        script.Step(state, signal);
        return Verdict.None;
    }

    public long Due(ReadOnlySpan<long> state, long at, long downtime) => _ticks && state[1] != 0 && !script.IsOff ? Next(state) : long.MaxValue;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => throw new InvalidOperationException("A script claims through its findings.");

    private long Next(ReadOnlySpan<long> state) => state[1] + _manifest.Every;
}

/// <summary>One finding of a script: what the call before it in the plan said.</summary>
internal sealed class ScriptClaim(RunningScript script, int index) : ICondition
{
    private readonly ScriptFinding _finding = script.Manifest!.Findings[index];

    public int Cells => 0;

    public long QuietAfter => _finding.QuietAfter;

    public bool Concerns(in Signal signal) => script.Manifest!.On.Contains(signal.Kind);

    public Verdict Step(Span<long> state, in Signal signal) => script.VerdictOf(index)?.Verdict ?? Verdict.None;

    public long Due(ReadOnlySpan<long> state, long at, long downtime) => long.MaxValue;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var verdict = script.VerdictOf(index)!;
        var facts = new Dictionary<string, string>
        {
            ["text.ja"] = ScriptResult.Fill(_finding.Sentence.Ja, verdict.Values),
            ["text.en"] = ScriptResult.Fill(_finding.Sentence.En, verdict.Values),
        };
        foreach (var (name, value) in verdict.Values)
        {
            facts["value." + name] = value;
        }

        return new Evidence
        {
            Metric = _finding.Name,
            Unit = _finding.Unit,
            Measured = verdict.Measured,
            ExpectedHigh = verdict.Expected,
            Origin = "script",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("limit", "at-least", verdict.Measured, _finding.Unit),
            Facts = facts,
        };
    }
}
