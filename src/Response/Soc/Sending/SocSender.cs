using System.Buffers;
using System.Data.Common;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.History;
using Sekisho.Response.Policies;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Formats;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Sending;

/// <summary>How the sending to one receiver stands.</summary>
/// <param name="Connected">It is taking events.</param>
/// <param name="Since">Since when that is so.</param>
/// <param name="OldestWaiting">Time of the oldest record that it has not taken; null when it has everything.</param>
/// <param name="LastSent">When it last took something.</param>
/// <param name="Fault">One of <see cref="SocFaults"/> of the last connection that failed; null when none did.</param>
/// <param name="FaultAt">When.</param>
internal sealed record SocState(bool Connected, DateTimeOffset Since, DateTimeOffset? OldestWaiting, DateTimeOffset? LastSent, string? Fault, DateTimeOffset? FaultAt);

/// <summary>
/// Sends the history to one receiver, in order, over one connection. The history is the buffer: nothing is kept here but positions. What the
/// receiver's system has taken counts as sent once the connection has stayed whole for a while; after a break it is sent again from there, so
/// every event arrives at least once. RunAsync is one thread at a time; the rest any thread.
/// </summary>
internal sealed partial class SocSender(SocReceiver receiver, SocPorts ports, ILogger log)
{
    private const int Stretch = 200;
    private const int MostPending = 1000;
    private const int PeekStretch = 1000;
    private const int MostPeeks = 100;
    private static readonly TimeSpan Claimed = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Renew = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BoundsEvery = TimeSpan.FromMinutes(1);
    private static readonly string Node = Environment.MachineName;

    private readonly Channel<(SocEvent Event, TaskCompletionSource Taken)> _tests = Channel.CreateBounded<(SocEvent, TaskCompletionSource)>(4);
    private readonly Queue<Sent> _pending = new(); // RunAsync only
    private volatile SocState _state = new(false, ports.Clock.GetUtcNow(), null, null, null, null);
    private IReadOnlyDictionary<string, SocField> _fields = new Dictionary<string, SocField>(); // RunAsync only, as the rest
    private DateTimeOffset _fieldsAt = DateTimeOffset.MinValue;
    private DateTimeOffset _boundsAt = DateTimeOffset.MinValue;
    private DateTimeOffset _claimedAt = DateTimeOffset.MinValue;
    private long _peeked; // up to here nothing is in reach
    private int _failures;

    public SocReceiver Receiver => receiver;

    public SocState State => _state;

    /// <summary>Held by a maintainer.</summary>
    public bool Paused { get; set; }

    private TimeProvider Clock => ports.Clock;

    private DateTimeOffset Now => Clock.GetUtcNow();

    /// <summary>Sends an event out of turn.</summary>
    /// <returns>Completes when the receiver's system took it; null when too many wait already.</returns>
    public Task? Test(SocEvent test)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _tests.Writer.TryWrite((test, taken)) ? taken.Task : null;
    }

    /// <summary>Sends until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var pause = ports.Settings.FirstRetry;
            try
            {
                if (await ports.Store.ClaimAsync(receiver.Id, Node, Claimed, cancellation) is { } progress)
                {
                    _claimedAt = Now;
                    await ConnectAsync(progress, cancellation);
                }
                else
                {
                    pause = Renew;
                }
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever breaks a connection, the history keeps what is to be sent: it is shown, counted, and tried again from the position recorded.
                var cause = Show(e);
                _failures++;
                pause = Backoff.After(_failures, ports.Settings.FirstRetry, ports.Settings.LongestRetry);
                SocMetrics.Fault(receiver.Id, cause);
                Broken(e, receiver.Id, receiver.Name, cause, pause);
            }

            await DelayAsync(pause, cancellation);
        }

        try
        {
            await ports.Store.FreeAsync(receiver.Id, Node, CancellationToken.None);
        }
        catch (DbException e)
        {
            // The claim runs out by itself.
            Broken(e, receiver.Id, receiver.Name, SocFaults.Internal, Claimed);
        }
    }

    private async Task ConnectAsync(SocProgress progress, CancellationToken cancellation)
    {
        _pending.Clear();
        await FieldsAsync(cancellation);

        // Also for one that cannot be reached: what is too old is given up in time, and said.
        await SkipAsync(progress.Position, cancellation);
        progress = await ports.Store.ProgressAsync(receiver.Id, cancellation) ?? progress;
        await PeekAsync(progress.Position, cancellation);
        await using var connection = await WithinAsync(token => SocConnection.OpenAsync(receiver, ports.Settings, Clock, token), cancellation);
        _state = _state with { Connected = true, Since = Now };
        Opened(receiver.Id, receiver.Name);
        try
        {
            await SendAsync(connection, progress, cancellation);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
        {
            // Before the good-bye, which a receiver that takes nothing holds up.
            Show(e);
            throw;
        }
        finally
        {
            if (cancellation.IsCancellationRequested && !connection.End.IsCompleted)
            {
                await SettleAsync(everything: true, CancellationToken.None);
            }
        }
    }

    private string Show(Exception fault)
    {
        var cause = CauseOf(fault);
        _state = _state with { Connected = false, Since = _state.Connected ? Now : _state.Since, Fault = cause, FaultAt = Now };
        return cause;
    }

    private async Task SendAsync(SocConnection connection, SocProgress progress, CancellationToken cancellation)
    {
        var position = progress.Position;
        await TellSkippedAsync(connection, position, progress.Untold, cancellation);
        while (true)
        {
            if (connection.End.IsCompleted)
            {
                throw new SocFaultException(SocFaults.Ended);
            }

            await SettleAsync(everything: false, cancellation);
            await KeepAsync(cancellation);
            await SendTestsAsync(connection, cancellation);
            if (_pending.Count == 0 && Now - _boundsAt >= BoundsEvery && await SkipAsync(position, cancellation) is { } excess)
            {
                position = excess.Through;
                await TellSkippedAsync(connection, position, excess.Records, cancellation);
            }

            var full = Paused || _pending.Count >= MostPending;
            var stretch = full ? null : await ports.Feed.ReadAsync(SocPorts.ReachOf(receiver, _fields), position, Stretch, cancellation);
            if (stretch is not null && stretch.Through > position)
            {
                var sent = await SendAsync(connection, stretch, cancellation);
                position = stretch.Through;
                _pending.Enqueue(new Sent(position, sent, 0, Now));
            }

            if (stretch is null || stretch.AtEnd)
            {
                await WaitAsync(connection, cancellation);
            }
        }
    }

    private async Task<int> SendAsync(SocConnection connection, HistoryStretch stretch, CancellationToken cancellation)
    {
        var frames = new ArrayBufferWriter<byte>(64 * 1024);
        var events = 0;
        foreach (var record in stretch.Records)
        {
            if (await ports.Events.OfAsync(record, receiver, _fields, cancellation) is { } made)
            {
                _state = _state with { OldestWaiting = _state.OldestWaiting ?? record.Record.At };
                frames.Write(SyslogMessage.Frame(made, receiver, ports.Settings));
                events++;
            }
        }

        if (events > 0)
        {
            await WriteAsync(connection, frames.WrittenMemory, cancellation);
        }

        return events;
    }

    private async Task TellSkippedAsync(SocConnection connection, long position, long records, CancellationToken cancellation)
    {
        if (records > 0)
        {
            var told = ports.Events.Own($"skipped-{receiver.Id}-{position}", "skipped", Now, receiver, "", ("records", $"{records}"));
            await WriteAsync(connection, SyslogMessage.Frame(told, receiver, ports.Settings), cancellation);
            _pending.Enqueue(new Sent(position, 1, records, Now));
        }
    }

    private async Task SendTestsAsync(SocConnection connection, CancellationToken cancellation)
    {
        while (_tests.Reader.TryRead(out var test))
        {
            await WriteAsync(connection, SyslogMessage.Frame(test.Event, receiver, ports.Settings), cancellation);
            test.Taken.TrySetResult();
        }
    }

    private Task WriteAsync(SocConnection connection, ReadOnlyMemory<byte> frames, CancellationToken cancellation) => WithinAsync(
        async token =>
        {
            await connection.WriteAsync(frames, token);
            await connection.TakenAsync(token);
            _state = _state with { LastSent = Now };
            return true;
        },
        cancellation);

    /// <summary>Records what was sent long enough ago.</summary>
    private async Task SettleAsync(bool everything, CancellationToken cancellation)
    {
        Sent? last = null;
        var (sent, told) = (0L, 0L);
        while (_pending.TryPeek(out var next) && (everything || next.At + ports.Settings.Settle <= Now))
        {
            last = _pending.Dequeue();
            sent += last.Events;
            told += last.Told;
        }

        if (last is not null)
        {
            await ports.Store.AdvanceAsync(receiver.Id, last.Through, sent, told, cancellation);
            SocMetrics.Sent(receiver.Id, sent);
            _failures = 0;
            _state = _pending.Count == 0 ? _state with { OldestWaiting = null } : _state;
        }
    }

    /// <summary>Keeps other nodes off, and what fields say fresh.</summary>
    private async Task KeepAsync(CancellationToken cancellation)
    {
        if (Now - _claimedAt >= Renew)
        {
            if (await ports.Store.ClaimAsync(receiver.Id, Node, Claimed, cancellation) is null)
            {
                throw new SocFaultException(SocFaults.Ended);
            }

            _claimedAt = Now;
        }

        if (Now - _fieldsAt >= Renew)
        {
            await FieldsAsync(cancellation);
        }
    }

    private async Task FieldsAsync(CancellationToken cancellation)
    {
        var fields = await ports.Store.FieldsAsync(cancellation);
        _peeked = fields.Values.ToHashSet().SetEquals(_fields.Values) ? _peeked : 0; // else what was out of reach may be in it now
        (_fields, _fieldsAt) = (fields, Now);
    }

    private async Task<HistoryExcess?> SkipAsync(long position, CancellationToken cancellation)
    {
        _boundsAt = Now;
        var reach = SocPorts.ReachOf(receiver, _fields);
        if (await ports.Feed.ExcessAsync(reach, position, Now - receiver.MostAge, receiver.MostRecords, cancellation) is not { } excess)
        {
            return null;
        }

        await ports.Store.SkipAsync(receiver, excess, cancellation);
        SocMetrics.Skipped(receiver.Id, excess.Records);
        Skipped(receiver.Id, receiver.Name, excess.Records);
        return excess;
    }

    /// <summary>
    /// Finds the oldest record that waits, which tells how far behind a receiver is that cannot be reached. Most of the history may be others': 100,000
    /// records are looked at, and the next try to connect looks on from there.
    /// </summary>
    private async Task PeekAsync(long position, CancellationToken cancellation)
    {
        _peeked = Math.Max(_peeked, position);
        for (var peeks = 0; peeks < MostPeeks; peeks++)
        {
            var stretch = await ports.Feed.ReadAsync(SocPorts.ReachOf(receiver, _fields), _peeked, PeekStretch, cancellation);
            if (stretch.Records.Count > 0)
            {
                _state = _state with { OldestWaiting = stretch.Records[0].Record.At };
                return;
            }

            _peeked = stretch.Through;
            if (stretch.AtEnd)
            {
                break;
            }
        }

        _state = _state with { OldestWaiting = null };
    }

    private async Task WaitAsync(SocConnection connection, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var tests = _tests.Reader.WaitToReadAsync(over.Token).AsTask();
        await Task.WhenAny(connection.End, tests, Task.Delay(ports.Settings.Poll, Clock, over.Token));
        await over.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(ports.Settings.Timeout, Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            return await work(both.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new SocFaultException(SocFaults.TooSlow);
        }
    }

    private async Task DelayAsync(TimeSpan pause, CancellationToken cancellation)
    {
        await Task.Delay(pause, Clock, cancellation).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static string CauseOf(Exception e) => e switch
    {
        SocFaultException fault => fault.Cause,
        SocketException or IOException => SocFaults.Unreachable,
        _ => SocFaults.Internal,
    };

    /// <summary>Something was taken.</summary>
    private sealed record Sent(long Through, int Events, long Told, DateTimeOffset At);

    [LoggerMessage(4040, LogLevel.Warning, "Receiver {Receiver} ({Name}) does not take events: {Cause}; next try in {Pause}")]
    private partial void Broken(Exception fault, string receiver, string name, string cause, TimeSpan pause);

    [LoggerMessage(4041, LogLevel.Information, "Receiver {Receiver} ({Name}) is connected")]
    private partial void Opened(string receiver, string name);

    [LoggerMessage(4042, LogLevel.Error, "Receiver {Receiver} ({Name}) was away for too long: {Records} records are not sent to it")]
    private partial void Skipped(string receiver, string name, long records);
}
