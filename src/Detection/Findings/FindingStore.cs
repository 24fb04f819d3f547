using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Findings;

/// <summary>The table finding. Evidence, notes and names of persons are encrypted. Any thread.</summary>
internal sealed class FindingStore(Databases databases, MasterKey master, SubjectKeys keys, IHistory history, IEnumerable<IFindingLabelPart>? labelParts = null) : IFindings, IFindingLabels, IDisposable
{
    private const string Columns = """
        id AS Id, field_id AS FieldId, device_id AS DeviceId, scope AS Scope, subject AS Subject, key AS Key, condition AS Condition,
        condition_key AS ConditionKey, template_id AS TemplateId, template_version AS TemplateVersion, risk AS Risk, level AS Level,
        raised_at AS RaisedAt, device_time AS DeviceTime, position AS Position, correlation_id AS CorrelationId, evidence AS Evidence,
        threat AS Threat, effect AS Effect, stage AS Stage, retracted_because AS RetractedBecause, cleared_at AS ClearedAt, status AS Status, closed_as AS ClosedAs, handled_at AS HandledAt, handled_by AS HandledBy, note AS Note, cause AS Cause
        """;

    private readonly ColumnCipher _cipher = new(master, "detection.finding");
    private readonly KeyedHash _causes = new(master, "detection.finding-cause");
    private readonly IFindingLabelPart[] _labelParts = [.. labelParts ?? []];
    private bool _disposed;

    public void Dispose()
    {
        // The container disposes it once for each of its registrations.
        if (!_disposed)
        {
            _disposed = true;
            _cipher.Dispose();
        }
    }

    /// <summary>Adds findings and ends those that are over, in the lanes' transaction.</summary>
    /// <returns>What the responses are to be told as taken back, with the findings concerned.</returns>
    public IReadOnlyList<Retraction> Write(IReadOnlyList<RaisedFinding> raised, IReadOnlyList<Clearance> cleared, DbTransaction transaction)
    {
        // What was cleared and raised again in one stretch: both sides carry positions, so their order in the transaction does not matter as
        // long as the findings are there before they are ended.
        foreach (var one in raised)
        {
            Insert(one, transaction);
        }

        var retractions = new List<Retraction>();
        foreach (var clearance in cleared)
        {
            var over = End(clearance, transaction);
            if (clearance.Told is { } told)
            {
                retractions.Add(told with { FindingIds = over });
            }
        }

        return retractions;
    }

    public async Task<Finding?> FindAsync(string findingId, CancellationToken cancellation)
    {
        var row = await databases.State.ReadAsync(
            c => c.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM finding WHERE id = @findingId", new { findingId }), cancellation).ConfigureAwait(false);
        return row is null ? null : Read(row).Finding;
    }

    public async Task<bool> IsHandledAsync(string findingId, CancellationToken cancellation) =>
        await databases.State.ReadAsync(
            c => c.ExecuteScalarAsync<string?>("SELECT status FROM finding WHERE id = @findingId", new { findingId }), cancellation).ConfigureAwait(false) != FindingStatus.Open;

    public async Task<IReadOnlyList<Finding>> SinceAsync(string fieldId, DateTimeOffset since, int most, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>(
                $"SELECT {Columns} FROM finding WHERE {Of(fieldId)} AND raised_at >= @since ORDER BY position, id LIMIT @most", new { fieldId, since = since.ToUnixTimeMilliseconds(), most }),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(r => Read(r).Finding)];
    }

    public async Task<IReadOnlyList<Finding>> RecentAsync(string fieldId, string deviceId, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>(
                $"SELECT {Columns} FROM finding WHERE device_id = @deviceId AND raised_at >= @from AND raised_at <= @to AND {Of(fieldId)} AND effect = 'act' AND retracted_because IS NULL ORDER BY raised_at DESC, position DESC, id LIMIT @most",
                new { fieldId, deviceId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds(), most }),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(r => Read(r).Finding)];
    }

    /// <summary>One finding of the field (null: of the gateway), or null when there is none.</summary>
    public async Task<KeptFinding?> FindAsync(string? fieldId, string id, CancellationToken cancellation)
    {
        var row = await databases.State.ReadAsync(
            c => c.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM finding WHERE id = @id AND {Of(fieldId)}", new { id, fieldId }), cancellation).ConfigureAwait(false);
        return row is null ? null : Read(row);
    }

    /// <summary>Findings of the field (null: of the gateway), newest first.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="filter">Which.</param>
    /// <param name="after">Position and identifier of the last one on the page before.</param>
    /// <param name="limit">Most of them.</param>
    /// <param name="cancellation">Stops waiting.</param>
    public async Task<IReadOnlyList<KeptFinding>> ListAsync(string? fieldId, FindingFilter filter, (long Position, string Id)? after, int limit, CancellationToken cancellation)
    {
        var sql = $"SELECT {Columns} FROM finding WHERE {Of(fieldId)}"
            + (filter.Device is null ? "" : " AND device_id = @Device")
            + (filter.Condition is null ? "" : " AND condition = @Condition")
            + (filter.Risk is null ? "" : " AND risk = @Risk")
            + (filter.Level is null ? "" : " AND level = @Level")
            + (filter.Effect is null ? "" : " AND effect = @Effect")
            + (filter.Threat is null ? "" : " AND threat = @Threat")
            + (filter.Status is null ? "" : " AND status = @Status")
            + (filter.ConditionKey is null ? "" : " AND condition_key = @ConditionKey")
            + (filter.ClosedAs is null ? "" : " AND closed_as = @ClosedAs")
            + (filter.Cause is null ? "" : " AND COALESCE(cause, id) = @Cause")
            + (filter.From is null ? "" : " AND raised_at >= @from")
            + (filter.To is null ? "" : " AND raised_at < @to")
            + (after is null ? "" : " AND (position < @position OR (position = @position AND id < @id))")
            + " ORDER BY position DESC, id DESC LIMIT @limit";
        var values = new
        {
            fieldId,
            filter.Device,
            filter.Condition,
            filter.Risk,
            filter.Level,
            filter.Status,
            filter.Effect,
            filter.Threat,
            filter.ConditionKey,
            filter.ClosedAs,
            filter.Cause,
            from = filter.From?.ToUnixTimeMilliseconds(),
            to = filter.To?.ToUnixTimeMilliseconds(),
            position = after?.Position,
            id = after?.Id,
            limit,
        };
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(sql, values), cancellation).ConfigureAwait(false);
        return [.. rows.Select(Read)];
    }

    /// <summary>How many findings each condition of the field has raised since a moment, by effect: what being tried out would have done.</summary>
    public async Task<IReadOnlyList<FindingCount>> CountAsync(string? fieldId, DateTimeOffset since, CancellationToken cancellation) =>
        [.. await databases.State.ReadAsync(
            c => c.QueryAsync<FindingCount>(
                $"""
                SELECT condition_key AS ConditionKey, effect AS Effect, COUNT(*) AS Findings, COUNT(DISTINCT subject) AS Subjects,
                    SUM(CASE WHEN retracted_because IS NULL THEN 0 ELSE 1 END) AS Retracted, SUM(CASE WHEN closed_as = 'incident' THEN 1 ELSE 0 END) AS Incidents,
                    SUM(CASE WHEN closed_as = 'change' THEN 1 ELSE 0 END) AS Changes, SUM(CASE WHEN closed_as = 'false-alarm' THEN 1 ELSE 0 END) AS FalseAlarms
                FROM finding WHERE {Of(fieldId)} AND raised_at >= @since GROUP BY condition_key, effect ORDER BY condition_key, effect
                """,
                new { fieldId, since = since.ToUnixTimeMilliseconds() }),
            cancellation).ConfigureAwait(false)];

    /// <summary>What each condition of a field raised within a span: findings and subjects.</summary>
    public async Task<IReadOnlyDictionary<string, (long Findings, long Subjects)>> CountByConditionAsync(string fieldId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Condition, long Findings, long Subjects)>(
                "SELECT condition_key, COUNT(*), COUNT(DISTINCT subject) FROM finding WHERE field_id = @fieldId AND raised_at >= @from AND raised_at < @to GROUP BY condition_key",
                new { fieldId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }),
            cancellation).ConfigureAwait(false);
        return rows.ToDictionary(r => r.Condition, r => (r.Findings, r.Subjects));
    }

    /// <summary>Notes what a person did about findings that are not closed, all in one transaction.</summary>
    /// <param name="findings">The findings.</param>
    /// <param name="closedAs">One of <see cref="Closings"/> to close it; null to acknowledge it.</param>
    /// <param name="note">What the person says; null keeps the note.</param>
    /// <param name="actor">Who.</param>
    /// <param name="at">When.</param>
    /// <param name="correlationId">Correlation id of the request.</param>
    /// <returns>Identifiers of those that were not closed already.</returns>
    public Task<IReadOnlyList<string>> HandleAsync(IReadOnlyList<Finding> findings, string? closedAs, string? note, string actor, DateTimeOffset at, string correlationId) =>
        databases.State.WriteAsync(async transaction =>
        {
            var changed = new List<string>();
            foreach (var finding in findings)
            {
                if (await HandleAsync(finding, closedAs, note, actor, at, correlationId, transaction).ConfigureAwait(false))
                {
                    changed.Add(finding.Id);
                }
            }

            Tell(new FindingLabel(changed, closedAs ?? FindingLabel.Acknowledged, note, actor, at, correlationId), transaction);
            return (IReadOnlyList<string>)changed;
        });

    public async Task<IReadOnlyList<string>> LabelAsync(IReadOnlyList<string> findingIds, string? closedAs, string? note, string actor, DateTimeOffset at, string correlationId, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        foreach (var id in findingIds)
        {
            if (await FindAsync(id, cancellation).ConfigureAwait(false) is { } finding)
            {
                findings.Add(finding);
            }
        }

        return await HandleAsync(findings, closedAs, note, actor, at, correlationId).ConfigureAwait(false);
    }

    private void Tell(FindingLabel label, DbTransaction transaction)
    {
        foreach (var part in label.FindingIds.Count == 0 ? [] : _labelParts)
        {
            part.Labelled(label, transaction);
        }
    }

    private async Task<bool> HandleAsync(Finding finding, string? closedAs, string? note, string actor, DateTimeOffset at, string correlationId, DbTransaction transaction)
    {
        var changed = await transaction.Connection!.ExecuteAsync(
            """
            UPDATE finding SET status = @status, closed_as = @closedAs, handled_at = @at, handled_by = @by, note = COALESCE(@note, note)
            WHERE id = @Id AND status <> 'closed'
            """,
            new
            {
                finding.Id,
                status = closedAs is null ? FindingStatus.Acknowledged : FindingStatus.Closed,
                closedAs,
                at = at.ToUnixTimeMilliseconds(),
                by = _cipher.Protect(actor, finding.Id + ":by"),
                note = note is null ? null : _cipher.Protect(note, finding.Id + ":note"),
            },
            transaction).ConfigureAwait(false);
        if (changed == 0)
        {
            return false;
        }

        var details = closedAs is null ? null : JsonSerializer.Serialize(new { closedAs, note }, JsonSerializerOptions.Web);
        history.Append(Record(finding.FieldId, finding.DeviceId, finding.Id, closedAs is null ? "finding-acknowledged" : "finding-closed", at, actor, correlationId, details), transaction);
        return true;
    }

    /// <summary>Opens again what was closed, for a person who was mistaken.</summary>
    /// <returns>False when it is not closed.</returns>
    public Task<bool> ReopenAsync(Finding finding, string? note, string actor, DateTimeOffset at, string correlationId) =>
        databases.State.WriteAsync(async transaction =>
        {
            var changed = await transaction.Connection!.ExecuteAsync(
                "UPDATE finding SET status = 'open', closed_as = NULL, handled_at = @at, handled_by = @by, note = COALESCE(@note, note) WHERE id = @Id AND status = 'closed'",
                new
                {
                    finding.Id,
                    at = at.ToUnixTimeMilliseconds(),
                    by = _cipher.Protect(actor, finding.Id + ":by"),
                    note = note is null ? null : _cipher.Protect(note, finding.Id + ":note"),
                },
                transaction).ConfigureAwait(false);
            if (changed > 0)
            {
                history.Append(
                    Record(finding.FieldId, finding.DeviceId, finding.Id, "finding-reopened", at, actor, correlationId, JsonSerializer.Serialize(new { note }, JsonSerializerOptions.Web)), transaction);
                Tell(new FindingLabel([finding.Id], FindingLabel.Reopened, note, actor, at, correlationId), transaction);
            }

            return changed > 0;
        });

    /// <summary>Findings of the field (null: of the gateway) by cause, the one that happened last first.</summary>
    public async Task<IReadOnlyList<FindingGroup>> GroupAsync(string? fieldId, string? status, DateTimeOffset since, int limit, CancellationToken cancellation) =>
        [.. await databases.State.ReadAsync(
            c => c.QueryAsync<FindingGroup>(
                $"""
                SELECT COALESCE(cause, id) AS Cause, COUNT(*) AS Findings, COUNT(DISTINCT subject) AS Subjects, SUM(CASE WHEN status = 'closed' THEN 0 ELSE 1 END) AS Unfinished,
                    MIN(raised_at) AS First, MAX(raised_at) AS Last, MAX(position) AS Position
                FROM finding WHERE {Of(fieldId)} AND raised_at >= @since {(status is null ? "" : "AND status = @status")}
                GROUP BY COALESCE(cause, id) ORDER BY MAX(position) DESC, COALESCE(cause, id) LIMIT @limit
                """,
                new { fieldId, status, since = since.ToUnixTimeMilliseconds(), limit }),
            cancellation).ConfigureAwait(false)];

    // What is claimed (a network, a client, an extension) is the cause wherever it is claimed; else whoever does it is.
    private string CauseOf(Finding finding)
    {
        var what = finding.Evidence.Claim is { } claim ? "claim\n" + claim : $"subject\n{finding.Scope}\n{finding.ScopeKey}";
        return "g" + Convert.ToHexStringLower(_causes.Of($"{finding.FieldId}\n{finding.ConditionKey}\n{what}"))[..31];
    }

    private static string Of(string? fieldId) => fieldId is null ? "field_id IS NULL" : "field_id = @fieldId";

    private static HistoryRecord Record(string? fieldId, string? deviceId, string id, string what, DateTimeOffset at, string actor, string correlationId, string? details) => new()
    {
        At = at,
        Kind = HistoryKinds.Detection,
        What = what,
        FieldId = fieldId,
        DeviceId = deviceId,
        Actor = actor,
        CorrelationId = correlationId,
        Subject = id,
        Details = details,
    };

    private void Insert(RaisedFinding raised, DbTransaction transaction)
    {
        var finding = raised.Finding;
        var evidence = JsonSerializer.Serialize(finding.Evidence, JsonSerializerOptions.Web);
        var inserted = transaction.Connection!.Execute(
            """
            INSERT INTO finding (id, field_id, device_id, scope, area, subject, key, condition, condition_key, condition_identity, template_id,
                template_version, risk, threat, level, effect, stage, raised_at, device_time, position, correlation_id, evidence, status, cause)
            VALUES (@Id, @FieldId, @DeviceId, @Scope, @area, @subject, @key, @Condition, @ConditionKey, @identity, @TemplateId,
                @TemplateVersion, @Risk, @Threat, @Level, @Effect, @Stage, @raisedAt, @deviceTime, @Position, @CorrelationId, @evidence, 'open', @cause)
            ON CONFLICT (id) DO NOTHING
            """,
            new
            {
                finding.Id,
                finding.FieldId,
                finding.DeviceId,
                finding.Scope,
                area = SubjectKeys.AreaOf(raised.Subject),
                subject = keys.SubjectOf(raised.Subject),
                key = keys.KeyOf(raised.Subject),
                finding.Condition,
                finding.ConditionKey,
                identity = SubjectKeys.Signed(raised.Identity),
                finding.TemplateId,
                finding.TemplateVersion,
                finding.Risk,
                finding.Threat,
                finding.Level,
                finding.Effect,
                finding.Stage,
                raisedAt = finding.RaisedAt.ToUnixTimeMilliseconds(),
                deviceTime = finding.DeviceTime?.ToUnixTimeMilliseconds(),
                finding.Position,
                finding.CorrelationId,
                evidence = _cipher.Protect(evidence, finding.Id),
                cause = CauseOf(finding),
            },
            transaction);
        if (inserted > 0)
        {
            history.Append(Record(finding.FieldId, finding.DeviceId, finding.Id, finding.Effect == Effects.Act ? finding.Condition : $"{finding.Condition}-{finding.Effect}", finding.RaisedAt, "gateway", finding.CorrelationId, evidence), transaction);
        }
    }

    private IReadOnlyList<string> End(Clearance clearance, DbTransaction transaction)
    {
        var rows = transaction.Connection!.Query<(string Id, string? DeviceId)>(
            """
            UPDATE finding SET cleared_at = @At, retracted_because = @Reason
            WHERE subject = @subject AND condition_identity = @identity AND cleared_at IS NULL AND scope = @Scope AND area = @area AND position <= @Position
            RETURNING id, device_id
            """,
            new
            {
                clearance.At,
                clearance.Reason,
                clearance.Position,
                clearance.Subject.Scope,
                subject = keys.SubjectOf(clearance.Subject),
                area = SubjectKeys.AreaOf(clearance.Subject),
                identity = SubjectKeys.Signed(clearance.Identity),
            },
            transaction);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(clearance.At);
        var details = clearance.Reason is null ? null : JsonSerializer.Serialize(new { clearance.Reason, clearance.Position }, JsonSerializerOptions.Web);
        var over = rows.OrderBy(o => o.Id, StringComparer.Ordinal).ToList();
        foreach (var (id, deviceId) in over)
        {
            history.Append(Record(clearance.FieldId, deviceId, id, clearance.Reason is null ? "finding-cleared" : "finding-retracted", at, "gateway", clearance.CorrelationId, details), transaction);
        }

        return [.. over.Select(o => o.Id)];
    }

    private KeptFinding Read(Row row) => new()
    {
        Finding = new Finding
        {
            Id = row.Id,
            FieldId = row.FieldId,
            DeviceId = row.DeviceId,
            Scope = row.Scope,
            ScopeKey = keys.Read(row.Subject, row.Key),
            Condition = row.Condition,
            ConditionKey = row.ConditionKey,
            TemplateId = row.TemplateId,
            TemplateVersion = (int)row.TemplateVersion,
            Risk = row.Risk,
            Threat = row.Threat,
            Level = row.Level,
            Effect = row.Effect,
            Stage = row.Stage,
            RaisedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.RaisedAt),
            DeviceTime = Time(row.DeviceTime),
            Position = row.Position,
            CorrelationId = row.CorrelationId,
            Evidence = JsonSerializer.Deserialize<Evidence>(_cipher.UnprotectText(row.Evidence, row.Id), JsonSerializerOptions.Web)!,
        },
        ClearedAt = Time(row.ClearedAt),
        RetractedBecause = row.RetractedBecause,
        Cause = row.Cause ?? row.Id,
        Status = row.Status,
        ClosedAs = row.ClosedAs,
        HandledAt = Time(row.HandledAt),
        HandledBy = row.HandledBy is null ? null : _cipher.UnprotectText(row.HandledBy, row.Id + ":by"),
        Note = row.Note is null ? null : _cipher.UnprotectText(row.Note, row.Id + ":note"),
    };

    private static DateTimeOffset? Time(long? at) => at is { } known ? DateTimeOffset.FromUnixTimeMilliseconds(known) : null;

    private sealed record Row
    {
        public string Id { get; init; } = "";

        public string? FieldId { get; init; }

        public string? DeviceId { get; init; }

        public string Scope { get; init; } = "";

        public string Subject { get; init; } = "";

        public byte[]? Key { get; init; }

        public string Condition { get; init; } = "";

        public string ConditionKey { get; init; } = "";

        public string TemplateId { get; init; } = "";

        public long TemplateVersion { get; init; }

        public string Risk { get; init; } = "";

        public string? Threat { get; init; }

        public string Level { get; init; } = "";

        public string Effect { get; init; } = "";

        public string? Stage { get; init; }

        public string? RetractedBecause { get; init; }

        public string? Cause { get; init; }

        public long RaisedAt { get; init; }

        public long? DeviceTime { get; init; }

        public long Position { get; init; }

        public string CorrelationId { get; init; } = "";

        public byte[] Evidence { get; init; } = [];

        public long? ClearedAt { get; init; }

        public string Status { get; init; } = "";

        public string? ClosedAs { get; init; }

        public long? HandledAt { get; init; }

        public byte[]? HandledBy { get; init; }

        public byte[]? Note { get; init; }
    }
}
