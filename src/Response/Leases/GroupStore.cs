using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Leases;

/// <summary>Leases that wait together: what was done one by one, what is due at once, and groups. Any thread.</summary>
internal sealed class GroupStore(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    private const string Target = "action = @action AND field_id = @field AND target = @target";

    // Waiting for nothing, or to be told again: these are joined when there are many of them.
    private const string Single = "(group_key IS NULL OR group_key LIKE 'same %')";

    private readonly Database _database = databases.State;
    private readonly ColumnCipher _cipher = new(key, LeaseStore.CipherPurpose);

    /// <summary>Responses of this action and target that were done one by one since a time; one that waits for the rest of its people was done for the others.</summary>
    public Task<long> DoneSinceAsync(Lease like, DateTimeOffset since, CancellationToken cancellation) => _database.ReadAsync(
        c => c.ExecuteScalarAsync<long>(
            $"SELECT COUNT(*) FROM lease WHERE {Target} AND ((state = 'done' AND group_key IS NULL AND ended_at >= @since) OR (state = 'due' AND group_key LIKE 'later %' AND started_at >= @since))",
            Of(like, new { since = since.ToUnixTimeMilliseconds() })),
        cancellation);

    /// <summary>What of these levels waits for its try now, this one counted, repeats of one thing counted once, groups not.</summary>
    public Task<long> DueAsync(Lease like, IReadOnlyCollection<string> levels, string? own, CancellationToken cancellation) => _database.ReadAsync(
        c => c.ExecuteScalarAsync<long>(
            $"SELECT COUNT(DISTINCT COALESCE(group_key, id)) FROM lease WHERE {Target} AND state IN ('due', 'running') AND {Single} AND {Levelled(levels)} AND " +
            "COALESCE(group_key, '') <> @own AND (next_try_at <= @now OR id = @id)",
            Of(like, new { own = own ?? "-" })),
        cancellation);

    /// <summary>Puts all of these levels that is due now into a group that waits. No change of state, so nothing to record.</summary>
    /// <param name="like">One of them; it is left.</param>
    /// <param name="group">Key of the group.</param>
    /// <param name="until">When the group is due.</param>
    /// <param name="levels">These levels only.</param>
    /// <param name="sameThing">Only what tells of the same device and condition.</param>
    /// <param name="cancellation">Cancels.</param>
    public Task JoinAsync(Lease like, string group, DateTimeOffset until, IReadOnlyCollection<string> levels, bool sameThing, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            $"UPDATE lease SET version = version + 1, group_key = @group, next_try_at = @until WHERE {Target} AND state = 'due' AND {Single} AND {Levelled(levels)} AND next_try_at <= @now AND id <> @id" +
            (sameThing ? " AND device_id = @device AND condition = @condition AND finding_id IS NOT NULL" : ""),
            Of(like, new { group, until = until.ToUnixTimeMilliseconds(), device = like.DeviceId, condition = like.Condition }),
            t),
        cancellation);

    /// <summary>Makes a group wait for something else.</summary>
    public Task MoveAsync(string from, string to, DateTimeOffset until, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE lease SET version = version + 1, group_key = @to, next_try_at = @until WHERE group_key = @from AND state = 'due'", new { from, to, until = until.ToUnixTimeMilliseconds() }, t),
        cancellation);

    /// <summary>What waits for hours of a field is looked at again now: the hours were changed.</summary>
    public Task LookAgainAsync(string? fieldId, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE lease SET version = version + 1, next_try_at = @now WHERE field_id = @field AND state = 'due' AND next_try_at > @now AND " +
            "(group_key LIKE 'quiet %' OR group_key LIKE 'hours %' OR group_key LIKE 'later %')",
            new { field = fieldId ?? "", now = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            t),
        cancellation);

    /// <summary>The leases of a group that are not done yet, oldest first.</summary>
    public Task<IReadOnlyList<Lease>> GroupAsync(string group, CancellationToken cancellation) => ReadAsync(
        "group_key = @group AND state IN ('due', 'running') ORDER BY created_at, id", new { group }, cancellation);

    /// <summary>The leases of a call that nobody has taken in hand, oldest first, also when everybody was called in vain.</summary>
    public Task<IReadOnlyList<Lease>> CallAsync(string call, CancellationToken cancellation) => ReadAsync(
        "group_key = @call AND state IN ('due', 'running', 'done') ORDER BY created_at, id", new { call }, cancellation);

    /// <summary>The last time that this list was told of the same device and condition, at this level or a higher one, since a time; null for never.</summary>
    public async Task<Lease?> LastToldAsync(Lease like, IReadOnlyCollection<string> levels, DateTimeOffset since, CancellationToken cancellation) =>
        await ReadAsync(
            $"{Target} AND device_id = @device AND condition = @condition AND {Levelled(levels)} AND id <> @id AND " +
            "((state = 'done' AND ended_at >= @since) OR (state = 'due' AND group_key LIKE 'later %' AND started_at >= @since)) ORDER BY COALESCE(ended_at, started_at) DESC, id LIMIT 1",
            Of(like, new { device = like.DeviceId, condition = like.Condition, since = since.ToUnixTimeMilliseconds() }),
            cancellation) is [var told] ? told : null;

    /// <summary>Keys of the calls of this list that are under way, the newest first, with when each goes on.</summary>
    public Task<IReadOnlyList<(string Key, DateTimeOffset Until)>> CallsAsync(Lease like, bool sameThing, CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<(string, DateTimeOffset)>)[.. (await c.QueryAsync<(string Key, long Until)>(
            $"SELECT group_key, MIN(next_try_at) FROM lease WHERE {Target} AND state IN ('due', 'running') AND group_key LIKE 'call %' AND id <> @id" +
            (sameThing ? " AND device_id = @device AND condition = @condition" : "") + " GROUP BY group_key ORDER BY MIN(created_at) DESC, group_key",
            Of(like, new { device = like.DeviceId, condition = like.Condition }))).Select(r => (r.Key, DateTimeOffset.FromUnixTimeMilliseconds(r.Until)))],
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private Task<IReadOnlyList<Lease>> ReadAsync(string where, object values, CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<Lease>)[.. (await c.QueryAsync<LeaseRow>($"SELECT {LeaseRow.Columns} FROM lease WHERE {where}", values)).Select(r => r.ToLease(_cipher))], cancellation);

    // Names of levels are the gateway's own constants; the two databases take lists of parameters in different ways.
    private static string Levelled(IReadOnlyCollection<string> levels) => $"level IN ({string.Join(',', levels.Select(l => $"'{l}'"))})";

    private DynamicParameters Of(Lease like, object more)
    {
        var values = new DynamicParameters(more);
        values.Add("action", like.Action);
        values.Add("field", like.FieldId ?? "");
        values.Add("target", like.Target);
        values.Add("id", like.Id);
        values.Add("now", clock.GetUtcNow().ToUnixTimeMilliseconds());
        return values;
    }
}
