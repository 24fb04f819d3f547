using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Commands;

/// <summary>Who sends a command.</summary>
/// <param name="Kind">"key" or "account".</param>
/// <param name="Name">Its name.</param>
internal sealed record CommandSender(string Kind, string Name)
{
    public override string ToString() => $"{Kind}:{Name}";
}

/// <summary>
/// Takes commands, holds what is outside the field's list, gives the rest to devices, and takes their answers. What is held is told to detection as an event; what could not
/// be told (the journal was full, the gateway was killed) is told by <see cref="CommandWorker"/> later. Any thread.
/// </summary>
internal sealed class CommandDesk(
    CommandStore store, CommandLists lists, DeviceModes modes, CommandPolls polls, IDeviceDirectory directory, IEventJournal journal, TimeProvider clock) : IDeviceCommands, IDisposable
{
    /// <summary>Commands that a device is given at once.</summary>
    public const int MostAtOnce = 20;

    private const int Lanes = 64;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // The most per hour is looked up before a command is stored, so those to one device are stored one after another.
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, Lanes).Select(_ => new SemaphoreSlim(1))];

    public event Action<DeviceCommand>? Settled;

    /// <summary>Stores a command of a sender, queued or held.</summary>
    public async Task<SendResult> SendAsync(DeviceProfile device, CommandSender sender, CommandRequest request, string? repeatKey, string correlationId, CancellationToken cancellation)
    {
        var turn = _turns[(uint)string.GetHashCode(device.DeviceId, StringComparison.Ordinal) % Lanes];
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var now = Whole(clock.GetUtcNow());
            var fault = await JudgeAsync(device, sender, request, now, cancellation).ConfigureAwait(false);
            var until = now + TimeSpan.FromSeconds(request.ValidSeconds);
            var command = new Command
            {
                Id = Command.NewId(),
                FieldId = device.FieldId,
                DeviceId = device.DeviceId,
                Name = request.Name,
                Kind = sender.Kind,
                State = fault is null ? CommandStates.Queued : CommandStates.Held,
                Bound = fault?.Bound,
                CreatedAt = now,
                ValidUntil = until,
                EndsAt = until,
                CorrelationId = correlationId,
                Content = new CommandContent { Sender = sender.ToString(), Arguments = request.ArgumentsText(), Fault = fault, Actor = sender.Kind == "key" ? sender.ToString() : sender.Name },
            };
            var result = await store.SendAsync(new NewCommand(command, repeatKey, Untold: fault is not null), cancellation).ConfigureAwait(false);
            if (result is { Command: { } taken, IsRepeat: false })
            {
                await AfterSendAsync(taken).ConfigureAwait(false);
            }

            return result;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Tells detection of held commands that it was not told of.</summary>
    /// <exception cref="JournalUnavailableException">The journal takes nothing now.</exception>
    public async Task TellAsync(Command held)
    {
        var fault = held.Content.Fault ?? new CommandFault(held.Bound!, null, CommandContent.Damaged.Sender, CommandContent.Damaged.Sender);
        await journal.AppendAsync(
            [
                new CommandHeldEvent
                {
                    ArrivedAt = Whole(clock.GetUtcNow()),
                    CorrelationId = held.CorrelationId,
                    FieldId = held.FieldId,
                    DeviceId = held.DeviceId,
                    CommandId = held.Id,
                    Name = held.Name,
                    Sender = held.Content.Sender,
                    Bound = fault.Bound,
                    Argument = fault.Pointer,
                    Value = fault.Value,
                    Allowed = fault.Allowed,
                    Measured = fault.Measured,
                    Low = fault.Low,
                    High = fault.High,
                },
            ],
            CancellationToken.None).ConfigureAwait(false);
        await store.ToldAsync(held.Id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>
    /// What the device is to do, in order. With <paramref name="wait"/> it waits until there is something that the device was not given just now.
    /// </summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="ordersOnly">It is locked out: the gateway's own orders only.</param>
    /// <param name="wait">How long to wait at most; zero to answer at once.</param>
    /// <param name="cancellation">The device hung up.</param>
    /// <returns>Null when too many devices wait.</returns>
    public async Task<IReadOnlyList<Command>?> FetchAsync(string deviceId, bool ordersOnly, TimeSpan wait, CancellationToken cancellation)
    {
        if (wait <= TimeSpan.Zero)
        {
            return Given(deviceId, (await store.FetchAsync(deviceId, ordersOnly, MostAtOnce, cancellation).ConfigureAwait(false)).Commands);
        }

        // One timer for the whole wait, so that the time does not begin anew with each wake.
        using var over = new CancellationTokenSource();
        var end = Task.Delay(wait, clock, over.Token);
        try
        {
            using var turn = polls.Begin(deviceId);
            if (turn is null)
            {
                return null;
            }

            while (true)
            {
                var next = turn.Next;
                var (commands, fresh) = await store.FetchAsync(deviceId, ordersOnly, MostAtOnce, cancellation).ConfigureAwait(false);
                if (fresh || (commands.Count > 0 && polls.MayRepeat(deviceId)))
                {
                    return Given(deviceId, commands);
                }

                if (end.IsCompleted || turn.Ended.IsCompleted)
                {
                    return Given(deviceId, []);
                }

                await Task.WhenAny(next, end, turn.Ended).WaitAsync(cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Takes a device's answer.</summary>
    /// <returns>The command after it; null when the device has no such command. <paramref name="ordersOnly"/> as above.</returns>
    public async Task<(Command? Command, bool Taken)> AnswerAsync(string deviceId, bool ordersOnly, string commandId, CommandAnswer answer, CancellationToken cancellation)
    {
        var (before, after) = await store.ChangeAsync(
            commandId,
            c => Knows(c) && c.State == CommandStates.Delivered && c.EndsAt > clock.GetUtcNow()
                ? c with { State = answer.Outcome, Content = c.Content with { Actor = deviceId, Reason = null, Answer = answer.Detail } }
                : null,
            cancellation).ConfigureAwait(false);
        if (after is not null)
        {
            Tell(after);
            return (after, true);
        }

        // The answer to an answer was lost: the same again is the same.
        return before is not null && Knows(before) ? (before, before.State == answer.Outcome) : (null, false);

        bool Knows(Command c) => c.DeviceId == deviceId && c.FetchedAt is not null && (!ordersOnly || c.Kind == Command.Gateway);
    }

    public async Task<DeviceCommand?> FindAsync(string commandId, CancellationToken cancellation) => (await store.FindAsync(commandId, cancellation).ConfigureAwait(false))?.ToDomain();

    public async Task<DeviceCommand> OrderAsync(CommandOrder order, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(order);
        var until = Whole(order.ValidUntil);
        var command = await store.OrderAsync(
            new Command
            {
                Id = Command.OrderId(order.Holder, order.Name, order.Number),
                FieldId = order.FieldId,
                DeviceId = order.DeviceId,
                Name = order.Name,
                Kind = Command.Gateway,
                Holder = order.Holder,
                State = CommandStates.Queued,
                CreatedAt = Whole(clock.GetUtcNow()),
                ValidUntil = until,
                EndsAt = until,
                CorrelationId = order.CorrelationId,
                Content = new CommandContent { Sender = Command.Gateway, Arguments = order.Arguments, Actor = "response:" + order.Holder, Ordinal = order.Number },
            },
            cancellation).ConfigureAwait(false);
        polls.Wake(order.DeviceId);
        return command.ToDomain();
    }

    public async Task<IReadOnlyList<DeviceCommand>> OfHolderAsync(string holder, CancellationToken cancellation) =>
        [.. (await store.OfHolderAsync(holder, cancellation).ConfigureAwait(false)).Select(c => c.ToDomain())];

    public async Task<CommandDecision> ReleaseAsync(string commandId, string by, string reason, string correlationId, CancellationToken cancellation)
    {
        var same = false;
        var (before, after) = await store.ChangeAsync(
            commandId,
            c =>
            {
                same = c.State == CommandStates.Held && string.Equals(c.Content.Sender, "account:" + by, StringComparison.OrdinalIgnoreCase);
                return c.State == CommandStates.Held && !same && !c.IsDamaged && c.ValidUntil > clock.GetUtcNow()
                    ? c with { State = CommandStates.Queued, CorrelationId = correlationId, Content = c.Content with { Actor = by, Reason = reason } }
                    : null;
            },
            cancellation).ConfigureAwait(false);
        if (after is not null)
        {
            polls.Wake(after.DeviceId);
            Tell(after);
        }

        return before is null ? CommandDecision.Gone
            : same ? CommandDecision.SamePerson
            : after is not null || before is { Bound: not null, State: CommandStates.Queued or CommandStates.Delivered or CommandStates.Done or CommandStates.Failed or CommandStates.Refused } ? CommandDecision.Done
            : CommandDecision.TooLate;
    }

    public async Task<CommandDecision> WithdrawAsync(string commandId, string by, string reason, string correlationId, CancellationToken cancellation)
    {
        var (before, after) = await store.ChangeAsync(
            commandId,
            c => c.State is CommandStates.Held or CommandStates.Queued
                ? c with { State = CommandStates.Withdrawn, CorrelationId = correlationId, Content = c.Content with { Actor = by, Reason = reason } }
                : null,
            cancellation).ConfigureAwait(false);
        if (after is not null)
        {
            Tell(after);
        }

        return before is null ? CommandDecision.Gone : after is not null || before.State == CommandStates.Withdrawn ? CommandDecision.Done : CommandDecision.TooLate;
    }

    public Task HoldAsync(string deviceId, string holder, DateTimeOffset until, CancellationToken cancellation) => store.HoldAsync(deviceId, holder, until, cancellation);

    public async Task LiftAsync(string deviceId, string holder, CancellationToken cancellation)
    {
        await store.LiftAsync(deviceId, holder, cancellation).ConfigureAwait(false);
        polls.Wake(deviceId);
    }

    public async Task<(long Waiting, DateTimeOffset? LastFetch)> OutlookAsync(string deviceId, CancellationToken cancellation) =>
        (await store.OpenAsync(deviceId, cancellation).ConfigureAwait(false), polls.LastFetch(deviceId));

    /// <summary>A command has reached its end, or is held no more.</summary>
    public void Tell(Command settled)
    {
        if (settled.Holder is not null || settled.Bound is not null)
        {
            Settled?.Invoke(settled.ToDomain());
        }
    }

    public void Dispose()
    {
        foreach (var turn in _turns)
        {
            turn.Dispose();
        }
    }

    private async Task<CommandFault?> JudgeAsync(DeviceProfile device, CommandSender sender, CommandRequest request, DateTimeOffset now, CancellationToken cancellation)
    {
        if (lists.Of(device.FieldId) is not { } gate)
        {
            return CommandGate.NoList;
        }

        var zone = directory.Field(device.FieldId) is { } field && TimeZoneInfo.TryFindSystemTimeZoneById(field.TimeZone, out var known) ? known : TimeZoneInfo.Utc;
        var sent = await store.SentSinceAsync(device.DeviceId, request.Name, now - Hour, cancellation).ConfigureAwait(false);
        return gate.Judge(new CommandAsk(request.Name, sender.ToString(), request.Arguments, device.Kind, modes.Of(device.DeviceId), TimeZoneInfo.ConvertTime(now, zone).DateTime, sent));
    }

    private async Task AfterSendAsync(Command command)
    {
        if (command.State == CommandStates.Queued)
        {
            polls.Wake(command.DeviceId);
            return;
        }

        try
        {
            await TellAsync(command).ConfigureAwait(false);
        }
        catch (JournalUnavailableException)
        {
            // It is held all the same, and told with the worker's next round.
        }
    }

    private IReadOnlyList<Command> Given(string deviceId, IReadOnlyList<Command> commands)
    {
        polls.Fetched(deviceId, commands.Count > 0);
        return commands;
    }

    private static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
