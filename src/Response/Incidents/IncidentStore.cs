using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Response.Leases;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Incidents;

/// <summary>Which incidents a person wants to see; null means any.</summary>
internal sealed record IncidentFilter(string? FieldId, int Limit)
{
    public string? State { get; init; }

    public string? Level { get; init; }

    public string? ClosedAs { get; init; }

    public string? Assignee { get; init; }

    public string? DeviceId { get; init; }

    /// <summary>Only what is not closed and past its time.</summary>
    public DateTimeOffset? OverdueAt { get; init; }

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? To { get; init; }

    /// <summary>Opening time and identifier of the last one on the page before.</summary>
    public (long OpenedAt, string Id)? After { get; init; }
}

/// <summary>A device of an incident with the number of its findings.</summary>
internal sealed record IncidentDevice
{
    public string DeviceId { get; init; } = "";

    public long Findings { get; init; }
}

/// <summary>
/// The tables incident and incident_entry. A change is one transaction with its lines and its records in the history, and is decided again
/// when somebody else was faster. Any thread.
/// </summary>
internal sealed class IncidentStore(Databases databases, MasterKey master, IncidentKeys keys, IHistory history, TimeProvider clock) : IDisposable
{
    private const string Insertion =
        "INSERT INTO incident (id, version, field_id, state, level, closed_as, assignee, label, opened_at, last_at, due_at, closed_at, release_asked_at, recovered_at, findings, retracted, entries, document) " +
        "VALUES (@Id, 0, @FieldId, @State, @Level, @ClosedAs, @Assignee, @Label, @OpenedAt, @LastAt, @DueAt, @ClosedAt, @ReleaseAskedAt, @RecoveredAt, @Findings, @Retracted, @Entries, @Document)";

    private const string Update =
        "UPDATE incident SET version = version + 1, state = @State, level = @Level, closed_as = @ClosedAs, assignee = @Assignee, label = @Label, last_at = @LastAt, due_at = @DueAt, closed_at = @ClosedAt, " +
        "release_asked_at = @ReleaseAskedAt, recovered_at = @RecoveredAt, findings = @Findings, retracted = @Retracted, entries = @Entries, document = @Document WHERE id = @Id AND version = @Version";

    private readonly ColumnCipher _cipher = new(master, "response-incident");

    public IReadOnlyList<Incident> Load(IReadOnlyList<string> ids, DbTransaction transaction) =>
        [.. IncidentLinks.Portions(ids, (names, list) => transaction.Connection!.Query<IncidentRow>($"SELECT {IncidentRow.Columns} FROM incident WHERE id IN ({names})", list, transaction)).Select(r => r.ToIncident(_cipher))];

    /// <summary>Adds an incident.</summary>
    public void Insert(IncidentChange change, DbTransaction transaction)
    {
        var incident = change.Next with { Entries = change.Entries.Count };
        transaction.Connection!.Execute(Insertion, IncidentRow.Of(incident, _cipher, keys), transaction);
        Write(incident, 0, change.Entries, transaction);
    }

    /// <summary>Changes one in the caller's transaction. <paramref name="change"/> decides on it as it is and is asked again when somebody else was faster.</summary>
    /// <returns>The incident after the change; null when there is none or <paramref name="change"/> returned null.</returns>
    public Incident? Change(string id, Func<Incident, IncidentChange?> change, DbTransaction transaction)
    {
        while (Load([id], transaction) is [var incident] && change(incident) is { } made)
        {
            var next = made.Next with
            {
                Entries = incident.Entries + made.Entries.Count,
                Details = made.Next.Details with { ChangedAt = ChangeTime.After(incident.ChangedAt, clock.GetUtcNow()) },
            };
            if (transaction.Connection!.Execute(Update, IncidentRow.Of(next, _cipher, keys), transaction) > 0)
            {
                Write(next, incident.Entries, made.Entries, transaction);
                return next with { Version = incident.Version + 1 };
            }
        }

        return null;
    }

    /// <summary>The same in a transaction of its own, with something that belongs to it.</summary>
    public Task<Incident?> ChangeAsync(string id, Func<Incident, IncidentChange?> change, Action<Incident, DbTransaction>? along, CancellationToken cancellation) => databases.State.WriteAsync(
        t =>
        {
            var after = Change(id, change, t);
            if (after is not null)
            {
                along?.Invoke(after, t);
            }

            return Task.FromResult(after);
        },
        cancellation);

    public Task<Incident?> FindAsync(string? fieldId, string id, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (await c.QuerySingleOrDefaultAsync<IncidentRow>(
            $"SELECT {IncidentRow.Columns} FROM incident WHERE id = @id AND field_id = @field", new { id, field = fieldId ?? "" }))?.ToIncident(_cipher),
        cancellation);

    /// <summary>Incidents of a field (or of the gateway itself), newest first.</summary>
    public Task<IReadOnlyList<Incident>> ListAsync(IncidentFilter filter, CancellationToken cancellation)
    {
        var sql = $"SELECT {IncidentRow.Columns} FROM incident WHERE field_id = @field"
            + (filter.State is null ? "" : " AND state = @State")
            + (filter.Level is null ? "" : " AND level = @Level")
            + (filter.ClosedAs is null ? "" : " AND closed_as = @ClosedAs")
            + (filter.Assignee is null ? "" : " AND assignee = @assignee")
            + (filter.DeviceId is null ? "" : " AND id IN (SELECT incident_id FROM incident_finding WHERE device_id = @DeviceId)")
            + (filter.OverdueAt is null ? "" : " AND state <> 'closed' AND due_at < @overdue")
            + (filter.From is null ? "" : " AND opened_at >= @from")
            + (filter.To is null ? "" : " AND opened_at < @to")
            + (filter.After is null ? "" : " AND (opened_at < @afterAt OR (opened_at = @afterAt AND id > @afterId))")
            + " ORDER BY opened_at DESC, id LIMIT @Limit";
        var values = new
        {
            field = filter.FieldId ?? "",
            filter.State,
            filter.Level,
            filter.ClosedAs,
            assignee = filter.Assignee is { } name ? keys.Person(name) : null,
            filter.DeviceId,
            overdue = filter.OverdueAt?.ToUnixTimeMilliseconds(),
            from = filter.From?.ToUnixTimeMilliseconds(),
            to = filter.To?.ToUnixTimeMilliseconds(),
            afterAt = filter.After?.OpenedAt,
            afterId = filter.After?.Id,
            filter.Limit,
        };
        return databases.State.ReadAsync(async c => (IReadOnlyList<Incident>)[.. (await c.QueryAsync<IncidentRow>(sql, values)).Select(r => r.ToIncident(_cipher))], cancellation);
    }

    /// <summary>Lines of its timeline, the last ones, oldest first.</summary>
    public Task<IReadOnlyList<IncidentEntry>> EntriesAsync(string id, int most, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<IncidentEntry>)[.. (await c.QueryAsync<(long Seq, byte[] Document)>(
                "SELECT seq, document FROM incident_entry WHERE incident_id = @id ORDER BY seq DESC LIMIT @most", new { id, most }))
            .Reverse().Select(r => JsonSerializer.Deserialize<IncidentEntry>(_cipher.UnprotectText(r.Document, EntryContext(id, r.Seq)))!)],
        cancellation);

    /// <summary>Its devices, those with most findings first; and how many there are.</summary>
    public Task<(IReadOnlyList<IncidentDevice> Devices, long All)> DevicesAsync(string id, int most, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => ((IReadOnlyList<IncidentDevice>)(await c.QueryAsync<IncidentDevice>(
                "SELECT device_id AS DeviceId, COUNT(*) AS Findings FROM incident_finding WHERE incident_id = @id AND device_id IS NOT NULL GROUP BY device_id ORDER BY COUNT(*) DESC, device_id LIMIT @most",
                new { id, most })).AsList(),
            await c.ExecuteScalarAsync<long>("SELECT COUNT(DISTINCT device_id) FROM incident_finding WHERE incident_id = @id", new { id })),
        cancellation);

    /// <summary>Number of devices of several incidents.</summary>
    public Task<IReadOnlyDictionary<string, (long Devices, string? One)>> DeviceCountsAsync(IReadOnlyList<string> ids, CancellationToken cancellation) => databases.State.ReadAsync(
        c => Task.FromResult<IReadOnlyDictionary<string, (long, string?)>>(IncidentLinks.Portions(ids, (names, values) => c.Query<(string Id, long Devices, string? One)>(
            $"SELECT incident_id, COUNT(DISTINCT device_id), MIN(device_id) FROM incident_finding WHERE incident_id IN ({names}) GROUP BY incident_id", values)).ToDictionary(r => r.Id, r => (r.Devices, r.One))),
        cancellation);

    /// <summary>Incidents whose label is not on all their findings yet.</summary>
    public Task<IReadOnlyList<Incident>> ToLabelAsync(CancellationToken cancellation) => SomeAsync("label <> ''", cancellation);

    /// <summary>Incidents whose devices were released and are not known to be well yet.</summary>
    public Task<IReadOnlyList<Incident>> RecoveringAsync(CancellationToken cancellation) => SomeAsync("release_asked_at IS NOT NULL AND recovered_at IS NULL AND state <> 'closed'", cancellation);

    /// <summary>Findings of an incident that are to get its label.</summary>
    public Task<IReadOnlyList<string>> UnlabelledAsync(string id, string label, int most, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<string>)(await c.QueryAsync<string>(
            $"SELECT finding_id FROM incident_finding WHERE incident_id = @id AND label {(label == FindingLabel.Acknowledged ? "IN ('', 'reopened')" : "IN ('', 'reopened', 'acknowledged')")} LIMIT @most", new { id, most })).AsList(),
        cancellation);

    /// <summary>Notes that the label reached these findings, also those that are not kept any more.</summary>
    public Task MarkLabelledAsync(IReadOnlyList<string> findingIds, string label, CancellationToken cancellation) => databases.State.WriteAsync(
        t =>
        {
            IncidentLinks.Portions<string>(findingIds, (names, values) =>
            {
                values.Add("label", label);
                t.Connection!.Execute($"UPDATE incident_finding SET label = @label WHERE label IN ('', 'reopened', 'acknowledged') AND finding_id IN ({names})", values, t);
                return [];
            });
            return Task.CompletedTask;
        },
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private Task<IReadOnlyList<Incident>> SomeAsync(string where, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<Incident>)[.. (await c.QueryAsync<IncidentRow>($"SELECT {IncidentRow.Columns} FROM incident WHERE {where} ORDER BY opened_at LIMIT 1000")).Select(r => r.ToIncident(_cipher))], cancellation);

    private void Write(Incident incident, long after, IReadOnlyList<IncidentEntry> entries, DbTransaction transaction)
    {
        foreach (var entry in entries)
        {
            var seq = ++after;
            transaction.Connection!.Execute(
                "INSERT INTO incident_entry (incident_id, seq, at, document) VALUES (@Id, @seq, @at, @document)",
                new { incident.Id, seq, at = entry.At.ToUnixTimeMilliseconds(), document = _cipher.Protect(JsonSerializer.Serialize(entry), EntryContext(incident.Id, seq)) },
                transaction);
            if (EntryKinds.OnlyHere.Contains(entry.Kind))
            {
                continue;
            }

            history.Append(
                new HistoryRecord
                {
                    At = entry.At,
                    Kind = HistoryKinds.Response,
                    What = Incident.InHistory,
                    FieldId = incident.FieldId,
                    Actor = entry.By,
                    CorrelationId = entry.CorrelationId,
                    Subject = incident.Id,
                    Details = JsonSerializer.Serialize(new { state = incident.State, change = entry.Kind, level = incident.Level, closedAs = incident.ClosedAs, values = entry.Values, reason = entry.Note }),
                },
                transaction);
        }
    }

    private static string EntryContext(string id, long seq) => $"incident/{id}/{seq.ToString(CultureInfo.InvariantCulture)}";
}
