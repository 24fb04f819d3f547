using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Rules;

/// <summary>The table response_rules. What it holds is sealed with the master key: whoever changes a row without it is noticed. Any thread.</summary>
internal sealed class RuleStore(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "response-rules");

    private const string Columns = "revision AS Revision, document AS Document, changed_at AS ChangedAt";

    /// <summary>The newest revision in the caller's transaction; null before the first.</summary>
    public RuleRevision? Newest(string fieldId, DbConnection connection, DbTransaction? transaction) =>
        connection.QueryFirstOrDefault<Row>($"SELECT {Columns} FROM response_rules WHERE field_id = @fieldId ORDER BY revision DESC LIMIT 1", new { fieldId }, transaction) is { } row ? Read(fieldId, row) : null;

    /// <summary>All revisions, newest first.</summary>
    public Task<IReadOnlyList<RuleRevision>> ListAsync(string fieldId, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<RuleRevision>)[.. (await c.QueryAsync<Row>(
            $"SELECT {Columns} FROM response_rules WHERE field_id = @fieldId ORDER BY revision DESC", new { fieldId })).Select(r => Read(fieldId, r))],
        cancellation);

    /// <summary>Adds a revision. Two at the same moment become two revisions, one after the other.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="rules">The rules; null for those of the template.</param>
    /// <param name="by">Who.</param>
    /// <param name="reason">Why.</param>
    /// <param name="signer">Key that stands for them.</param>
    /// <param name="origin">File that they came in; null when set by hand.</param>
    /// <param name="along">What belongs to it in its transaction.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    public async Task<RuleRevision> AddAsync(
        string fieldId, IReadOnlyList<ResponseBinding>? rules, string by, string reason, string signer, RuleOrigin? origin, Action<RuleRevision, DbTransaction> along, CancellationToken cancellation)
    {
        while (true)
        {
            var added = await databases.State.WriteAsync(
                async t =>
                {
                    var last = await t.Connection!.ExecuteScalarAsync<long>("SELECT COALESCE(MAX(revision), 0) FROM response_rules WHERE field_id = @fieldId", new { fieldId }, t);
                    var revision = new RuleRevision(last + 1, rules, by, reason, clock.GetUtcNow()) { Signer = signer, Origin = origin };
                    var rows = await t.Connection!.ExecuteAsync(
                        "INSERT INTO response_rules (field_id, revision, document, changed_at) VALUES (@fieldId, @Revision, @document, @at) ON CONFLICT (field_id, revision) DO NOTHING",
                        new
                        {
                            fieldId,
                            revision.Revision,
                            document = _cipher.Protect(JsonSerializer.Serialize(new Document(rules, by, reason, signer, origin)), Context(fieldId, revision.Revision)),
                            at = revision.ChangedAt.ToUnixTimeMilliseconds(),
                        },
                        t);
                    if (rows == 0)
                    {
                        // Somebody else took the number meanwhile; the next one is tried.
                        return null;
                    }

                    along(revision, t);
                    return revision;
                },
                cancellation);
            if (added is not null)
            {
                return added;
            }
        }
    }

    public void Dispose() => _cipher.Dispose();

    private static string Context(string fieldId, long revision) => FormattableString.Invariant($"response-rules/{fieldId}/{revision}");

    private RuleRevision Read(string fieldId, Row row)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(row.ChangedAt);
        try
        {
            var document = JsonSerializer.Deserialize<Document>(_cipher.UnprotectText(row.Document, Context(fieldId, row.Revision)))!;
            return new RuleRevision(row.Revision, document.Rules, document.By, document.Reason, at) { Signer = document.Signer, Origin = document.Origin };
        }
        catch (StorageException)
        {
            // One field's damaged row must not stop the others; who uses the revision sees that it cannot be followed.
            return new RuleRevision(row.Revision, null, "", "", at) { IsReadable = false };
        }
    }

    private sealed record Document(IReadOnlyList<ResponseBinding>? Rules, string By, string Reason, string? Signer, RuleOrigin? Origin);

    private sealed class Row
    {
        public long Revision { get; set; }

        public byte[] Document { get; set; } = [];

        public long ChangedAt { get; set; }
    }
}
