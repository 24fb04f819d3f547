using System.Collections.Immutable;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Distribution.Forwarding;

/// <summary>The destination of each field, in memory; encrypted in the table. Any thread.</summary>
internal sealed class DestinationCatalog(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "destination");
    private ImmutableDictionary<string, DestinationInForce> _byField = ImmutableDictionary<string, DestinationInForce>.Empty.WithComparers(StringComparer.Ordinal);

    public DestinationInForce? Of(string fieldId) => Volatile.Read(ref _byField).GetValueOrDefault(fieldId);

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Field, long Version, byte[] Config, long Stopped)>("SELECT field_id, version, config, stopped FROM destination"),
            cancellation).ConfigureAwait(false);
        _byField = rows.ToImmutableDictionary(
            r => r.Field,
            r => new DestinationInForce(JsonSerializer.Deserialize<Destination>(_cipher.UnprotectText(r.Config, r.Field))!, r.Version, r.Stopped != 0),
            StringComparer.Ordinal);
    }

    /// <summary>Replaces the field's destination.</summary>
    /// <returns>False when another version than expected is in force.</returns>
    public Task<bool> ReplaceAsync(string fieldId, Destination destination, long? expected, CancellationToken cancellation) =>
        ChangeAsync(fieldId, expected, before => new DestinationInForce(destination, (before?.Version ?? 0) + 1, before?.Stopped ?? false), cancellation);

    /// <summary>Holds or releases the field's destination.</summary>
    /// <returns>False when the field has none.</returns>
    public Task<bool> HoldAsync(string fieldId, bool stopped, CancellationToken cancellation) =>
        ChangeAsync(fieldId, null, before => before is null ? null : before with { Stopped = stopped }, cancellation);

    public void Dispose() => _cipher.Dispose();

    private async Task<bool> ChangeAsync(string fieldId, long? expected, Func<DestinationInForce?, DestinationInForce?> change, CancellationToken cancellation)
    {
        var result = await databases.State.WriteAsync(
            async t =>
            {
                var row = await t.Connection!.QuerySingleOrDefaultAsync<(long Version, byte[]? Config, long Stopped)>(
                    "SELECT version, config, stopped FROM destination WHERE field_id = @fieldId", new { fieldId }, t).ConfigureAwait(false);
                var before = row.Config is null
                    ? null
                    : new DestinationInForce(JsonSerializer.Deserialize<Destination>(_cipher.UnprotectText(row.Config, fieldId))!, row.Version, row.Stopped != 0);
                if ((expected is { } e && e != row.Version) || change(before) is not { } after)
                {
                    return null;
                }

                await t.Connection!.ExecuteAsync(
                    """
                    INSERT INTO destination (field_id, version, config, stopped, updated_at) VALUES (@fieldId, @version, @config, @stopped, @at)
                    ON CONFLICT (field_id) DO UPDATE SET version = excluded.version, config = excluded.config, stopped = excluded.stopped, updated_at = excluded.updated_at
                    """,
                    new
                    {
                        fieldId,
                        version = after.Version,
                        config = _cipher.Protect(JsonSerializer.Serialize(after.Destination), fieldId),
                        stopped = after.Stopped ? 1L : 0L,
                        at = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                    },
                    t).ConfigureAwait(false);
                return after;
            },
            cancellation).ConfigureAwait(false);
        if (result is not null)
        {
            ImmutableInterlocked.AddOrUpdate(ref _byField, fieldId, result, (_, now) => now.Version > result.Version ? now : result);
        }

        return result is not null;
    }
}
