using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Distribution.Commands;

/// <summary>A command that somebody wants to send.</summary>
/// <param name="Command">The command, queued or held.</param>
/// <param name="RepeatKey">What the sender names the request by; null when it has none.</param>
/// <param name="Untold">Detection is to be told that it was held.</param>
internal sealed record NewCommand(Command Command, string? RepeatKey, bool Untold);

/// <summary>What became of it.</summary>
/// <param name="Command">The command; one that came before when the request was repeated; null when there are too many.</param>
/// <param name="Wait">When it is worth trying again; zero when it was taken.</param>
/// <param name="IsRepeat">The request came before.</param>
internal readonly record struct SendResult(Command? Command, TimeSpan Wait, bool IsRepeat);

/// <summary>Place in a list of commands, which runs from the newest to the oldest.</summary>
internal sealed record CommandCursor(long CreatedAt, string Id)
{
    public override string ToString() => $"{CreatedAt.ToString(CultureInfo.InvariantCulture)}-{Id}";

    public static CommandCursor? Parse(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && text.Length - dash - 1 == 16 && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? new CommandCursor(at, text[(dash + 1)..])
            : null;
    }
}

/// <summary>
/// The tables of commands. Every change of a state is one transaction with its record in the history, and is refused when somebody else was faster, so any number of
/// requests may try. Any thread.
/// </summary>
internal sealed class CommandStore(Databases databases, MasterKey key, IHistory history, CommandSettings settings, TimeProvider clock) : IDisposable
{
    /// <summary>Purpose of the key that contents are encrypted under.</summary>
    public const string CipherPurpose = "distribution-command";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly Database _database = databases.State;
    private readonly ColumnCipher _cipher = new(key, CipherPurpose);
    private readonly KeyedHash _hash = new(key, CipherPurpose + "-sender");

    /// <summary>Stores a command that somebody sends, within the limits of its device and its sender.</summary>
    public async Task<SendResult> SendAsync(NewCommand sent, CancellationToken cancellation)
    {
        var command = sent.Command;
        var sender = _hash.Of(command.Content.Sender);
        var repeat = sent.RepeatKey is null ? null : _hash.Of($"{command.FieldId}\n{command.Content.Sender}\n{sent.RepeatKey}");
        while (true)
        {
            var (raced, result) = await _database.WriteAsync(
                async t =>
                {
                    if (repeat is not null && await FindRepeatAsync(repeat, t).ConfigureAwait(false) is { } before)
                    {
                        return (false, new SendResult(before, TimeSpan.Zero, IsRepeat: true));
                    }

                    if (await WaitAsync(command.DeviceId, sender, t).ConfigureAwait(false) is { Ticks: > 0 } wait)
                    {
                        return (false, new SendResult(null, wait, IsRepeat: false));
                    }

                    return await InsertAsync(command, sender, repeat, sent.Untold, t).ConfigureAwait(false) ? (false, new SendResult(command, TimeSpan.Zero, IsRepeat: false)) : (true, default);
                },
                cancellation).ConfigureAwait(false);
            if (!raced)
            {
                return result;
            }
        }
    }

    /// <summary>Stores an order of the gateway; the same again is the one that is there.</summary>
    public async Task<Command> OrderAsync(Command command, CancellationToken cancellation)
    {
        var sender = _hash.Of(command.Content.Sender);
        while (true)
        {
            var found = await _database.WriteAsync(
                async t => await FindAsync(command.Id, t).ConfigureAwait(false) is { } there
                    ? there
                    : await InsertAsync(command, sender, null, untold: false, t).ConfigureAwait(false) ? command : null,
                cancellation).ConfigureAwait(false);
            if (found is not null)
            {
                return found;
            }
        }
    }

    public Task<Command?> FindAsync(string id, CancellationToken cancellation) => _database.ReadAsync(
        async c => (await c.QuerySingleOrDefaultAsync<CommandRow>($"SELECT {CommandRow.Columns} FROM command c WHERE c.id = @id", new { id, now = Now() }).ConfigureAwait(false))?.ToCommand(_cipher),
        cancellation);

    /// <summary>The newest orders of a holder, in order.</summary>
    public async Task<IReadOnlyList<Command>> OfHolderAsync(string holder, CancellationToken cancellation) =>
        [.. (await ListAsync("c.holder = @holder ORDER BY c.number DESC LIMIT 100", new { holder, now = Now() }, cancellation).ConfigureAwait(false)).Reverse()];

    /// <summary>Commands of a field, newest first.</summary>
    public Task<IReadOnlyList<Command>> OfFieldAsync(string fieldId, string? deviceId, string? state, CommandCursor? after, int limit, CancellationToken cancellation)
    {
        const string KeptBack = "c.kind <> 'gateway' AND EXISTS (SELECT 1 FROM command_hold h WHERE h.device_id = c.device_id AND h.until > @now)";
        var where = "c.field_id = @fieldId" + (deviceId is null ? "" : " AND c.device_id = @deviceId");
        where += state switch
        {
            null => "",
            CommandStates.Held => $" AND (c.state = 'held' OR (c.state = 'queued' AND {KeptBack}))",
            CommandStates.Queued => $" AND c.state = 'queued' AND NOT ({KeptBack})",
            _ => " AND c.state = @state",
        };
        where += after is null ? "" : " AND (c.created_at < @at OR (c.created_at = @at AND c.id > @id))";
        return ListAsync(
            where + " ORDER BY c.created_at DESC, c.id LIMIT @limit", new { fieldId, deviceId, state, at = after?.CreatedAt, id = after?.Id, limit, now = Now() }, cancellation);
    }

    /// <summary>How often a command of this name went to the device since a moment, held ones not counted.</summary>
    public Task<long> SentSinceAsync(string deviceId, string name, DateTimeOffset since, CancellationToken cancellation) => _database.ReadAsync(
        c => c.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM command WHERE device_id = @deviceId AND created_at > @since AND name = @name AND kind <> 'gateway' AND state NOT IN ('held', 'lapsed', 'withdrawn')",
            new { deviceId, name, since = since.ToUnixTimeMilliseconds() }),
        cancellation);

    /// <summary>What the device may fetch now, the gateway's own orders first, each kind in order; those that it fetches for the first time are marked before this returns.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="ordersOnly">The device is locked out: the gateway's own orders only.</param>
    /// <param name="most">At most so many.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    /// <returns>The commands, and whether one of them is new to the device.</returns>
    public async Task<(IReadOnlyList<Command> Commands, bool Fresh)> FetchAsync(string deviceId, bool ordersOnly, int most, CancellationToken cancellation)
    {
        var now = Now();
        var which =
            "c.device_id = @deviceId AND c.ends_at IS NOT NULL AND c.state IN ('queued', 'delivered') AND c.valid_until > @now AND (c.kind = 'gateway' OR (" + (ordersOnly ? "1 = 0" : "1 = 1") +
            " AND NOT EXISTS (SELECT 1 FROM command_hold h WHERE h.device_id = c.device_id AND h.until > @now))) ORDER BY CASE WHEN c.kind = 'gateway' THEN 0 ELSE 1 END, c.number LIMIT @most";
        var found = await ListAsync(which, new { deviceId, most, now }, cancellation).ConfigureAwait(false);
        if (found.Any(c => c.IsDamaged))
        {
            // Damaged ones take no places of others.
            found = [.. (await ListAsync(which, new { deviceId, most = most + settings.Open, now }, cancellation).ConfigureAwait(false)).Where(c => !c.IsDamaged).Take(most)];
        }

        var fresh = found.Where(c => c.State == CommandStates.Queued).ToList();
        if (fresh.Count == 0)
        {
            return (found, false);
        }

        var gone = new HashSet<string>(StringComparer.Ordinal);
        await _database.WriteAsync(
            async t =>
            {
                gone.Clear();
                foreach (var command in fresh)
                {
                    var next = command with { State = CommandStates.Delivered, FetchedAt = Time(now), EndsAt = command.ValidUntil + settings.AnswerWithin };
                    if (!await ChangeAsync(command, next with { Content = next.Content with { Actor = deviceId } }, t).ConfigureAwait(false))
                    {
                        // Withdrawn in this moment, or fetched by the same device on another connection.
                        gone.Add(command.Id);
                    }
                }
            },
            cancellation).ConfigureAwait(false);
        return ([.. found.Where(c => !gone.Contains(c.Id))], gone.Count < fresh.Count);
    }

    /// <summary>Changes one command. <paramref name="change"/> decides on it as it is and is asked again when somebody else was faster; null leaves it.</summary>
    /// <returns>The command before and after; after is null when nothing was changed, both are when there is none.</returns>
    public async Task<(Command? Before, Command? After)> ChangeAsync(string id, Func<Command, Command?> change, CancellationToken cancellation)
    {
        while (true)
        {
            var (raced, before, after) = await _database.WriteAsync(
                async t =>
                {
                    var present = await FindAsync(id, t).ConfigureAwait(false);
                    return present is null || change(present) is not { } next ? (false, present, (Command?)null)
                        : await ChangeAsync(present, next, t).ConfigureAwait(false) ? (false, present, next) : (true, null, null);
                },
                cancellation).ConfigureAwait(false);
            if (!raced)
            {
                return (before, after);
            }
        }
    }

    /// <summary>There is something to end, to tell or to let go.</summary>
    public Task<bool> HasWorkAsync(CancellationToken cancellation) => _database.ReadAsync(
        c => c.ExecuteScalarAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM command WHERE ends_at <= @now) OR EXISTS (SELECT 1 FROM command WHERE told = 0) OR EXISTS (SELECT 1 FROM command WHERE ended_at < @before)",
            new { now = Now(), before = (clock.GetUtcNow() - settings.Kept).ToUnixTimeMilliseconds() }),
        cancellation);

    /// <summary>Ends what has run out of time, some at a time.</summary>
    public async Task<IReadOnlyList<Command>> ExpireAsync(int most, CancellationToken cancellation)
    {
        var due = await ListAsync("c.ends_at <= @now ORDER BY c.ends_at LIMIT @most", new { most, now = Now() }, cancellation).ConfigureAwait(false);
        var ended = new List<Command>();
        foreach (var command in due)
        {
            if ((await ChangeAsync(command.Id, c => c.EndsAt <= clock.GetUtcNow() ? RunOut(c) : null, cancellation).ConfigureAwait(false)).After is { } after)
            {
                ended.Add(after);
            }
        }

        return ended;
    }

    /// <summary>Held commands that detection was not told of, oldest first.</summary>
    public Task<IReadOnlyList<Command>> UntoldAsync(int most, CancellationToken cancellation) =>
        ListAsync("c.told = 0 ORDER BY c.created_at LIMIT @most", new { most, now = Now() }, cancellation);

    public Task ToldAsync(string id, CancellationToken cancellation) =>
        _database.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE command SET told = 1 WHERE id = @id", new { id }, t), cancellation);

    /// <summary>Lets go what was settled long ago.</summary>
    public Task<int> ForgetAsync(int most, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "DELETE FROM command WHERE id IN (SELECT id FROM command WHERE ended_at < @before ORDER BY ended_at LIMIT @most)",
            new { before = (clock.GetUtcNow() - settings.Kept).ToUnixTimeMilliseconds(), most },
            t),
        cancellation);

    public Task HoldAsync(string deviceId, string holder, DateTimeOffset until, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "INSERT INTO command_hold (device_id, holder, until) VALUES (@deviceId, @holder, @until) ON CONFLICT (device_id, holder) DO UPDATE SET until = excluded.until",
            new { deviceId, holder, until = until.ToUnixTimeMilliseconds() },
            t),
        cancellation);

    public Task LiftAsync(string deviceId, string holder, CancellationToken cancellation) => _database.WriteAsync(

        // Those that have ended by themselves go with it.
        t => t.Connection!.ExecuteAsync("DELETE FROM command_hold WHERE (device_id = @deviceId AND holder = @holder) OR until <= @now", new { deviceId, holder, now = Now() }, t),
        cancellation);

    /// <summary>Commands that wait for the device.</summary>
    public Task<long> OpenAsync(string deviceId, CancellationToken cancellation) => _database.ReadAsync(
        c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM command WHERE device_id = @deviceId AND ends_at > @now", new { deviceId, now = Now() }), cancellation);

    public void Dispose() => _cipher.Dispose();

    /// <summary>The command when its time has run out.</summary>
    private static Command RunOut(Command command) => command with
    {
        State = command.Shown == CommandStates.Held ? CommandStates.Lapsed : CommandStates.Expired,
        Content = command.Content with { Actor = Command.Gateway, Reason = null },
    };

    private async Task<IReadOnlyList<Command>> ListAsync(string where, object values, CancellationToken cancellation) => await _database.ReadAsync(
        async c => (IReadOnlyList<Command>)[.. (await c.QueryAsync<CommandRow>($"SELECT {CommandRow.Columns} FROM command c WHERE {where}", values).ConfigureAwait(false)).Select(r => r.ToCommand(_cipher))],
        cancellation).ConfigureAwait(false);

    private async Task<Command?> FindAsync(string id, DbTransaction transaction) =>
        (await transaction.Connection!.QuerySingleOrDefaultAsync<CommandRow>($"SELECT {CommandRow.Columns} FROM command c WHERE c.id = @id", new { id, now = Now() }, transaction).ConfigureAwait(false))?.ToCommand(_cipher);

    private async Task<Command?> FindRepeatAsync(byte[] repeat, DbTransaction transaction) =>
        (await transaction.Connection!.QuerySingleOrDefaultAsync<CommandRow>(
            $"SELECT {CommandRow.Columns} FROM command c WHERE c.repeat_key = @repeat", new { repeat, now = Now() }, transaction).ConfigureAwait(false))?.ToCommand(_cipher);

    /// <summary>How long the sender has to wait: too many of the device's commands are open, or too many were sent within a minute.</summary>
    private async Task<TimeSpan> WaitAsync(string deviceId, byte[] sender, DbTransaction transaction)
    {
        var now = clock.GetUtcNow();
        var since = (now - Minute).ToUnixTimeMilliseconds();
        var (open, count, first) = await transaction.Connection!.QuerySingleAsync<(long, long, long?)>(
            """
            SELECT (SELECT COUNT(*) FROM command WHERE device_id = @deviceId AND ends_at > @now AND kind <> 'gateway'), COUNT(*), MIN(created_at)
            FROM command WHERE device_id = @deviceId AND created_at > @since AND kind <> 'gateway'
            """,
            new { deviceId, since, now = now.ToUnixTimeMilliseconds() },
            transaction).ConfigureAwait(false);
        if (open >= settings.Open)
        {
            return Minute;
        }

        if (count >= settings.PerDeviceMinute)
        {
            return Until(first, now);
        }

        var (sent, oldest) = await transaction.Connection!.QuerySingleAsync<(long, long?)>(
            "SELECT COUNT(*), MIN(created_at) FROM command WHERE sender = @sender AND created_at > @since", new { sender, since }, transaction).ConfigureAwait(false);
        return sent >= settings.PerSenderMinute ? Until(oldest, now) : TimeSpan.Zero;

        static TimeSpan Until(long? first, DateTimeOffset now) => Time(first!.Value) + Minute - now is { Ticks: > 0 } left ? left : TimeSpan.FromSeconds(1);
    }

    private async Task<bool> InsertAsync(Command command, byte[] sender, byte[]? repeat, bool untold, DbTransaction transaction)
    {
        var rows = await transaction.Connection!.ExecuteAsync(
            """
            INSERT INTO command (id, field_id, device_id, number, name, kind, sender, repeat_key, holder, state, bound, told, created_at, valid_until, ends_at, correlation_id, content)
            SELECT @Id, @FieldId, @DeviceId, COALESCE(MAX(number), 0) + 1, @Name, @Kind, @sender, @repeat, @Holder, @State, @Bound, @told, @created, @until, @until, @CorrelationId, @content
            FROM command WHERE device_id = @DeviceId
            ON CONFLICT DO NOTHING
            """,
            new
            {
                command.Id,
                command.FieldId,
                command.DeviceId,
                command.Name,
                command.Kind,
                sender,
                repeat,
                command.Holder,
                command.State,
                command.Bound,
                told = untold ? 0 : 1,
                created = command.CreatedAt.ToUnixTimeMilliseconds(),
                until = command.ValidUntil.ToUnixTimeMilliseconds(),
                command.CorrelationId,
                content = CommandRow.Protect(command.Content, command.Id, _cipher),
            },
            transaction).ConfigureAwait(false);
        if (rows > 0)
        {
            Record(null, command, transaction);
        }

        return rows > 0;
    }

    private async Task<bool> ChangeAsync(Command before, Command after, DbTransaction transaction)
    {
        var now = clock.GetUtcNow();
        var ended = CommandStates.Open.Contains(after.State) ? (DateTimeOffset?)null : now;
        var rows = await transaction.Connection!.ExecuteAsync(
            "UPDATE command SET state = @State, fetched_at = @fetched, ended_at = @ended, ends_at = @ends, content = COALESCE(@content, content) WHERE id = @Id AND state = @from",
            new
            {
                after.Id,
                after.State,
                fetched = after.FetchedAt?.ToUnixTimeMilliseconds(),
                ended = ended?.ToUnixTimeMilliseconds(),
                ends = ended is null ? after.EndsAt?.ToUnixTimeMilliseconds() : null,
                content = before.IsDamaged ? null : CommandRow.Protect(after.Content, after.Id, _cipher),
                from = before.State,
            },
            transaction).ConfigureAwait(false);
        if (rows > 0)
        {
            Record(before, after, transaction);
        }

        return rows > 0;
    }

    private void Record(Command? before, Command after, DbTransaction transaction) => history.Append(
        new HistoryRecord
        {
            At = clock.GetUtcNow(),
            Kind = HistoryKinds.Command,
            What = after.Name,
            FieldId = after.FieldId,
            DeviceId = after.DeviceId,
            Actor = after.Content.Actor,
            CorrelationId = after.CorrelationId,
            Subject = after.Id,
            Details = JsonSerializer.Serialize(new
            {
                state = after.State,
                from = before?.State,
                sender = after.Content.Sender,
                bound = after.Bound,
                response = after.Holder,
                reason = after.Content.Reason,
            }),
        },
        transaction);

    private long Now() => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private static DateTimeOffset Time(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at);
}
