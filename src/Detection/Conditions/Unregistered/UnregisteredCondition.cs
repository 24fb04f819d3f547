using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Unregistered;

/// <summary>Attempts to authenticate as nobody known or with a wrong secret, several from one sender within a window .</summary>
internal sealed class UnregisteredCondition(RefusalCountParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "unregistered",
        [Scopes.Source, Scopes.Field],
        TakesMode: false,
        RefusalCountParameters.Specs,
        input => new UnregisteredCondition(RefusalCountParameters.Of(input)));

    private readonly RefusalCount _count = new(parameters);

    public int Cells => _count.Cells;

    public long QuietAfter => parameters.WindowMs;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Refusal && signal.What is RefusalReasons.Unregistered or RefusalReasons.WrongSecret;

    public Verdict Step(Span<long> state, in Signal signal) => Concerns(signal) ? _count.Step(state, signal) : Verdict.None;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => _count.Explain(state);
}
