using Sekisho.Domain.History;

namespace Sekisho.Detection.Backtest;

/// <summary>One back-test: how far it is, and what came out. Written by its own threads, read by any.</summary>
internal sealed class BacktestJob(string id, BacktestPlan plan, string by, DateTimeOffset at) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private long _events;
    private long _reached;
    private volatile BacktestOutcome? _outcome;
    private volatile string _state = BacktestStates.Running;

    public string Id { get; } = id;

    public BacktestPlan Plan { get; } = plan;

    public string By { get; } = by;

    public DateTimeOffset StartedAt { get; } = at;

    public DateTimeOffset? EndedAt { get; private set; }

    public string State => _state;

    /// <summary>What came out; null until it is done.</summary>
    public BacktestOutcome? Outcome => _outcome;

    public long Events => Volatile.Read(ref _events);

    /// <summary>Share of the span that is done, 0 to 1.</summary>
    public double Progress
    {
        get
        {
            var (from, to, at) = (Plan.LearnFrom.ToUnixTimeMilliseconds(), Plan.To.ToUnixTimeMilliseconds(), Volatile.Read(ref _reached));
            return _state == BacktestStates.Done ? 1 : at == 0 || to <= from ? 0 : Math.Round(Math.Clamp((at - from) / (double)(to - from), 0, 1), 3);
        }
    }

    public CancellationToken Stopping => _stop.Token;

    public void Cancel() => _stop.Cancel();

    public void Reached(long events, DateTimeOffset at)
    {
        Interlocked.Add(ref _events, events);
        Volatile.Write(ref _reached, at.ToUnixTimeMilliseconds());
    }

    public void End(string state, BacktestOutcome? outcome, DateTimeOffset at)
    {
        _outcome = outcome;
        EndedAt = at;
        _state = state;
    }

    public void Dispose() => _stop.Dispose();
}

/// <summary>What came out of a back-test.</summary>
/// <param name="Proposed">Findings of what was tried.</param>
/// <param name="Current">Findings of what is in force; null when it was not replayed.</param>
/// <param name="Raised">What really was raised in the same span, by condition: findings and subjects.</param>
/// <param name="Kept">What the history held.</param>
/// <param name="Devices">Devices that sent.</param>
/// <param name="Messages">Messages replayed.</param>
internal sealed record BacktestOutcome(
    Tally Proposed, Tally? Current, IReadOnlyDictionary<string, (long Findings, long Subjects)> Raised, KeptEvents Kept, int Devices, long Messages);
