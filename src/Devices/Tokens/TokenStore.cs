using System.Data.Common;
using Dapper;
using Sekisho.Devices.Credentials;
using Sekisho.Storage;

namespace Sekisho.Devices.Tokens;

/// <summary>Tokens on disk, as keyed hashes. Any thread.</summary>
internal sealed class TokenStore(Databases databases)
{
    public static Task InsertAsync(TokenEntry token, string source, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO token (token_hash, device_id, epoch, source, issued_at, expires_at, place)
        VALUES (@hash, @DeviceId, @epoch, @source, @issuedAt, @expiresAt, @Place)
        """,
        new
        {
            hash = token.Hash.ToArray(),
            token.Holder.DeviceId,
            epoch = (long)token.Epoch,
            source,
            issuedAt = token.IssuedAt.ToUnixTimeMilliseconds(),
            expiresAt = token.ExpiresAt.ToUnixTimeMilliseconds(),
            token.Place,
        },
        transaction);

    public static Task DeleteAsync(TokenEntry token, DbTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM token WHERE token_hash = @hash", new { hash = token.Hash.ToArray() }, transaction);

    public static Task DeleteAllAsync(string deviceId, DbTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM token WHERE device_id = @deviceId", new { deviceId }, transaction);

    /// <summary>All tokens, per device in order of issue.</summary>
    public async Task<IReadOnlyList<StoredToken>> LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<StoredToken>(
            """
            SELECT token_hash AS TokenHash, device_id AS DeviceId, epoch AS Epoch, source AS Source, issued_at AS IssuedAt, expires_at AS ExpiresAt, place AS Place
            FROM token ORDER BY device_id, place
            """), cancellation);
        return rows.AsList();
    }
}

/// <summary>A row of the table token.</summary>
internal sealed class StoredToken
{
    public required byte[] TokenHash { get; init; }

    public required string DeviceId { get; init; }

    public required long Epoch { get; init; }

    public required string Source { get; init; }

    public required long IssuedAt { get; init; }

    public required long ExpiresAt { get; init; }

    public required long Place { get; init; }

    public TokenEntry For(TokenHolder holder) => new(
        holder, HashKey.From(TokenHash), (int)Epoch, DateTimeOffset.FromUnixTimeMilliseconds(IssuedAt), DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt), Place);
}
