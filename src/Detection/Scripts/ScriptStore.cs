using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Scripts;

/// <summary>A version of a script as it was taken.</summary>
/// <param name="Version">From 1.</param>
/// <param name="At">When.</param>
/// <param name="By">Who brought it.</param>
/// <param name="Why">Why, for people.</param>
/// <param name="Text">The file with its signature.</param>
/// <param name="Signer">Identifier of the key that signed it.</param>
internal sealed record ScriptVersion(int Version, DateTimeOffset At, string By, string? Why, string Text, string Signer)
{
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));
}

/// <summary>The table script_version. Versions are never changed. Any thread.</summary>
internal sealed class ScriptStore(Databases databases, MasterKey master, IHistory history, TimeProvider time) : IDisposable
{
    private readonly ColumnCipher _cipher = new(master, "detection.script-version");

    public void Dispose() => _cipher.Dispose();

    /// <summary>Takes a version in; nothing of it runs.</summary>
    public async Task<ScriptVersion> AddAsync(string fieldId, string scriptId, string text, string signer, string? why, string by, string correlationId)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        return await databases.State.WriteAsync(async transaction =>
        {
            var last = await transaction.Connection!.QuerySingleAsync<long>(
                "SELECT COALESCE(MAX(version), 0) FROM script_version WHERE field_id = @fieldId AND script_id = @scriptId", new { fieldId, scriptId }, transaction).ConfigureAwait(false);
            var version = new ScriptVersion((int)last + 1, at, by, why, text, signer);
            await transaction.Connection!.ExecuteAsync(
                "INSERT INTO script_version (field_id, script_id, version, at, body) VALUES (@fieldId, @scriptId, @Version, @at, @body)",
                new { fieldId, scriptId, version.Version, at = at.ToUnixTimeMilliseconds(), body = _cipher.Protect(JsonSerializer.Serialize(version), Context(fieldId, scriptId, version.Version)) },
                transaction).ConfigureAwait(false);
            Record(fieldId, scriptId, version, correlationId, transaction);
            return version;
        }).ConfigureAwait(false);
    }

    /// <summary>Versions of a script (null: of all), newest first for each.</summary>
    public async Task<IReadOnlyList<(string ScriptId, ScriptVersion Version)>> ListAsync(string fieldId, string? scriptId, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string ScriptId, long Version, byte[] Body)>(
                $"SELECT script_id, version, body FROM script_version WHERE field_id = @fieldId {(scriptId is null ? "" : "AND script_id = @scriptId")} ORDER BY script_id, version DESC", new { fieldId, scriptId }),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(r => (r.ScriptId, JsonSerializer.Deserialize<ScriptVersion>(_cipher.UnprotectText(r.Body, Context(fieldId, r.ScriptId, (int)r.Version)))!))];
    }

    /// <summary>One version; null when there is none.</summary>
    public async Task<ScriptVersion?> FindAsync(string fieldId, string scriptId, int version, CancellationToken cancellation) =>
        (await ListAsync(fieldId, scriptId, cancellation).ConfigureAwait(false)).Select(v => v.Version).FirstOrDefault(v => v.Version == version);

    private static string Context(string fieldId, string scriptId, int version) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{fieldId}/{scriptId}/{version}");

    private void Record(string fieldId, string scriptId, ScriptVersion version, string correlationId, DbTransaction transaction) => history.Append(
        new HistoryRecord
        {
            At = version.At,
            Kind = HistoryKinds.Operator,
            What = "script-uploaded",
            FieldId = fieldId,
            Actor = version.By,
            CorrelationId = correlationId,
            Subject = scriptId,
            Details = JsonSerializer.Serialize(new { version.Version, version.Why, version.Signer, version.Hash }, JsonSerializerOptions.Web),
        },
        transaction);
}
