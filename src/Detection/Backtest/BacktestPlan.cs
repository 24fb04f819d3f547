using Sekisho.Detection.Templates;

namespace Sekisho.Detection.Backtest;

/// <summary>What to try, and on what.</summary>
/// <param name="FieldId">The field whose history is replayed.</param>
/// <param name="Proposed">Template and values.</param>
/// <param name="Plan">The plan they make in the field, with its zone, calendar and switches as of now.</param>
/// <param name="Current">What is in force, replayed beside it to compare; null when there is nothing, or it is not asked for.</param>
/// <param name="CurrentPlan">The plan of that.</param>
/// <param name="LearnFrom">First event: from here on the plan learns.</param>
/// <param name="From">From here on findings are counted.</param>
/// <param name="To">End.</param>
internal sealed record BacktestPlan(
    string FieldId, FieldTemplate Proposed, FieldPlan Plan, FieldTemplate? Current, FieldPlan? CurrentPlan, DateTimeOffset LearnFrom, DateTimeOffset From, DateTimeOffset To);

/// <summary>Stable names of the states of a back-test.</summary>
internal static class BacktestStates
{
    public const string Running = "running";
    public const string Done = "done";
    public const string Cancelled = "cancelled";
    public const string Failed = "failed";
}
