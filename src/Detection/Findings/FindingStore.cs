using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Findings;

/// <summary>The table finding. Evidence, notes and names of persons are encrypted. Any thread.</summary>
internal sealed class FindingStore(Databases databases, MasterKey master, SubjectKeys keys, IHistory history) : IFindings, IDisposable
{
    private const string Columns = """
        id AS Id, field_id AS FieldId, device_id AS DeviceId, scope AS Scope, subject AS Subject, key AS Key, condition AS Condition,
        condition_key AS ConditionKey, template_id AS TemplateId, template_version AS TemplateVersion, risk AS Risk, level AS Level,
        raised_at AS RaisedAt, device_time AS DeviceTime, position AS Position, correlation_id AS CorrelationId, evidence AS Evidence,
        threat AS Threat, effect AS Effect, stage AS Stage, retracted_because AS RetractedBecause, cleared_at AS ClearedAt, status AS Status, closed_as AS ClosedAs, handled_at AS HandledAt, handled_by AS HandledBy, note AS Note
        """;

    private readonly ColumnCipher _cipher = new(master, "detection.finding");
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
    public void Write(IReadOnlyList<RaisedFinding> raised, IReadOnlyList<Clearance> cleared, DbTransaction transaction)
    {
        // What was cleared and raised again in one stretch: both sides carry positions, so their order in the transaction does not matter as
        // long as the findings are there before they are ended.
        foreach (var one in raised)
        {
            Insert(one, transaction);
        }

        foreach (var clearance in cleared)
        {
            End(clearance, transaction);
        }
    }

    public async Task<Finding?> FindAsync(string findingId, CancellationToken cancellation)
    {
        var row = await databases.State.ReadAsync(
            c => c.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM finding WHERE id = @findingId", new { findingId }), cancellation).ConfigureAwait(false);
        return row is null ? null : Read(row).Finding;
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
                    SUM(CASE WHEN retracted_because IS NULL THEN 0 ELSE 1 END) AS Retracted
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

    /// <summary>Notes what a person did about a finding, unless it is closed.</summary>
    /// <param name="finding">The finding.</param>
    /// <param name="closedAs">One of <see cref="ClosedAs"/> to close it; null to acknowledge it.</param>
    /// <param name="note">What the person says; null keeps the note.</param>
    /// <param name="actor">Who.</param>
    /// <param name="at">When.</param>
    /// <param name="correlationId">Correlation id of the request.</param>
    /// <returns>False when it was closed already.</returns>
    public Task<bool> HandleAsync(Finding finding, string? closedAs, string? note, string actor, DateTimeOffset at, string correlationId) =>
        databases.State.WriteAsync(async transaction =>
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
        });

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
                template_version, risk, threat, level, effect, stage, raised_at, device_time, position, correlation_id, evidence, status)
            VALUES (@Id, @FieldId, @DeviceId, @Scope, @area, @subject, @key, @Condition, @ConditionKey, @identity, @TemplateId,
                @TemplateVersion, @Risk, @Threat, @Level, @Effect, @Stage, @raisedAt, @deviceTime, @Position, @CorrelationId, @evidence, 'open')
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
            },
            transaction);
        if (inserted > 0)
        {
            history.Append(Record(finding.FieldId, finding.DeviceId, finding.Id, finding.Effect == Effects.Act ? finding.Condition : $"{finding.Condition}-{finding.Effect}", finding.RaisedAt, "gateway", finding.CorrelationId, evidence), transaction);
        }
    }

    private void End(Clearance clearance, DbTransaction transaction)
    {
        var over = transaction.Connection!.Query<(string Id, string? DeviceId)>(
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
        foreach (var (id, deviceId) in over.OrderBy(o => o.Id, StringComparer.Ordinal))
        {
            history.Append(Record(clearance.FieldId, deviceId, id, clearance.Reason is null ? "finding-cleared" : "finding-retracted", at, "gateway", clearance.CorrelationId, details), transaction);
        }
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
