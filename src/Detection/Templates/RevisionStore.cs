using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Templates;

/// <summary>One revision of what is in force in a field, as it is stored.</summary>
internal sealed record Revision
{
    public required string FieldId { get; init; }

    /// <summary>Counts from 1.</summary>
    public required int Number { get; init; }

    public required string TemplateId { get; init; }

    /// <summary>Version of the template; null in revisions from before it was kept.</summary>
    public int? Version { get; init; }

    /// <summary>Own values by "CONDITION.PARAMETER", as people write them.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Who put it in force; null when that was not kept.</summary>
    public string? By { get; init; }

    /// <summary>One of <see cref="RevisionKinds"/>; null when that was not kept.</summary>
    public string? How { get; init; }

    public string? Reason { get; init; }
}

/// <summary>Stable names of how a revision came about.</summary>
internal static class RevisionKinds
{
    public const string Set = "set";
    public const string Restored = "restored";
    public const string Upgraded = "upgraded";
}

/// <summary>Revisions of the fields' templates (table field_template). Reasons are encrypted. Any thread.</summary>
internal sealed class RevisionStore(Databases databases, MasterKey master) : IDisposable
{
    private const string Columns = "field_id AS FieldId, revision AS Number, template_id AS TemplateId, template_version AS Version, parameters AS Parameters, changed_at AS At, changed_by AS Actor, how AS How, reason AS Reason";

    private readonly ColumnCipher _cipher = new(master, "detection.template-reason");

    public void Dispose() => _cipher.Dispose();

    /// <summary>The last revision of every field.</summary>
    public async Task<IReadOnlyList<Revision>> LastAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>($"SELECT {Columns} FROM field_template AS t WHERE revision = (SELECT MAX(revision) FROM field_template WHERE field_id = t.field_id)"),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(Read)];
    }

    /// <summary>A field's revisions, newest first.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="before">Only those below this number; null for all.</param>
    /// <param name="limit">Most of them.</param>
    /// <param name="cancellation">Stops waiting.</param>
    public async Task<IReadOnlyList<Revision>> ListAsync(string fieldId, int? before, int limit, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>(
                $"SELECT {Columns} FROM field_template WHERE field_id = @fieldId AND revision < @before ORDER BY revision DESC LIMIT @limit",
                new { fieldId, before = before ?? int.MaxValue, limit }),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(Read)];
    }

    /// <summary>One revision, or null when there is none.</summary>
    public async Task<Revision?> FindAsync(string fieldId, int number, CancellationToken cancellation)
    {
        var row = await databases.State.ReadAsync(
            c => c.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM field_template WHERE field_id = @fieldId AND revision = @number", new { fieldId, number }), cancellation).ConfigureAwait(false);
        return row is null ? null : Read(row);
    }

    /// <summary>Adds a revision after the field's last one.</summary>
    /// <returns>Its number.</returns>
    public async Task<int> AddAsync(string fieldId, Template template, IReadOnlyDictionary<string, string> parameters, Change change, DateTimeOffset at, DbTransaction transaction)
    {
        var row = new
        {
            fieldId,
            templateId = template.Id,
            version = template.Version,
            parameters = JsonSerializer.Serialize(parameters),
            at = at.ToUnixTimeMilliseconds(),
            by = change.By,
            how = change.How,
            reason = change.Reason is null ? null : _cipher.Protect(change.Reason, fieldId),
        };
        return await InsertAsync(row, transaction).ConfigureAwait(false);
    }

    private static async Task<int> InsertAsync(object row, DbTransaction transaction) => (int)await transaction.Connection!.QuerySingleAsync<long>(
        """
        INSERT INTO field_template (field_id, revision, template_id, template_version, parameters, changed_at, changed_by, how, reason)
        SELECT @fieldId, COALESCE(MAX(revision), 0) + 1, @templateId, @version, @parameters, @at, @by, @how, @reason FROM field_template WHERE field_id = @fieldId
        RETURNING revision
        """,
        row,
        transaction).ConfigureAwait(false);

    private Revision Read(Row row) => new()
    {
        FieldId = row.FieldId,
        Number = (int)row.Number,
        TemplateId = row.TemplateId,
        Version = (int?)row.Version,
        Parameters = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Parameters)!,
        At = DateTimeOffset.FromUnixTimeMilliseconds(row.At),
        By = row.Actor,
        How = row.How,
        Reason = row.Reason is null ? null : _cipher.UnprotectText(row.Reason, row.FieldId),
    };

    /// <summary>Who changes what is in force, and why.</summary>
    /// <param name="By">Account or API key.</param>
    /// <param name="How">One of <see cref="RevisionKinds"/>.</param>
    /// <param name="Reason">For people; null for none.</param>
    /// <param name="CorrelationId">Of the request.</param>
    internal readonly record struct Change(string By, string How, string? Reason, string CorrelationId);

    private sealed record Row
    {
        public string FieldId { get; init; } = "";

        public long Number { get; init; }

        public string TemplateId { get; init; } = "";

        public long? Version { get; init; }

        public string Parameters { get; init; } = "";

        public long At { get; init; }

        public string? Actor { get; init; }

        public string? How { get; init; }

        public byte[]? Reason { get; init; }
    }
}
