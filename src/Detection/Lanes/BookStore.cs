using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Scripts;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Lanes;

/// <summary>The tables detection_exception and detection_prior, and through <see cref="ScriptTable"/> detection_script. Reading any thread; writing inside the lanes' transaction.</summary>
internal sealed class BookStore(Databases databases, MasterKey master, ScriptTable scripts, IHistory history) : IDisposable
{
    private readonly ColumnCipher _cipher = new(master, "detection.exception");

    public void Dispose() => _cipher.Dispose();

    /// <summary>The books as of the lanes' position.</summary>
    public async Task<LaneBooks> LoadAsync(CancellationToken cancellation)
    {
        var exceptions = await databases.State.ReadAsync(c => c.QueryAsync<(string Id, byte[] Body)>("SELECT id, body FROM detection_exception"), cancellation).ConfigureAwait(false);
        var priors = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Area, string Metric, long Version, string Numbers)>("SELECT area, metric, version, numbers FROM detection_prior"), cancellation).ConfigureAwait(false);
        return new LaneBooks(
            ExceptionBook.Of(exceptions.Select(e => JsonSerializer.Deserialize<ExceptionChangedEvent>(_cipher.UnprotectText(e.Body, e.Id), JsonSerializerOptions.Web)!)),
            new PriorBook(priors.ToDictionary(
                p => PriorKey.Of(p.Area.Length == 0 ? null : p.Area, p.Metric),
                p => new Prior((int)p.Version, JsonSerializer.Deserialize<double[]>(p.Numbers)!))))
        {
            Scripts = await scripts.LoadAsync(cancellation).ConfigureAwait(false),
        };
    }

    /// <summary>How often each exception of a field (null: of the gateway) allowed something, and when it did last.</summary>
    public async Task<IReadOnlyDictionary<string, (long Times, DateTimeOffset? Last)>> AllowedAsync(string? fieldId, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Id, long Allowed, long? At)>(
                $"SELECT id, allowed, allowed_at FROM detection_exception WHERE {(fieldId is null ? "field_id IS NULL" : "field_id = @fieldId")}", new { fieldId }),
            cancellation).ConfigureAwait(false);
        return rows.ToDictionary(r => r.Id, r => (r.Allowed, r.At is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : (DateTimeOffset?)null));
    }

    /// <summary>All exceptions of a field (null: of the gateway) that are or were in force, newest change first, each with its present revision.</summary>
    public async Task<IReadOnlyList<KeptException>> ListAsync(string? fieldId, bool ended, int limit, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<ExceptionRow>(
                $"""
                {Present} WHERE r.{Of(fieldId)} AND r.revision = (SELECT MAX(revision) FROM detection_exception_revision WHERE id = r.id)
                    {(ended ? "" : "AND r.in_force = 1")} ORDER BY r.position DESC, r.id LIMIT @limit
                """,
                new { fieldId, limit }),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(Read)];
    }

    /// <summary>Every revision of an exception of a field (null: of the gateway), newest first; empty when there is none.</summary>
    public async Task<IReadOnlyList<KeptException>> RevisionsAsync(string? fieldId, string id, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<ExceptionRow>($"{Present} WHERE r.id = @id AND r.{Of(fieldId)} ORDER BY r.revision DESC", new { id, fieldId }), cancellation).ConfigureAwait(false);
        return [.. rows.Select(Read)];
    }

    /// <summary>Writes what a stretch changed.</summary>
    public void Write(StepResult result, DbTransaction transaction)
    {
        foreach (var change in result.Exceptions)
        {
            Write(change, transaction);
        }

        scripts.Write(result.Scripts, result.ScriptMarks, transaction);
        foreach (var prior in result.Priors)
        {
            transaction.Connection!.Execute(
                """
                INSERT INTO detection_prior (area, metric, version, numbers) VALUES (@area, @Metric, @Version, @numbers)
                ON CONFLICT (area, metric) DO UPDATE SET version = excluded.version, numbers = excluded.numbers WHERE detection_prior.version <= excluded.version
                """,
                new { area = prior.FieldId ?? "", prior.Metric, prior.Version, numbers = JsonSerializer.Serialize(prior.Numbers) },
                transaction);
        }

        foreach (var (id, (times, at)) in result.Allowed.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            transaction.Connection!.Execute("UPDATE detection_exception SET allowed = allowed + @times, allowed_at = @at WHERE id = @id", new { id, times, at }, transaction);
        }
    }

    private const string Present = """
        SELECT r.id AS Id, r.revision AS Revision, r.body AS Body, COALESCE(e.allowed, r.allowed) AS Allowed, COALESCE(e.allowed_at, r.allowed_at) AS AllowedAt
        FROM detection_exception_revision AS r LEFT JOIN detection_exception AS e ON e.id = r.id
        """;

    private static string Of(string? fieldId) => fieldId is null ? "field_id IS NULL" : "field_id = @fieldId";

    private KeptException Read(ExceptionRow row) => new(
        JsonSerializer.Deserialize<ExceptionChangedEvent>(_cipher.UnprotectText(row.Body, row.Id), JsonSerializerOptions.Web)!,
        (int)row.Revision,
        row.Allowed,
        row.AllowedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);

    private void Write(ExceptionChangedEvent change, DbTransaction transaction)
    {
        var body = JsonSerializer.Serialize(change, JsonSerializerOptions.Web);
        transaction.Connection!.Execute(
            """
            INSERT INTO detection_exception_revision (id, revision, field_id, position, in_force, body, allowed, allowed_at)
            SELECT @ExceptionId, (SELECT COALESCE(MAX(revision), 0) + 1 FROM detection_exception_revision WHERE id = @ExceptionId), @FieldId, @Position, @inForce, @body,
                COALESCE((SELECT allowed FROM detection_exception WHERE id = @ExceptionId), 0), (SELECT allowed_at FROM detection_exception WHERE id = @ExceptionId)
            """,
            new { change.ExceptionId, change.FieldId, change.Position, inForce = change.InForce ? 1 : 0, body = _cipher.Protect(body, change.ExceptionId) },
            transaction);
        if (change.InForce)
        {
            transaction.Connection!.Execute(
                """
                INSERT INTO detection_exception (id, field_id, position, body, allowed, allowed_at)
                SELECT @ExceptionId, @FieldId, @Position, @body, COALESCE(MAX(allowed), 0), MAX(allowed_at) FROM detection_exception_revision WHERE id = @ExceptionId
                ON CONFLICT (id) DO UPDATE SET field_id = excluded.field_id, position = excluded.position, body = excluded.body
                """,
                new { change.ExceptionId, change.FieldId, change.Position, body = _cipher.Protect(body, change.ExceptionId) },
                transaction);
        }
        else
        {
            transaction.Connection!.Execute("DELETE FROM detection_exception WHERE id = @ExceptionId", new { change.ExceptionId }, transaction);
        }

        history.Append(
            new HistoryRecord
            {
                At = change.ArrivedAt,
                Kind = HistoryKinds.Detection,
                What = change.InForce ? "exception-set" : "exception-ended",
                FieldId = change.FieldId,
                Actor = change.By,
                CorrelationId = change.CorrelationId,
                Subject = change.ExceptionId,
                Details = body,
            },
            transaction);
    }

    private sealed record ExceptionRow
    {
        public string Id { get; init; } = "";

        public long Revision { get; init; }

        public byte[] Body { get; init; } = [];

        public long Allowed { get; init; }

        public long? AllowedAt { get; init; }
    }
}

/// <summary>One revision of an exception.</summary>
/// <param name="Change">What was said.</param>
/// <param name="Revision">Counts its changes, from 1.</param>
/// <param name="Allowed">How often the exception allowed something so far.</param>
/// <param name="LastAllowed">When it did last.</param>
internal sealed record KeptException(ExceptionChangedEvent Change, int Revision, long Allowed, DateTimeOffset? LastAllowed);
