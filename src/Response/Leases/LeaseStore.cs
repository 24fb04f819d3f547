using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Leases;

/// <summary>Which leases of a field a person wants to see.</summary>
internal sealed record LeaseFilter(string? FieldId, string? State, string? DeviceId, DateTimeOffset? From, DateTimeOffset? To, LeaseCursor? After, int Limit);

/// <summary>Place in the list, which runs from the newest to the oldest.</summary>
internal sealed record LeaseCursor(long CreatedAt, string Id)
{
    public override string ToString() => $"{CreatedAt.ToString(CultureInfo.InvariantCulture)}-{Id}";

    /// <summary>Reads what <see cref="ToString"/> wrote; null when it is something else.</summary>
    public static LeaseCursor? Parse(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && text.Length - dash - 1 == 16 && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? new LeaseCursor(at, text[(dash + 1)..])
            : null;
    }
}

/// <summary>How much waits.</summary>
internal sealed record LeaseBacklog(long Waiting, DateTimeOffset? Oldest);

/// <summary>
/// The table lease, the durable queue of responses. Each change is one transaction with its history record, and is refused when the lease
/// was changed meanwhile, so any number of threads and nodes may try. Any thread.
/// </summary>
internal sealed class LeaseStore(Databases databases, MasterKey key, IHistory history, TimeProvider clock) : IDisposable
{
    /// <summary>Purpose of the key that details are encrypted under.</summary>
    public const string CipherPurpose = "response-lease";

    private const int ChangedAtOnce = 200;

    private const string Target = "action = @action AND field_id = @field AND target = @target";

    private const string Update =
        "UPDATE lease SET version = version + 1, state = @State, created_at = @CreatedAt, started_at = @StartedAt, ended_at = @EndedAt, expires_at = @ExpiresAt, attempts = @Attempts, " +
        "next_try_at = @NextTryAt, undo_asked_at = @UndoAskedAt, holds = @Holds, held = @Held, group_key = @GroupKey, claimed_by = @ClaimedBy, details = @Details " +
        "WHERE id = @Id AND version = @Version";

    private const string InsertNew =
        "INSERT INTO lease (id, version, finding_id, field_id, device_id, action, target, state, risk, level, condition, approval, created_at, started_at, ended_at, " +
        "expires_at, attempts, next_try_at, undo_asked_at, holds, held, group_key, claimed_by, correlation_id, details) VALUES (@Id, 0, @FindingId, @FieldId, @DeviceId, " +
        "@Action, @Target, @State, @Risk, @Level, @Condition, @Approval, @CreatedAt, @StartedAt, @EndedAt, @ExpiresAt, @Attempts, @NextTryAt, @UndoAskedAt, @Holds, " +
        "@Held, @GroupKey, @ClaimedBy, @CorrelationId, @Details) ON CONFLICT (id) DO NOTHING";

    private readonly Database _database = databases.State;
    private readonly ColumnCipher _cipher = new(key, CipherPurpose);

    /// <summary>Adds the lease to the caller's transaction; false when it is there already.</summary>
    public bool Insert(Lease lease, DbTransaction transaction)
    {
        if (transaction.Connection!.Execute(InsertNew, LeaseRow.Of(lease, _cipher), transaction) == 0)
        {
            return false;
        }

        Record(null, lease, transaction);
        return true;
    }

    /// <summary>Adds leases that a person ordered.</summary>
    public Task InsertAsync(IReadOnlyList<Lease> leases, CancellationToken cancellation) =>
        _database.WriteAsync(
            t =>
            {
                foreach (var lease in leases)
                {
                    Insert(lease, t);
                }

                return Task.CompletedTask;
            },
            cancellation);

    public Task<Lease?> FindAsync(string id, CancellationToken cancellation) => _database.ReadAsync(
        async c => (await c.QuerySingleOrDefaultAsync<LeaseRow>($"SELECT {LeaseRow.Columns} FROM lease WHERE id = @id", new { id }))?.ToLease(_cipher), cancellation);

    /// <summary>
    /// Changes one lease. <paramref name="change"/> decides on the lease as it is and is asked again when somebody else was faster.
    /// </summary>
    /// <returns>The lease after the change; null when there is none or <paramref name="change"/> returned null.</returns>
    public Task<Lease?> ChangeAsync(string id, Func<Lease, Lease?> change, CancellationToken cancellation) => ChangeAsync(id, change, null, cancellation);

    /// <summary>The same, with something that belongs to the change in its transaction.</summary>
    public async Task<Lease?> ChangeAsync(string id, Func<Lease, Lease?> change, Action<Lease, DbTransaction>? along, CancellationToken cancellation)
    {
        while (true)
        {
            var (raced, result) = await _database.WriteAsync(
                async t =>
                {
                    var row = await t.Connection!.QuerySingleOrDefaultAsync<LeaseRow>($"SELECT {LeaseRow.Columns} FROM lease WHERE id = @id", new { id }, t);
                    if (row?.ToLease(_cipher) is not { } lease || change(lease) is not { } next)
                    {
                        return (false, (Lease?)null);
                    }

                    if (!Save(lease, next, t))
                    {
                        return (true, null);
                    }

                    var saved = next with { Version = lease.Version + 1 };
                    along?.Invoke(saved, t);
                    return (false, saved);
                },
                cancellation);
            if (!raced)
            {
                return result;
            }
        }
    }

    /// <summary>Changes several leases, some in each transaction, so that nothing else waits for long; those for which null comes back are left.</summary>
    public async Task ChangeAllAsync(IReadOnlyCollection<string> ids, Func<Lease, Lease?> change, CancellationToken cancellation)
    {
        foreach (var some in ids.Order(StringComparer.Ordinal).Chunk(ChangedAtOnce))
        {
            await _database.WriteAsync(
                t =>
                {
                    ChangeAll(some, change, t);
                    return Task.CompletedTask;
                },
                cancellation);
        }
    }

    /// <summary>Changes several leases in the caller's transaction; those for which null comes back are left.</summary>
    public void ChangeAll(IEnumerable<string> ids, Func<Lease, Lease?> change, DbTransaction transaction)
    {
        // In one order, so that two who change the same ones do not wait for each other.
        foreach (var id in ids.Order(StringComparer.Ordinal))
        {
            while (Row(id, transaction) is { } lease && change(lease) is { } next && !Save(lease, next, transaction))
            {
                // Somebody else was faster: decided again on what they made of it.
            }
        }
    }

    private Lease? Row(string id, DbTransaction transaction) =>
        transaction.Connection!.QuerySingleOrDefault<LeaseRow>($"SELECT {LeaseRow.Columns} FROM lease WHERE id = @id", new { id }, transaction)?.ToLease(_cipher);

    /// <summary>Changes the leases of an action on a target in the caller's transaction.</summary>
    public void ChangeOfTarget(string action, string? fieldId, string target, Func<Lease, Lease?> change, DbTransaction transaction)
    {
        var ids = transaction.Connection!.Query<string>(
            $"SELECT id FROM lease WHERE {Target} AND state = 'done' AND expires_at IS NOT NULL", new { action, field = fieldId ?? "", target }, transaction).AsList();
        ChangeAll(ids, change, transaction);
    }

    /// <summary>Targets of an action for which something is to be done now, those that wait longest first.</summary>
    public Task<IReadOnlyList<(string Field, string Target)>> TargetsDueAsync(string action, DateTimeOffset now, int limit, CancellationToken cancellation) =>
        _database.ReadAsync(
            async c => (IReadOnlyList<(string, string)>)(await c.QueryAsync<(string, string)>(
                "SELECT field_id, target FROM lease WHERE action = @action AND next_try_at <= @now GROUP BY field_id, target ORDER BY MIN(next_try_at), field_id, target LIMIT @limit",
                new { action, now = now.ToUnixTimeMilliseconds(), limit })).AsList(),
            cancellation);

    /// <summary>The next thing to do for a target: what fell due first, of equals what was ordered first.</summary>
    public Task<Lease?> NextDueAsync(string action, string field, string target, DateTimeOffset now, CancellationToken cancellation) => _database.ReadAsync(
        async c => (await c.QueryFirstOrDefaultAsync<LeaseRow>(
            $"SELECT {LeaseRow.Columns} FROM lease WHERE {Target} AND next_try_at <= @now ORDER BY next_try_at, created_at, id LIMIT 1",
            new { action, field, target, now = now.ToUnixTimeMilliseconds() }))?.ToLease(_cipher),
        cancellation);

    /// <summary>When the next thing falls due for an action after <paramref name="now"/>; null for nothing.</summary>
    public async Task<DateTimeOffset?> NextTimeAsync(string action, DateTimeOffset now, CancellationToken cancellation)
    {
        var at = await _database.ReadAsync(
            c => c.ExecuteScalarAsync<long?>("SELECT MIN(next_try_at) FROM lease WHERE action = @action AND next_try_at > @now", new { action, now = now.ToUnixTimeMilliseconds() }),
            cancellation);
        return at is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;
    }

    /// <summary>Responses that are due or running, and when the oldest of them that may run now fell due.</summary>
    public async Task<LeaseBacklog> BacklogAsync(CancellationToken cancellation)
    {
        var (count, oldest) = await _database.ReadAsync(
            c => c.QuerySingleAsync<(long, long?)>(
                "SELECT COUNT(*), MIN(CASE WHEN next_try_at <= @now THEN next_try_at END) FROM lease WHERE next_try_at IS NOT NULL AND (state IN ('due', 'running') OR next_try_at <= @now)",
                new { now = clock.GetUtcNow().ToUnixTimeMilliseconds() }),
            cancellation);
        return new LeaseBacklog(count, oldest is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }

    /// <summary>Leases of a field's lock-downs that are in force or about to be, each with whether it keeps its device out by itself; it does not when somebody else had locked the device before.</summary>
    public Task<Dictionary<string, bool>> LockingAsync(string fieldId, string action, string condition, CancellationToken cancellation) => _database.ReadAsync(
        async c => (await c.QueryAsync<(string Id, bool Locks)>(
            "SELECT id, CASE WHEN state = 'done' THEN holds ELSE 1 END FROM lease WHERE action = @action AND field_id = @fieldId AND condition = @condition AND undo_asked_at IS NULL AND state IN ('due', 'running', 'done')",
            new { action, fieldId, condition })).ToDictionary(r => r.Id, r => r.Locks, StringComparer.Ordinal),
        cancellation);

    /// <summary>Another lease of the same action is being done to the same target at this moment.</summary>
    public Task<bool> IsBeingDoneAsync(Lease like, DateTimeOffset now, CancellationToken cancellation) => _database.ReadAsync(
        async c => await c.ExecuteScalarAsync<long>(
            $"SELECT COUNT(*) FROM lease WHERE {Target} AND id <> @id AND state = 'running' AND claimed_by IS NOT NULL AND next_try_at > @now",
            new { action = like.Action, field = like.FieldId ?? "", target = like.Target, id = like.Id, now = now.ToUnixTimeMilliseconds() }) > 0,
        cancellation);

    /// <summary>Brings back what was written while the clock was ahead.</summary>
    public async Task ClockSetBackAsync(LeaseSettings settings, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var ids = await _database.ReadAsync(
            async c => (await c.QueryAsync<string>(
                "SELECT id FROM lease WHERE next_try_at > @now AND (created_at > @late OR started_at > @late OR ended_at > @late OR " +
                "(next_try_at > @longest AND (state = 'running' OR undo_asked_at IS NOT NULL OR (state = 'due' AND group_key IS NULL))))",
                new
                {
                    now = now.ToUnixTimeMilliseconds(),
                    late = (now + ClockSetBack.ClocksDiffer).ToUnixTimeMilliseconds(),
                    longest = (now + ClockSetBack.LongestPause(settings)).ToUnixTimeMilliseconds(),
                })).AsList(),
            cancellation);
        await ChangeAllAsync(ids, l => ClockSetBack.Of(l, now, settings), cancellation);
    }

    /// <summary>Makes what a node was working on when it ended due again.</summary>
    public Task FreeClaimsAsync(string node, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE lease SET version = version + 1, next_try_at = @now, claimed_by = NULL WHERE claimed_by = @node", new { node, now = clock.GetUtcNow().ToUnixTimeMilliseconds() }, t),
        cancellation);

    /// <summary>On what in a field one of the actions came into force since a moment, or is about to.</summary>
    /// <remarks>The names of actions are the gateway's own constants; the two databases take lists of parameters in different ways.</remarks>
    public static IReadOnlyList<Disturbance> Disturbed(string? fieldId, IReadOnlyCollection<string> actions, DateTimeOffset since, DateTimeOffset now, DbConnection connection, DbTransaction? transaction) =>
        [.. connection.Query<Disturbance>(
            $"SELECT DISTINCT action AS Action, device_id AS DeviceId, target AS Target FROM lease WHERE field_id = @field AND action IN ({string.Join(',', actions.Select(a => $"'{a}'").DefaultIfEmpty("''"))}) AND " +
            "((started_at >= @since AND started_at <= @now AND state <> 'refused') OR (state = 'done' AND ended_at >= @since AND ended_at <= @now) OR " +
            "(started_at IS NOT NULL AND state IN ('due', 'running')) OR (started_at IS NULL AND state = 'due' AND next_try_at <= @now))",
            new { field = fieldId ?? "", since = since.ToUnixTimeMilliseconds(), now = now.ToUnixTimeMilliseconds() },
            transaction)];

    /// <summary>The same, outside of a transaction, with how many responses of the field wait for people.</summary>
    public Task<(IReadOnlyList<Disturbance> Disturbed, long Waiting)> DisturbedAsync(string? fieldId, IReadOnlyCollection<string> actions, DateTimeOffset since, CancellationToken cancellation) =>
        databases.State.ReadAsync(
            async c => (
                Disturbed(fieldId, actions, since, clock.GetUtcNow(), c, null),
                await c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM lease WHERE field_id = @field AND state = 'waiting-approval'", new { field = fieldId ?? "" })),
            cancellation);

    /// <summary>Other leases that want the device locked. With <paramref name="leaving"/> also those whose undo has begun.</summary>
    public Task<long> HoldersAsync(string deviceId, string exceptId, bool leaving, CancellationToken cancellation) => _database.ReadAsync(
        c => c.ExecuteScalarAsync<long>(
            $"SELECT COUNT(*) FROM lease WHERE device_id = @deviceId AND id <> @exceptId AND state = 'done' AND {(leaving ? "held" : "holds")} = 1", new { deviceId, exceptId }),
        cancellation);

    /// <summary>Ends, in the caller's transaction, leases in force since before <paramref name="released"/> on a device that somebody else let in again or took away.</summary>
    public void EndHolds(string deviceId, DateTimeOffset released, string cause, string? exceptId, DbTransaction transaction)
    {
        var ids = transaction.Connection!.Query<string>(
            "SELECT id FROM lease WHERE device_id = @deviceId AND state = 'done' AND held = 1 AND ended_at <= @at AND undo_asked_at IS NULL AND id <> @exceptId",
            new { deviceId, at = released.ToUnixTimeMilliseconds(), exceptId = exceptId ?? "" },
            transaction).AsList();
        ChangeAll(ids, l => LeaseMachine.EndedElsewhere(l, cause, clock.GetUtcNow()), transaction);
    }

    /// <summary>Takes back, in the caller's transaction, what a finding ordered.</summary>
    /// <param name="findingId">The finding.</param>
    /// <param name="change">Decides on each lease as it is; null leaves it.</param>
    /// <param name="transaction">The transaction.</param>
    /// <returns>The leases before.</returns>
    public IReadOnlyList<Lease> ChangeOf(string findingId, Func<Lease, Lease?> change, DbTransaction transaction)
    {
        var seen = new List<Lease>();
        while (Of(findingId, transaction).Find(l => !seen.Exists(s => s.Id == l.Id)) is { } lease)
        {
            seen.Add(lease);

            // What a script orders meanwhile is among those that are asked for next.
            ChangeAll([lease.Id], change, transaction);
        }

        return seen;
    }

    private List<Lease> Of(string findingId, DbTransaction transaction) =>
        [.. transaction.Connection!.Query<LeaseRow>($"SELECT {LeaseRow.Columns} FROM lease WHERE finding_id = @findingId ORDER BY id", new { findingId }, transaction).Select(r => r.ToLease(_cipher))];

    /// <summary>The same for a device that was found let in, in a transaction of its own.</summary>
    public Task EndHoldsAsync(string deviceId, DateTimeOffset released, string exceptId, CancellationToken cancellation) => _database.WriteAsync(
        t =>
        {
            EndHolds(deviceId, released, LeaseCauses.ReleasedElsewhere, exceptId, t);
            return Task.CompletedTask;
        },
        cancellation);

    /// <summary>Somebody that a lease waited for has answered: the queue looks at it now.</summary>
    public Task WakeAsync(string id, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE lease SET version = version + 1, next_try_at = @now WHERE id = @id AND claimed_by IS NULL AND next_try_at > @now AND (state = 'running' OR (state = 'done' AND undo_asked_at IS NOT NULL))",
            new { id, now = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            t),
        cancellation);

    /// <summary>Ends the leases of an action that are in force on a target, because somebody ended that without them.</summary>
    public async Task EndElsewhereAsync(string action, string field, string target, CancellationToken cancellation)
    {
        var ids = await _database.ReadAsync(
            async c => (await c.QueryAsync<string>($"SELECT id FROM lease WHERE {Target} AND state = 'done' AND undo_asked_at IS NULL", new { action, field, target })).AsList(), cancellation);
        await ChangeAllAsync(ids, l => LeaseMachine.EndedElsewhere(l, LeaseCauses.CommandSettled, clock.GetUtcNow()), cancellation);
    }

    /// <summary>What is in force for a device or on its way to be, newest first, at most fifty.</summary>
    public Task<IReadOnlyList<Lease>> InForceAsync(string deviceId, CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<Lease>)[.. (await c.QueryAsync<LeaseRow>(
            $"SELECT {LeaseRow.Columns} FROM lease WHERE device_id = @deviceId AND (state IN ('waiting-approval', 'planned', 'due', 'running') OR (state = 'done' AND (holds = 1 OR expires_at IS NOT NULL))) " +
            "ORDER BY created_at DESC, id LIMIT 50",
            new { deviceId })).Select(r => r.ToLease(_cipher))],
        cancellation);

    /// <summary>Leases of a field (or of the gateway itself), newest first.</summary>
    public Task<IReadOnlyList<Lease>> ListAsync(LeaseFilter filter, CancellationToken cancellation)
    {
        var where = "field_id = @field";
        where += filter.State is null ? "" : " AND state = @state";
        where += filter.DeviceId is null ? "" : " AND device_id = @device";
        where += filter.From is null ? "" : " AND created_at >= @from";
        where += filter.To is null ? "" : " AND created_at < @to";
        where += filter.After is null ? "" : " AND (created_at < @afterTime OR (created_at = @afterTime AND id > @afterId))";
        var values = new
        {
            field = filter.FieldId ?? "",
            state = filter.State,
            device = filter.DeviceId,
            from = filter.From?.ToUnixTimeMilliseconds(),
            to = filter.To?.ToUnixTimeMilliseconds(),
            afterTime = filter.After?.CreatedAt,
            afterId = filter.After?.Id,
            limit = filter.Limit,
        };
        return _database.ReadAsync(
            async c => (IReadOnlyList<Lease>)[.. (await c.QueryAsync<LeaseRow>(
                $"SELECT {LeaseRow.Columns} FROM lease WHERE {where} ORDER BY created_at DESC, id LIMIT @limit", values)).Select(r => r.ToLease(_cipher))],
            cancellation);
    }

    public void Dispose() => _cipher.Dispose();

    private bool Save(Lease before, Lease next, DbTransaction transaction)
    {
        var changed = next with { Details = next.Details with { ChangedAt = ChangeTime.After(before.ChangedAt, clock.GetUtcNow()) } };
        if (transaction.Connection!.Execute(Update, LeaseRow.Of(changed, _cipher), transaction) == 0)
        {
            return false;
        }

        Record(before, changed, transaction);
        return true;
    }

    private void Record(Lease? before, Lease next, DbTransaction transaction)
    {
        var asked = before?.UndoAskedAt != next.UndoAskedAt;
        var approved = before is not null && before.Details.Approvals.Count != next.Details.Approvals.Count;
        var retracted = before is not null && before.Details.Retracted != next.Details.Retracted;
        if (before?.State == next.State && !asked && !approved && !retracted)
        {
            return;
        }

        history.Append(
            new HistoryRecord
            {
                At = clock.GetUtcNow(),
                Kind = HistoryKinds.Response,
                What = next.Action,
                FieldId = next.FieldId,
                DeviceId = next.DeviceId,
                Actor = next.Details.Actor,
                CorrelationId = next.CorrelationId,
                Subject = next.Id,
                Details = JsonSerializer.Serialize(new
                {
                    state = next.State,
                    from = before?.State,
                    finding = next.FindingId,
                    target = next.Target,
                    undoAsked = asked ? true : (bool?)null,
                    attempts = next.Attempts,
                    reason = next.Details.Reason,
                    cause = next.Details.Cause ?? LeaseGroups.Cause(next),
                    acknowledged = next.Details.Acknowledged,
                    error = next.Details.LastError,
                    ticket = next.Details.Ticket?.Number,
                }),
            },
            transaction);
    }
}
