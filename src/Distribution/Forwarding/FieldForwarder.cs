using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Forwarding;

/// <summary>What forwarders share.</summary>
internal sealed record ForwardingPorts(
    OutboxStore Outbox, DestinationCatalog Destinations, IMessageStore Messages, IHistory History, Quarantines Quarantines, ForwardingSettings Settings, TimeProvider Clock);

/// <summary>
/// Delivers one field's messages, one request under way at a time, so that every device stays in order. One loop runs it; counters and views are
/// for any thread.
/// </summary>
internal sealed partial class FieldForwarder(string fieldId, ForwardingPorts ports, Func<bool> paused, ILogger log) : IDisposable
{
    // A held queue still ages and overflows: look that often.
    private static readonly TimeSpan Upkeep = TimeSpan.FromSeconds(30);
    private readonly OutboxTrimmer _trimmer = new(fieldId, ports);
    private readonly BatchReader _batches = new(fieldId, ports);
    private readonly Wake _wake = new(ports.Clock);
    private HttpDelivery? _delivery;
    private DestinationInForce? _present;
    private volatile Progress _progress = Progress.Begin(1);
    private long _waitingMessages;
    private long _waitingBytes;
    private long _oldestAt; // Unix ms, 0 for none
    private long _deliveredAt; // Unix ms, 0 for never

    public long WaitingMessages => Math.Max(0, Interlocked.Read(ref _waitingMessages));

    /// <summary>Age of the next message; zero when none waits or an administrator holds it.</summary>
    public TimeSpan Lag => Interlocked.Read(ref _oldestAt) is var at && at > 0 && _progress.State != ConnectorStates.Stopped
        ? ports.Clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(at)
        : TimeSpan.Zero;

    public ConnectorView View => new(
        _progress.State,
        _progress.Reason,
        _progress.Failures,
        WaitingMessages,
        Math.Max(0, Interlocked.Read(ref _waitingBytes)),
        ports.Quarantines.WaitingOf(fieldId).Messages,
        Time(ref _oldestAt),
        Time(ref _deliveredAt));

    /// <summary>More waits now.</summary>
    public void Add(long messages, long bytes)
    {
        Interlocked.Add(ref _waitingMessages, messages);
        Interlocked.Add(ref _waitingBytes, bytes);
        _wake.Set();
    }

    /// <summary>Something changed that the loop must look at.</summary>
    public void Wake() => _wake.Set();

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                wait = await StepAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The store or a chunk fails: what waits stays queued, so trying again loses nothing.
                Broken(log, fieldId, e);
                _progress = _progress with { Reason = "store", Failures = _progress.Failures + 1 };
                wait = Hesitate(null);
            }

            if (wait != TimeSpan.Zero)
            {
                try
                {
                    // Only a change of the destination cuts a wait after a failure short.
                    await PauseAsync(wait, cancellation).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    public void Dispose() => _delivery?.Dispose();

    private async Task PauseAsync(TimeSpan wait, CancellationToken cancellation)
    {
        if (_progress.Hesitation == 0)
        {
            await _wake.WaitAsync(wait, cancellation).ConfigureAwait(false);
            return;
        }

        var begun = ports.Clock.GetTimestamp();
        for (var left = wait; left > TimeSpan.Zero && ReferenceEquals(ports.Destinations.Of(fieldId), _present); left = wait - ports.Clock.GetElapsedTime(begun))
        {
            await _wake.WaitAsync(left, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<TimeSpan> StepAsync(CancellationToken cancellation)
    {
        await AdoptAsync(cancellation).ConfigureAwait(false);
        await ports.Quarantines.EndDueAsync(fieldId, cancellation).ConfigureAwait(false);
        if (_present is null || _present.Destination.Kind == Destination.None)
        {
            await _trimmer.DropAllAsync(_present is null ? OutboxPart.NoDestination : OutboxPart.OnPurpose, cancellation).ConfigureAwait(false);
            await RecountAsync(cancellation).ConfigureAwait(false);
            return Upkeep;
        }

        var trimmed = await _trimmer.TrimAsync(_present.Destination, Interlocked.Read(ref _waitingBytes), cancellation).ConfigureAwait(false);
        if (trimmed)
        {
            await RecountAsync(cancellation).ConfigureAwait(false);
        }

        if (_present.Stopped || paused() || _delivery is null)
        {
            return Upkeep;
        }

        var batch = await _batches.ReadAsync(_present.Destination, _progress.Limit, cancellation).ConfigureAwait(false);
        Interlocked.Exchange(ref _oldestAt, batch.OldestAt);
        if (batch.Held.Count > 0)
        {
            var (messages, bytes) = await ports.Quarantines.DivideAsync(batch.Held, cancellation).ConfigureAwait(false);
            Interlocked.Add(ref _waitingMessages, -messages);
            Interlocked.Add(ref _waitingBytes, -bytes);
            return TimeSpan.Zero;
        }

        if (batch.Lost.Count > 0)
        {
            await SettleLostAsync(batch, cancellation).ConfigureAwait(false);
            return TimeSpan.Zero;
        }

        if (batch.Messages.Count == 0)
        {
            await RecountAsync(cancellation).ConfigureAwait(false);
            return Upkeep;
        }

        return await DeliverAsync(batch, cancellation).ConfigureAwait(false);
    }

    private async Task<TimeSpan> DeliverAsync(OutboxBatch batch, CancellationToken cancellation)
    {
        var destination = _present!.Destination;
        var outcome = await _delivery!.SendAsync(batch.Messages, cancellation).ConfigureAwait(false);
        var before = _progress;
        var after = before.After(outcome, batch.Messages.Count, destination.BatchMessages, ports.Settings.FailuresToDisconnect);
        DistributionMetrics.ForwardingAttempts.Add(1, new("field", fieldId), new("outcome", outcome.Reason));
        if (outcome.Verdict == Verdict.Delivered)
        {
            await SettleAsync(batch, LedgerStates.Forwarded, null, cancellation).ConfigureAwait(false);
            Interlocked.Exchange(ref _deliveredAt, ports.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        }
        else if (outcome.Verdict == Verdict.Refused && batch.Messages.Count == 1)
        {
            await SettleAsync(batch, LedgerStates.DeadLettered, outcome.Reason, cancellation).ConfigureAwait(false);
            DeadLettered(log, fieldId, batch.Messages[0].Message.DeviceId, outcome.Reason, batch.Messages[0].Message.CorrelationId);
        }
        else if (outcome.Verdict != Verdict.Refused)
        {
            await ports.Outbox.FailedAsync(batch.Parts.Select(p => p.Row), outcome.Reason, cancellation).ConfigureAwait(false);
        }

        _progress = after;
        await NoteAsync(before, after, cancellation).ConfigureAwait(false);
        return after.Hesitation > 0 && outcome.Verdict != Verdict.Delivered ? Hesitate(outcome.RetryAfter) : TimeSpan.Zero;
    }

    private async Task SettleAsync(OutboxBatch batch, string state, string? reason, CancellationToken cancellation)
    {
        await ports.Outbox.ChangeAsync(
            t =>
            {
                foreach (var part in batch.Parts)
                {
                    ports.Outbox.Settle(part.Row, part.Count, part.Rest, state, reason, t);
                }

                if (state == LedgerStates.DeadLettered)
                {
                    var (message, _) = batch.Messages[0];
                    ports.History.Append(Record("dead-lettered", reason) with { DeviceId = message.DeviceId, CorrelationId = message.CorrelationId, Subject = batch.Parts[0].Row.Id }, t);
                }
            },
            cancellation).ConfigureAwait(false);
        Count(-batch.Messages.Count, -batch.Bytes, state);
    }

    private async Task SettleLostAsync(OutboxBatch batch, CancellationToken cancellation)
    {
        await ports.Outbox.ChangeAsync(
            t =>
            {
                foreach (var (row, state, reason) in batch.Lost)
                {
                    ports.Outbox.Settle(row, row.Count, default, state, reason, t);
                    ports.History.Append(Record(state, reason) with { Subject = row.Id }, t);
                }
            },
            cancellation).ConfigureAwait(false);
        await RecountAsync(cancellation).ConfigureAwait(false);
    }

    // A changed destination starts anew; a broken one is shown as such and keeps its queue.
    private async Task AdoptAsync(CancellationToken cancellation)
    {
        var now = ports.Destinations.Of(fieldId);
        if (ReferenceEquals(now, _present) && now is not null)
        {
            return;
        }

        var before = _progress;
        if (now?.Version != _present?.Version || now is null)
        {
            _delivery?.Dispose();
            _delivery = null;
        }

        _present = now;
        var begin = Progress.Begin(now?.Destination.BatchMessages ?? 1);
        try
        {
            if (now is not null && now.Destination.Kind != Destination.None)
            {
                _delivery ??= new HttpDelivery(fieldId, now.Destination, ports.Clock);
            }
        }
        catch (CryptographicException)
        {
            // A certificate that was good when it was set and cannot be read now: nothing can be sent until a person replaces it.
            begin = begin with { State = ConnectorStates.Inconsistent, Reason = "certificate" };
        }

        _progress = now is null || now.Stopped || now.Destination.Kind == Destination.None ? begin with { State = ConnectorStates.Stopped } : begin;
        await NoteAsync(before, _progress, cancellation).ConfigureAwait(false);
    }

    private async Task NoteAsync(Progress before, Progress after, CancellationToken cancellation)
    {
        if (before.State == after.State)
        {
            return;
        }

        StateChanged(log, fieldId, after.State, after.Reason);
        if (after.State != ConnectorStates.Connecting)
        {
            await ports.Outbox.ChangeAsync(t => ports.History.Append(Record(after.State, after.Reason), t), cancellation).ConfigureAwait(false);
        }
    }

    private HistoryRecord Record(string what, string? reason) => new()
    {
        At = ports.Clock.GetUtcNow(),
        Kind = HistoryKinds.DataOut,
        What = what,
        FieldId = fieldId,
        Actor = "gateway",
        CorrelationId = "",
        Details = reason is null ? null : JsonSerializer.Serialize(new { reason }),
    };

    private async Task RecountAsync(CancellationToken cancellation)
    {
        var (messages, bytes) = await ports.Outbox.SizeAsync(fieldId, cancellation).ConfigureAwait(false);
        Interlocked.Exchange(ref _waitingMessages, messages);
        Interlocked.Exchange(ref _waitingBytes, bytes);
        if (messages == 0)
        {
            Interlocked.Exchange(ref _oldestAt, 0);
        }
    }

    private void Count(long messages, long bytes, string state)
    {
        Interlocked.Add(ref _waitingMessages, messages);
        Interlocked.Add(ref _waitingBytes, bytes);
        DistributionMetrics.ForwardedMessages.Add(-messages, new("field", fieldId), new("state", state));
    }

    private TimeSpan Hesitate(TimeSpan? asked)
    {
        var own = Backoff.After(Math.Max(1, _progress.Hesitation), ports.Settings.RetryFirst, ports.Settings.RetryMost, RandomNumberGenerator.GetInt32(1000) / 1000.0);

        // A destination may ask for longer, within reason.
        var most = TimeSpan.FromSeconds(Math.Max(ports.Settings.RetryMost.TotalSeconds, 600));
        return asked is { } wait && wait > own ? (wait < most ? wait : most) : own;
    }

    private static DateTimeOffset? Time(ref long ms) => Interlocked.Read(ref ms) is var at && at > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    [LoggerMessage(2020, LogLevel.Error, "Forwarding of field {Field} fails inside the gateway and is tried again")]
    private static partial void Broken(ILogger logger, string field, Exception e);

    [LoggerMessage(2021, LogLevel.Information, "Connector of field {Field} is {State} ({Reason})")]
    private static partial void StateChanged(ILogger logger, string field, string state, string? reason);

    [LoggerMessage(2022, LogLevel.Warning, "Field {Field}: a message of device {Device} was refused for good ({Reason}) and is a dead letter, correlation {CorrelationId}")]
    private static partial void DeadLettered(ILogger logger, string field, string device, string reason, string correlationId);
}
