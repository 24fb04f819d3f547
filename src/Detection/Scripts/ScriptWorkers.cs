using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Scripting;

namespace Sekisho.Detection.Scripts;

/// <summary>
/// Runs the worker scripts in force, one after the other, on a thread that the lanes know nothing of. What a run finds becomes an event of the
/// journal; its next run waits until the lanes have taken that. Starting and stopping: any thread; runs: only the loop.
/// </summary>
internal sealed partial class ScriptWorkers(ScriptTable table, LanePump lanes, IEventJournal journal, IEventHistory history, IDeviceDirectory directory, TimeProvider time, ILogger<ScriptWorkers> logger)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<(string FieldId, string ScriptId, int Version), (DateTimeOffset Next, long Reported)> _turns = [];
    private Task _loop = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            Run(_stop.Token);
            ended.SetResult();
        })
        { IsBackground = true, Name = "script workers", Priority = ThreadPriority.BelowNormal }.Start();
        _loop = ended.Task;
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _stop.Dispose();

    /// <summary>Runs a worker once and says what it reports. A stuck one ends with its budget.</summary>
    public static ScriptReportEvent Run(ScriptChangedEvent change, ReadOnlyMemory<byte> state, IScriptHost host, DateTimeOffset now)
    {
        var report = new ScriptReportEvent { ArrivedAt = now, CorrelationId = "", FieldId = change.FieldId, ScriptId = change.ScriptId, Version = change.Version };
        using var sandbox = ScriptSource.Open(change.Source.Span, out _, out var faults);
        if (sandbox is null)
        {
            return report with { Fault = string.Join("; ", faults.Select(f => f.Place + " " + f.Key)) };
        }

        var run = sandbox.CallWith("run", host, state.IsEmpty ? "{}"u8.ToArray() : state);
        return run.Fault is { } fault ? report with { Fault = fault.Message, Chance = !fault.Repeatable } : Checked(report with { Result = run.Result.ToArray() });
    }

    private static ScriptReportEvent Checked(ScriptReportEvent report)
    {
        using var document = System.Text.Json.JsonDocument.Parse(report.Result);
        var list = document.RootElement;
        return list.GetArrayLength() > 0 && !ScriptResult.IsNothing(list[0]) && System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(list[0]).Length > ScriptManifest.WorkerState
            ? report with { Result = default, Fault = $"the state has more than {ScriptManifest.WorkerState} bytes" }
            : report;
    }

    private void Run(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                RunDueAsync(cancellation).GetAwaiter().GetResult();
                Task.Delay(Look, time, cancellation).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A full journal, a database that is away: both pass, and the run is repeated.
                LogFailed(e);
                DetectionMetrics.Faults.Add(1);
                cancellation.WaitHandle.WaitOne(Look);
            }
        }
    }

    private async Task RunDueAsync(CancellationToken cancellation)
    {
        foreach (var kept in await table.ListAsync(null, cancellation).ConfigureAwait(false))
        {
            var change = kept.Change;
            var key = (change.FieldId, change.ScriptId, change.Version);
            var (next, reported) = _turns.GetValueOrDefault(key);
            var now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
            if (kept.Health.IsOff || now < next || lanes.Committed < reported)
            {
                continue;
            }

            using var sandbox = ScriptSource.Open(change.Source.Span, out var manifest, out _);
            if (manifest is not { IsWorker: true })
            {
                _turns[key] = (DateTimeOffset.MaxValue, 0);
                continue;
            }

            var report = Run(change, kept.WorkerState, new ScriptHistory(change.FieldId, now, history, directory, cancellation), now);
            var position = await journal.AppendAsync([report with { ArrivedAt = time.GetUtcNow() }], cancellation).ConfigureAwait(false);
            _turns[key] = (now.AddMilliseconds(manifest.Every), position);
            LogRan(change.ScriptId, change.Version, change.FieldId, report.Fault);
        }
    }

    [LoggerMessage(3040, LogLevel.Debug, "Worker script {Script} version {Version} of field {Field} ran; fault: {Fault}")]
    private partial void LogRan(string script, int version, string field, string? fault);

    [LoggerMessage(3041, LogLevel.Warning, "Worker scripts could not run; it is tried again.")]
    private partial void LogFailed(Exception e);
}
