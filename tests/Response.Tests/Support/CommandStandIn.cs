using System.Collections.Concurrent;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Tests.Support;

/// <summary>What the stage that carries commands would say. Any thread.</summary>
internal sealed class CommandStandIn(TimeProvider clock) : IDeviceCommands
{
    public ConcurrentDictionary<string, DeviceCommand> Commands { get; } = new();

    /// <summary>Who decided what on which command.</summary>
    public ConcurrentQueue<(string Command, string What, string By, string Reason)> Decisions { get; } = new();

    /// <summary>Arguments by command.</summary>
    public ConcurrentDictionary<string, string> Arguments { get; } = new();

    public ConcurrentDictionary<(string Device, string Holder), DateTimeOffset> Holds { get; } = new();

    /// <summary>Runs after an order was taken; may throw.</summary>
    public Action<CommandOrder> AfterOrder { get; set; } = _ => { };

    public event Action<DeviceCommand>? Settled;

    /// <summary>A sender's command that is held.</summary>
    public void Held(string id, string sender = "key:cloud") => Commands[id] = new DeviceCommand
    {
        Id = id,
        FieldId = "cars",
        DeviceId = "d000000000000001",
        Name = "set-dose",
        Sender = sender,
        State = CommandStates.Held,
        Bound = CommandBounds.Argument,
        SentAt = clock.GetUtcNow(),
        ValidUntil = clock.GetUtcNow().AddHours(1),
    };

    /// <summary>The device, or the clock, settles a command.</summary>
    public void Settle(string id, string state, string? answer = null)
    {
        Commands[id] = Commands[id] with { State = state, Answer = answer, EndedAt = clock.GetUtcNow() };
        Settled?.Invoke(Commands[id]);
    }

    /// <summary>The device fetches everything that waits.</summary>
    public void Fetch()
    {
        foreach (var command in Commands.Values.Where(c => c.State == CommandStates.Queued))
        {
            Commands[command.Id] = command with { State = CommandStates.Delivered, FetchedAt = clock.GetUtcNow() };
        }
    }

    /// <summary>The only open command.</summary>
    public DeviceCommand Open() => Assert.Single(Commands.Values, c => c.EndedAt is null);

    public Task<DeviceCommand?> FindAsync(string commandId, CancellationToken cancellation) => Task.FromResult(Commands.GetValueOrDefault(commandId));

    public Task<DeviceCommand> OrderAsync(CommandOrder order, CancellationToken cancellation)
    {
        var command = Commands.GetOrAdd($"{order.Holder}/{order.Name}/{order.Number}", id =>
        {
            Arguments[id] = order.Arguments;
            return new DeviceCommand
            {
                Id = id,
                FieldId = order.FieldId,
                DeviceId = order.DeviceId,
                Name = order.Name,
                Sender = "gateway",
                Holder = order.Holder,
                Ordinal = order.Number,
                State = CommandStates.Queued,
                SentAt = clock.GetUtcNow(),
                ValidUntil = order.ValidUntil,
            };
        });
        AfterOrder(order);
        return Task.FromResult(command);
    }

    public Task<IReadOnlyList<DeviceCommand>> OfHolderAsync(string holder, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<DeviceCommand>>([.. Commands.Values.Where(c => c.Holder == holder).OrderBy(c => c.SentAt).ThenBy(c => c.Ordinal)]);

    public Task<CommandDecision> ReleaseAsync(string commandId, string by, string reason, string correlationId, CancellationToken cancellation) =>
        Task.FromResult(Decide(commandId, "release", by, reason, [CommandStates.Held], CommandStates.Queued));

    public Task<CommandDecision> WithdrawAsync(string commandId, string by, string reason, string correlationId, CancellationToken cancellation) =>
        Task.FromResult(Decide(commandId, "withdraw", by, reason, [CommandStates.Held, CommandStates.Queued], CommandStates.Withdrawn));

    public Task HoldAsync(string deviceId, string holder, DateTimeOffset until, CancellationToken cancellation)
    {
        Holds[(deviceId, holder)] = until;
        return Task.CompletedTask;
    }

    public Task LiftAsync(string deviceId, string holder, CancellationToken cancellation)
    {
        Holds.TryRemove((deviceId, holder), out _);
        return Task.CompletedTask;
    }

    public Task<(long Waiting, DateTimeOffset? LastFetch)> OutlookAsync(string deviceId, CancellationToken cancellation) =>
        Task.FromResult((Commands.Values.LongCount(c => c.EndedAt is null), Commands.Values.Max(c => c.FetchedAt)));

    private CommandDecision Decide(string id, string what, string by, string reason, string[] from, string to)
    {
        if (!Commands.TryGetValue(id, out var command))
        {
            return CommandDecision.Gone;
        }

        if (!from.Contains(command.State))
        {
            return command.State == to ? CommandDecision.Done : CommandDecision.TooLate;
        }

        Decisions.Enqueue((id, what, by, reason));
        Commands[id] = command with { State = to, EndedAt = to == CommandStates.Withdrawn ? clock.GetUtcNow() : null };
        Settled?.Invoke(Commands[id]);
        return CommandDecision.Done;
    }
}
