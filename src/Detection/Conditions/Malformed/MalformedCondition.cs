using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Malformed;

/// <summary>Bodies that are no acceptable JSON, several within a window .</summary>
internal sealed class MalformedCondition(RefusalCountParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "malformed",
        [Scopes.Device, Scopes.User, Scopes.Source, Scopes.Field],
        TakesMode: false,
        RefusalCountParameters.Specs,
        input => new MalformedCondition(RefusalCountParameters.Of(input)));

    private readonly RefusalCount _count = new(parameters);

    public int Cells => _count.Cells;

    public long QuietAfter => parameters.WindowMs;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Refusal && signal.What == RefusalReasons.Malformed;

    public Verdict Step(Span<long> state, in Signal signal) => Concerns(signal) ? _count.Step(state, signal) : Verdict.None;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => _count.Explain(state);
}
