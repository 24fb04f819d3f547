using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Command;

/// <summary>
/// A command to the device that its field's list does not allow (R-063, C043). The stage says which bound it breaks, those first that stand for a person's decision as a rule.
/// Each command is a matter of its own, so each is raised; one that is told a second time (the gateway was killed in between) is not.
/// <code>
/// cell 0      stage of the last command
/// cell 1      where the next one is remembered
/// cell 2…17   hashes of the commands told last
/// </code>
/// </summary>
internal sealed class CommandCondition : ICondition
{
    public static readonly ConditionKind Kind = new("command", [Scopes.Device], TakesMode: false, [], _ => new CommandCondition())
    {
        Stages = CommandBounds.All,
    };

    private const int Own = 2;
    private const int Remembered = 16;

    public int Cells => Own + Remembered;

    /// <summary>A minute: what the device itself sends meanwhile is as usual.</summary>
    public long QuietAfter => 60_000;

    public bool RaisesEach => true;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Command;

    public int Stage(ReadOnlySpan<long> state) => (int)state[0];

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (signal.Happened is not CommandHeldEvent held)
        {
            return Verdict.None;
        }

        var hash = unchecked((long)StableHash.Of("command", held.CommandId));
        if (state[Own..].Contains(hash))
        {
            return Verdict.None;
        }

        state[Own + (int)state[1]] = hash;
        state[1] = (state[1] + 1) % Remembered;

        // A bound that a later version of the gateway told is outside the list as well.
        state[0] = StageOf(held.Bound);
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var held = (CommandHeldEvent)signal.Happened!;
        return new Evidence
        {
            Metric = "held-command",
            Unit = held.Measured is null ? "count" : "",
            Measured = held.Measured ?? 1,
            ExpectedLow = held.Low,
            ExpectedHigh = held.Measured is null ? 0 : held.High,
            Origin = "person",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("list", "allows", 0, ""),
            Claim = held.Sender,
            Facts = new Dictionary<string, string>
            {
                [FindingTexts.CommandFact] = held.CommandId,
                ["name"] = held.Name,
                ["sender"] = held.Sender,
                ["bound"] = held.Bound,
                ["pointer"] = held.Argument ?? "",
                ["value"] = held.Value,
                ["allowed"] = held.Allowed,
            },
        };
    }

    private static int StageOf(string bound)
    {
        for (var i = 0; i < CommandBounds.All.Count; i++)
        {
            if (CommandBounds.All[i] == bound)
            {
                return i;
            }
        }

        return CommandBounds.All.Count - 1;
    }
}
