using System.Text.Json;
using Dapper;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>One revision of an exception.</summary>
/// <param name="Change">What was said.</param>
/// <param name="Revision">Counts its changes, from 1.</param>
/// <param name="Allowed">How often the exception allowed something so far.</param>
/// <param name="LastAllowed">When it did last.</param>
internal sealed record KeptException(ExceptionChangedEvent Change, int Revision, long Allowed, DateTimeOffset? LastAllowed);

/// <summary>Reads the revisions of exceptions, which the lanes write (table detection_exception_revision). Any thread.</summary>
internal sealed class ExceptionStore(Databases databases, MasterKey master) : IDisposable
{
    private const string Present = """
        SELECT r.id AS Id, r.revision AS Revision, r.body AS Body, COALESCE(e.allowed, r.allowed) AS Allowed, COALESCE(e.allowed_at, r.allowed_at) AS AllowedAt
        FROM detection_exception_revision AS r LEFT JOIN detection_exception AS e ON e.id = r.id
        """;

    // The lanes write with it.
    private readonly ColumnCipher _cipher = new(master, "detection.exception");

    public void Dispose() => _cipher.Dispose();

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

    private static string Of(string? fieldId) => fieldId is null ? "field_id IS NULL" : "field_id = @fieldId";

    private KeptException Read(ExceptionRow row) => new(
        JsonSerializer.Deserialize<ExceptionChangedEvent>(_cipher.UnprotectText(row.Body, row.Id), JsonSerializerOptions.Web)!,
        (int)row.Revision,
        row.Allowed,
        row.AllowedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);

    private sealed record ExceptionRow
    {
        public string Id { get; init; } = "";

        public long Revision { get; init; }

        public byte[] Body { get; init; } = [];

        public long Allowed { get; init; }

        public long? AllowedAt { get; init; }
    }
}
