namespace Sekisho.Domain.Devices;

/// <summary>
/// Asks devices to do something, and keeps back what others ask of them. Implemented by Distribution, called by Response. The device fetches its commands with its token
/// over TLS, so it knows that they are the gateway's; they carry no signature of their own. Any thread.
/// </summary>
public interface IDeviceCommands
{
    /// <summary>A command of a person or a key; null when there is none, or not any more.</summary>
    Task<DeviceCommand?> FindAsync(string commandId, CancellationToken cancellation);

    /// <summary>
    /// The gateway's own command: it goes by no list and waits for no hold, and a device that is locked out may fetch it as long as it has a token. The same order again
    /// (holder, name, number) is the same command.
    /// </summary>
    Task<DeviceCommand> OrderAsync(CommandOrder order, CancellationToken cancellation);

    /// <summary>The orders of a holder, oldest first; of very many the newest. Those that were settled long ago are forgotten.</summary>
    Task<IReadOnlyList<DeviceCommand>> OfHolderAsync(string holder, CancellationToken cancellation);

    /// <summary>Lets a held command go to its device. Idempotent.</summary>
    /// <param name="commandId">The command.</param>
    /// <param name="by">Who: an account. Nobody releases what the same account sent.</param>
    /// <param name="reason">Why, in that person's words.</param>
    /// <param name="correlationId">Correlation id of the cause.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    Task<CommandDecision> ReleaseAsync(string commandId, string by, string reason, string correlationId, CancellationToken cancellation);

    /// <summary>Takes a command back that the device has not fetched. Idempotent.</summary>
    Task<CommandDecision> WithdrawAsync(string commandId, string by, string reason, string correlationId, CancellationToken cancellation);

    /// <summary>Keeps all commands to the device but the gateway's own back, in the name of a holder. Idempotent. It ends by itself; what is still valid then goes to the device.</summary>
    Task HoldAsync(string deviceId, string holder, DateTimeOffset until, CancellationToken cancellation);

    /// <summary>Ends what the holder ordered. Idempotent.</summary>
    Task LiftAsync(string deviceId, string holder, CancellationToken cancellation);

    /// <summary>Commands to the device that wait for it now, and whether it is being asked for them (a device that never fetched any does not know how).</summary>
    Task<(long Waiting, DateTimeOffset? LastFetch)> OutlookAsync(string deviceId, CancellationToken cancellation);

    /// <summary>
    /// An order has reached its end, or a command that was held is held no more. Raised after it is durable, on any thread; what listens returns at once and never throws. Lost
    /// when the gateway ends.
    /// </summary>
    event Action<DeviceCommand>? Settled;
}

/// <summary>What became of a person's decision about a command.</summary>
public enum CommandDecision
{
    /// <summary>Done, now or before.</summary>
    Done,

    /// <summary>There is no such command.</summary>
    Gone,

    /// <summary>It is in another state: settled, or fetched by the device.</summary>
    TooLate,

    /// <summary>The same account sent it.</summary>
    SamePerson,
}

/// <summary>A command of the gateway itself.</summary>
/// <param name="FieldId">Field of the device.</param>
/// <param name="DeviceId">The device.</param>
/// <param name="Holder">In whose name: a lease.</param>
/// <param name="Name">What the device is to do.</param>
/// <param name="Number">Which order of this holder, from 0.</param>
/// <param name="Arguments">A JSON object.</param>
/// <param name="ValidUntil">Until when the device may fetch it.</param>
/// <param name="CorrelationId">Correlation id of the cause.</param>
public sealed record CommandOrder(string FieldId, string DeviceId, string Holder, string Name, int Number, string Arguments, DateTimeOffset ValidUntil, string CorrelationId);

/// <summary>A command as other stages see it.</summary>
public sealed record DeviceCommand
{
    /// <summary>"c" and 15 characters of 0-9 and a-z.</summary>
    public required string Id { get; init; }

    /// <summary>Field of the device.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>What the device is to do.</summary>
    public required string Name { get; init; }

    /// <summary>Who asks: "key:NAME", "account:NAME", or "gateway".</summary>
    public required string Sender { get; init; }

    /// <summary>The lease of an order; null for what others send.</summary>
    public string? Holder { get; init; }

    /// <summary>Which order of its holder and name it is, from 0.</summary>
    public int Ordinal { get; init; }

    /// <summary>One of <see cref="CommandStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>What is stored of it cannot be read, and the device is not given it.</summary>
    public bool IsDamaged { get; init; }

    /// <summary>Why it was held, one of <see cref="CommandBounds"/>; null when it was not.</summary>
    public string? Bound { get; init; }

    /// <summary>When it was sent (UTC).</summary>
    public required DateTimeOffset SentAt { get; init; }

    /// <summary>Until when the device may fetch it (UTC).</summary>
    public required DateTimeOffset ValidUntil { get; init; }

    /// <summary>When the device fetched it first (UTC); null when it has not.</summary>
    public DateTimeOffset? FetchedAt { get; init; }

    /// <summary>When it was settled (UTC); null while it is open.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What the device said when it answered, as JSON of at most 2,048 characters; null for nothing.</summary>
    public string? Answer { get; init; }
}

/// <summary>Stable names of the states of a command.</summary>
public static class CommandStates
{
    /// <summary>Waits for its device.</summary>
    public const string Queued = "queued";

    /// <summary>Waits for a person; the device does not get it.</summary>
    public const string Held = "held";

    /// <summary>The device has fetched it and has not answered.</summary>
    public const string Delivered = "delivered";

    /// <summary>The device did it.</summary>
    public const string Done = "done";

    /// <summary>The device tried and could not.</summary>
    public const string Failed = "failed";

    /// <summary>The device will not.</summary>
    public const string Refused = "refused";

    /// <summary>A person or its sender took it back before the device fetched it.</summary>
    public const string Withdrawn = "withdrawn";

    /// <summary>Its time ran out: the device did not fetch it, or did not answer.</summary>
    public const string Expired = "expired";

    /// <summary>Its time ran out while it was held.</summary>
    public const string Lapsed = "lapsed";

    /// <summary>Those in which something is still to come.</summary>
    public static readonly IReadOnlyList<string> Open = [Queued, Held, Delivered];

    /// <summary>All of them; every command ends in exactly one of the last six.</summary>
    public static readonly IReadOnlyList<string> All = [Queued, Held, Delivered, Done, Failed, Refused, Withdrawn, Expired, Lapsed];
}

/// <summary>Stable names of the bounds of a command list: why a command was held. Append-only.</summary>
public static class CommandBounds
{
    /// <summary>The field has no list, so that everything waits for a person.</summary>
    public const string NoList = "no-list";

    /// <summary>The list says that it always waits for a person.</summary>
    public const string Sensitive = "sensitive";

    /// <summary>The list does not name it for this kind of device.</summary>
    public const string Name = "name";

    /// <summary>The list names it for other operating modes.</summary>
    public const string Mode = "mode";

    /// <summary>The list does not let this sender send it.</summary>
    public const string Sender = "sender";

    /// <summary>It came outside its days and hours.</summary>
    public const string Time = "time";

    /// <summary>An argument is outside its bounds, missing, or not named.</summary>
    public const string Argument = "argument";

    /// <summary>More than the most per hour.</summary>
    public const string Rate = "rate";

    /// <summary>The two that wait for a person as a rule, so that nothing is wrong.</summary>
    public static readonly IReadOnlyList<string> Expected = [NoList, Sensitive];

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [NoList, Sensitive, Name, Mode, Sender, Time, Argument, Rate];
}
