using System.Collections.Concurrent;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Devices.Credentials;

/// <summary>Product lines, in the store and in memory. Reading: any thread; changes take the registry's turn, so that the field stays meanwhile.</summary>
internal sealed class ProductLines(Databases databases, CredentialHashes hashes, Turns turns, IHistory history, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, ProductLine> _byId = new();

    public ProductLine? Find(string lineId) => _byId.GetValueOrDefault(lineId);

    public ProductLine? Find(string fieldId, string name) => _byId.Values.FirstOrDefault(l => l.FieldId == fieldId && l.Name == name);

    public IReadOnlyList<ProductLine> Of(string fieldId) => [.. _byId.Values.Where(l => l.FieldId == fieldId).OrderBy(l => l.Name, StringComparer.Ordinal)];

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT line_id AS LineId, field_id AS FieldId, name AS Name, common_auth_id AS CommonAuthId, secret_hash AS SecretHash, created_at AS CreatedAt
            FROM product_line
            """), cancellation);
        foreach (var row in rows)
        {
            _byId[row.LineId] = new ProductLine(row.LineId, row.FieldId, row.Name, row.CommonAuthId, HashKey.From(row.SecretHash), DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt));
        }
    }

    /// <summary>Makes a line; null when the field has one of that name, or was deleted meanwhile.</summary>
    public async Task<(ProductLine Line, string Secret)?> CreateAsync(string fieldId, string name, Caller caller, CancellationToken cancellation)
    {
        using var turn = await turns.RegistryAsync(cancellation);
        var secret = NewCredential.Secret();
        var line = new ProductLine(NewCredential.Id('p'), fieldId, name, NewCredential.Id('c'), hashes.Secret(secret), clock.GetUtcNow());
        var made = await databases.State.WriteAsync(
            async t =>
            {
                var rows = await t.Connection!.ExecuteAsync(
                    """
                    INSERT INTO product_line (line_id, field_id, name, common_auth_id, secret_hash, created_at)
                    SELECT @LineId, @FieldId, @Name, @CommonAuthId, @secretHash, @createdAt
                    WHERE EXISTS (SELECT 1 FROM field WHERE field_id = @FieldId)
                    ON CONFLICT (field_id, name) DO NOTHING
                    """,
                    new { line.LineId, line.FieldId, line.Name, line.CommonAuthId, secretHash = line.SecretHash.ToArray(), createdAt = line.CreatedAt.ToUnixTimeMilliseconds() },
                    t);
                if (rows == 1)
                {
                    history.Append(caller.Record(HistoryKinds.Operator, "product-line-created", line.CreatedAt, fieldId, deviceId: null) with { Subject = line.LineId }, t);
                }

                return rows == 1;
            },
            cancellation);
        if (!made)
        {
            return null;
        }

        _byId[line.LineId] = line;
        return (line, secret);
    }

    /// <summary>Forgets the lines of a field that was deleted.</summary>
    public void Forget(string fieldId)
    {
        foreach (var line in Of(fieldId))
        {
            _byId.TryRemove(line.LineId, out _);
        }
    }

    private sealed class Row
    {
        public required string LineId { get; init; }

        public required string FieldId { get; init; }

        public required string Name { get; init; }

        public required string CommonAuthId { get; init; }

        public required byte[] SecretHash { get; init; }

        public required long CreatedAt { get; init; }
    }
}
