using System.Collections.Immutable;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Hosting;
using Sekisho.Storage;

namespace Sekisho.Distribution.Fields;

/// <summary>
/// One versioned JSON document per field, kept in memory as an immutable model that is replaced whole. Any thread; a lookup takes no lock.
/// </summary>
/// <param name="databases">Where the table is.</param>
/// <param name="table">Name of the table: a constant of this program.</param>
/// <param name="clock">For the time of the change.</param>
internal abstract class FieldDocuments<TDocument, TModel>(Databases databases, string table, TimeProvider clock) : IHostedService
    where TDocument : class
    where TModel : class
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private readonly Database _database = databases.State;
    private ImmutableDictionary<string, Versioned> _byField = ImmutableDictionary<string, Versioned>.Empty.WithComparers(StringComparer.Ordinal);

    /// <summary>The document as it was written, with its version; null when the field has none.</summary>
    public (TDocument Document, long Version)? Written(string fieldId) =>
        Volatile.Read(ref _byField).TryGetValue(fieldId, out var found) ? (found.Document, found.Version) : null;

    /// <summary>What is in force for the field.</summary>
    protected TModel? Model(string fieldId) => Volatile.Read(ref _byField).TryGetValue(fieldId, out var found) ? found.Model : null;

    /// <summary>Turns a valid document into the model.</summary>
    protected abstract TModel Build(TDocument document);

    /// <summary>Replaces the field's document.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="document">A valid document.</param>
    /// <param name="expected">Version that must be in force (0 for none); null for any.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    /// <returns>The new version; null when another one than expected is in force.</returns>
    public async Task<long?> ReplaceAsync(string fieldId, TDocument document, long? expected, CancellationToken cancellation)
    {
        var model = Build(document);
        var version = await _database.WriteAsync(
            async t =>
            {
                var before = await t.Connection!.QuerySingleOrDefaultAsync<long?>($"SELECT version FROM {table} WHERE field_id = @fieldId", new { fieldId }, t).ConfigureAwait(false) ?? 0;
                if (expected is { } e && e != before)
                {
                    return (long?)null;
                }

                await t.Connection!.ExecuteAsync(
                    $"""
                    INSERT INTO {table} (field_id, version, document, updated_at) VALUES (@fieldId, @version, @text, @at)
                    ON CONFLICT (field_id) DO UPDATE SET version = excluded.version, document = excluded.document, updated_at = excluded.updated_at
                    """,
                    new { fieldId, version = before + 1, text = JsonSerializer.Serialize(document, Json), at = clock.GetUtcNow().ToUnixTimeMilliseconds() },
                    t).ConfigureAwait(false);
                return before + 1;
            },
            cancellation).ConfigureAwait(false);
        if (version is { } v)
        {
            // Two changes may end here in either order: the higher version stays.
            ImmutableInterlocked.AddOrUpdate(ref _byField, fieldId, new Versioned(document, v, model), (_, now) => now.Version > v ? now : new Versioned(document, v, model));
        }

        return version;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var rows = await _database.ReadAsync(
            c => c.QueryAsync<(string Field, long Version, string Document)>($"SELECT field_id, version, document FROM {table}"),
            cancellationToken).ConfigureAwait(false);
        _byField = rows.ToImmutableDictionary(
            r => r.Field,
            r =>
            {
                var document = JsonSerializer.Deserialize<TDocument>(r.Document, Json)!;
                return new Versioned(document, r.Version, Build(document));
            },
            StringComparer.Ordinal);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private sealed record Versioned(TDocument Document, long Version, TModel Model);
}
