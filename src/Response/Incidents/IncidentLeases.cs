using System.Data.Common;
using Dapper;
using Sekisho.Response.Actions.SuspendSim;
using Sekisho.Response.Leases;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Incidents;

/// <summary>How many responses of an incident are in a state.</summary>
internal sealed record LeaseCount
{
    public string Action { get; init; } = "";

    public string State { get; init; } = "";

    public long Count { get; init; }
}

/// <summary>Reads the responses to the findings of an incident, and those that concern its devices. Any thread.</summary>
internal sealed class IncidentLeases(Databases databases, MasterKey master) : IDisposable
{
    // Every response to one of its findings, and what else was ordered for its devices since it was opened (lock-downs, reminders).
    private const string Of =
        "(finding_id IN (SELECT finding_id FROM incident_finding WHERE incident_id = @id) OR (finding_id IS NULL AND created_at >= @since AND device_id IN " +
        "(SELECT device_id FROM incident_finding WHERE incident_id = @id AND device_id IS NOT NULL)))";

    private const string OnDevices = "device_id IN (SELECT device_id FROM incident_finding WHERE incident_id = @id AND device_id IS NOT NULL)";

    private readonly ColumnCipher _cipher = new(master, LeaseStore.CipherPurpose);

    /// <summary>Whether a lock on one of its devices, or on its SIM, is in force and is to stay.</summary>
    public static bool IsHeld(string incidentId, DbTransaction transaction) => transaction.Connection!.ExecuteScalar<long>(
        $"SELECT COUNT(*) FROM lease WHERE {OnDevices} AND state = 'done' AND undo_asked_at IS NULL AND (holds = 1 OR (action = @sim AND expires_at IS NULL))",
        new { id = incidentId, sim = SimOff.Suspend.Action },
        transaction) > 0;

    /// <summary>Its responses, those in force first, then the newest, at most so many.</summary>
    public Task<IReadOnlyList<Lease>> ListAsync(Incident incident, int most, CancellationToken cancellation) => QueryAsync(
        $"{Of} ORDER BY holds DESC, created_at DESC, id LIMIT @most", new { id = incident.Id, since = incident.OpenedAt.ToUnixTimeMilliseconds(), most }, cancellation);

    /// <summary>How often its responses were changed, all of them: grows with each change.</summary>
    public Task<long> VersionsAsync(Incident incident, CancellationToken cancellation) => databases.State.ReadAsync(
        c => c.ExecuteScalarAsync<long>($"SELECT COALESCE(SUM(version), 0) FROM lease WHERE {Of}", new { id = incident.Id, since = incident.OpenedAt.ToUnixTimeMilliseconds() }), cancellation);

    /// <summary>All its responses, counted.</summary>
    public Task<IReadOnlyList<LeaseCount>> CountAsync(Incident incident, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<LeaseCount>)(await c.QueryAsync<LeaseCount>(
            $"SELECT action AS Action, state AS State, COUNT(*) AS Count FROM lease WHERE {Of} GROUP BY action, state ORDER BY action, state",
            new { id = incident.Id, since = incident.OpenedAt.ToUnixTimeMilliseconds() })).AsList(),
        cancellation);

    /// <summary>Responses of these actions that are in force on its devices, might be although their tries failed, or are about to be, at most so many.</summary>
    /// <remarks>The names of actions are the gateway's own constants; the two databases take lists of parameters in different ways.</remarks>
    public Task<IReadOnlyList<Lease>> OnDevicesAsync(string incidentId, IReadOnlyCollection<string> actions, int most, CancellationToken cancellation) => QueryAsync(
        $"{OnDevices} AND action IN ({string.Join(',', actions.Select(a => $"'{a}'").DefaultIfEmpty("''"))}) AND state IN ('waiting-approval', 'planned', 'due', 'running', 'done', 'failed') " +
        "ORDER BY holds DESC, created_at DESC, id LIMIT @most",
        new { id = incidentId, most },
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private Task<IReadOnlyList<Lease>> QueryAsync(string where, object values, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<Lease>)[.. (await c.QueryAsync<LeaseRow>($"SELECT {LeaseRow.Columns} FROM lease WHERE {where}", values)).Select(r => r.ToLease(_cipher))], cancellation);
}
