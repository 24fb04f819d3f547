using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Detection.Findings.Exceptions;
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
    private readonly ColumnCipher _priors = new(master, "detection.prior");

    public void Dispose()
    {
        _cipher.Dispose();
        _priors.Dispose();
    }

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
                p => new Prior((int)p.Version, JsonSerializer.Deserialize<double[]>(_priors.UnprotectText(Convert.FromBase64String(p.Numbers), $"{p.Area}\n{p.Metric}"))!))))
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
                new { area = prior.FieldId ?? "", prior.Metric, prior.Version, numbers = Convert.ToBase64String(_priors.Protect(JsonSerializer.Serialize(prior.Numbers), $"{prior.FieldId}\n{prior.Metric}")) },
                transaction);
        }

        foreach (var (id, (times, at)) in result.Allowed.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            transaction.Connection!.Execute("UPDATE detection_exception SET allowed = allowed + @times, allowed_at = @at WHERE id = @id", new { id, times, at }, transaction);
        }
    }

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
}
