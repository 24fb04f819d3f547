using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Storage;

namespace Sekisho.Detection.Backtest;

/// <summary>The back-tests that run and those that ended lately. In memory: a restart forgets them. Any thread.</summary>
internal sealed partial class Backtests(BacktestRunner runner, BacktestSettings settings, TimeProvider time, ILogger<Backtests> logger) : IHostedService
{
    private readonly Lock _turn = new(); // guards _jobs and _running
    private readonly List<BacktestJob> _jobs = [];
    private readonly List<Task> _running = [];

    /// <summary>Starts one; null when as many run as may.</summary>
    public BacktestJob? Start(BacktestPlan plan, string by)
    {
        lock (_turn)
        {
            _running.RemoveAll(t => t.IsCompleted);
            if (_running.Count >= settings.Running)
            {
                return null;
            }

            var job = new BacktestJob("b" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), plan, by, time.GetUtcNow());
            _jobs.Add(job);
            Trim(plan.FieldId);
            _running.Add(Task.Run(() => RunAsync(job)));
            return job;
        }
    }

    /// <summary>A field's back-tests, newest first.</summary>
    public IReadOnlyList<BacktestJob> Of(string fieldId)
    {
        lock (_turn)
        {
            return [.. _jobs.Where(j => j.Plan.FieldId == fieldId).Reverse()];
        }
    }

    public BacktestJob? Find(string fieldId, string id) => Of(fieldId).FirstOrDefault(j => j.Id == id);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Task[] running;
        lock (_turn)
        {
            running = [.. _running];
            _jobs.ForEach(j => j.Cancel());
        }

        await Task.WhenAll(running).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task RunAsync(BacktestJob job)
    {
        LogStarted(job.Id, job.Plan.FieldId, job.Plan.Proposed.Template.Id);
        try
        {
            job.End(BacktestStates.Done, await runner.RunAsync(job).ConfigureAwait(false), time.GetUtcNow());
        }
        catch (OperationCanceledException) when (job.Stopping.IsCancellationRequested)
        {
            job.End(BacktestStates.Cancelled, null, time.GetUtcNow());
        }
        catch (Exception e) when (e is StorageException or System.Data.Common.DbException or IOException or InvalidOperationException or ArithmeticException or ArgumentException)
        {
            // A replay has no effects, so the gateway goes on; whoever asked sees the state.
            LogFailed(e, job.Id);
            job.End(BacktestStates.Failed, null, time.GetUtcNow());
        }

        LogEnded(job.Id, job.State, job.Events);
    }

    // The one that runs is never forgotten.
    private void Trim(string fieldId)
    {
        while (_jobs.Count(j => j.Plan.FieldId == fieldId) > settings.Kept && _jobs.Find(j => j.Plan.FieldId == fieldId && j.State != BacktestStates.Running) is { } oldest)
        {
            _jobs.Remove(oldest);
            oldest.Dispose();
        }
    }

    [LoggerMessage(3060, LogLevel.Information, "Back-test {Id} of the template {Template} in the field {Field} starts.")]
    private partial void LogStarted(string id, string field, string template);

    [LoggerMessage(3061, LogLevel.Information, "Back-test {Id} ended: {State}, {Events} events.")]
    private partial void LogEnded(string id, string state, long events);

    [LoggerMessage(3062, LogLevel.Error, "Back-test {Id} failed; nothing depends on it.")]
    private partial void LogFailed(Exception e, string id);
}
