using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Detection.Backtest;

/// <summary>
/// Runs a back-test: one reader, a thread for each plan, a few portions of events between them. Memory is that of the states and the tallies,
/// however long the span. Between portions it lets the live lanes go first. Any thread.
/// </summary>
internal sealed class BacktestRunner(IEventHistory history, IDeviceDirectory directory, BookStore books, FindingStore findings, LaneSettings lanes, LanePump live, TimeProvider time)
{
    private const int Ahead = 4;
    private static readonly TimeSpan MostLag = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs to the end.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<BacktestOutcome> RunAsync(BacktestJob job)
    {
        var plan = job.Plan;
        var cancellation = job.Stopping;
        var kept = await history.KeptAsync(plan.FieldId, plan.LearnFrom, plan.To, cancellation).ConfigureAwait(false);
        var start = await BooksAsync(plan, cancellation).ConfigureAwait(false);
        var startAgain = await BooksAsync(plan, cancellation).ConfigureAwait(false);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(plan.Plan.ZoneId ?? "UTC");
        var from = plan.From.ToUnixTimeMilliseconds();
        var proposed = new Track(new Replay(plan.FieldId, plan.Plan, directory, start, lanes.Sources, kept.FirstTick), new Tally(zone, from), cancellation);
        var current = plan.CurrentPlan is null ? null
            : new Track(new Replay(plan.FieldId, plan.CurrentPlan, directory, startAgain, lanes.Sources, kept.FirstTick), new Tally(zone, from), cancellation);
        Track[] tracks = current is null ? [proposed] : [proposed, current];
        var messages = 0L;
        try
        {
            await foreach (var portion in history.ReadAsync(plan.FieldId, plan.LearnFrom, plan.To, cancellation).ConfigureAwait(false))
            {
                while (live.Status is { Paused: false, Healthy: true } status && status.Lag > MostLag)
                {
                    await Task.Delay(Pause, time, cancellation).ConfigureAwait(false);
                }

                foreach (var track in tracks)
                {
                    await track.GiveAsync(portion, cancellation).ConfigureAwait(false);
                }

                messages += portion.Count(e => e is MessageEvent);
                job.Reached(portion.Count, portion[^1].ArrivedAt);
            }
        }
        finally
        {
            foreach (var track in tracks)
            {
                track.Close();
            }

            await Task.WhenAll(tracks.Select(t => t.Ended)).ConfigureAwait(false);
        }

        cancellation.ThrowIfCancellationRequested();
        foreach (var track in tracks)
        {
            track.Rethrow();
        }

        var raised = await findings.CountByConditionAsync(plan.FieldId, plan.From, plan.To, cancellation).ConfigureAwait(false);
        return new BacktestOutcome(proposed.Tally, current?.Tally, raised, kept, proposed.Replay.Devices, messages);
    }

    // Exceptions that were there at the begin and still are; those made or taken back within the span are events of it. So are scripts, which
    // remember their faults: each replay has its own, from the changes within the span and those that were in force before.
    private async Task<LaneBooks> BooksAsync(BacktestPlan plan, CancellationToken cancellation)
    {
        var now = await books.LoadAsync(cancellation).ConfigureAwait(false);
        var scripts = now.Scripts.All.Select(s => s.Change).Where(c => c.FieldId == plan.FieldId && c.ArrivedAt < plan.LearnFrom).Aggregate(ScriptBook.Empty, (book, change) => book.With(change));
        return new LaneBooks(ExceptionBook.Of(now.Exceptions.All.Where(e => e.ArrivedAt < plan.LearnFrom)), PriorBook.Empty) { Scripts = scripts };
    }

    /// <summary>A replay on a thread of its own.</summary>
    private sealed class Track
    {
        private readonly Channel<IReadOnlyList<GatewayEvent>> _portions = Channel.CreateBounded<IReadOnlyList<GatewayEvent>>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ExceptionDispatchInfo? _fault;

        public Track(Replay replay, Tally tally, CancellationToken cancellation)
        {
            (Replay, Tally) = (replay, tally);
            new Thread(() => Run(cancellation)) { IsBackground = true, Name = "back-test" }.Start();
        }

        public Replay Replay { get; }

        public Tally Tally { get; }

        public Task Ended => _ended.Task;

        public async ValueTask GiveAsync(IReadOnlyList<GatewayEvent> portion, CancellationToken cancellation)
        {
            // A track that failed takes nothing more; its fault is told at the end.
            if (_fault is null)
            {
                await _portions.Writer.WriteAsync(portion, cancellation).ConfigureAwait(false);
            }
        }

        public void Close() => _portions.Writer.TryComplete();

        public void Rethrow() => _fault?.Throw();

        private void Run(CancellationToken cancellation)
        {
            try
            {
                while (_portions.Reader.WaitToReadAsync(cancellation).AsTask().GetAwaiter().GetResult())
                {
                    while (_portions.Reader.TryRead(out var portion))
                    {
                        cancellation.ThrowIfCancellationRequested();
                        Tally.Add(Replay.Step(portion));
                    }
                }
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // The reader sees the request itself.
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Told by the one who waits for the end; nothing else depends on a replay.
                _fault = ExceptionDispatchInfo.Capture(e);
                while (_portions.Reader.TryRead(out _))
                {
                }
            }
            finally
            {
                _ended.SetResult();
            }
        }
    }
}
