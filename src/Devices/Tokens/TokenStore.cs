using System.Data.Common;
using System.Globalization;
using Dapper;
using Sekisho.Devices.Credentials;
using Sekisho.Storage;

namespace Sekisho.Devices.Tokens;

/// <summary>Tokens on disk, as keyed hashes. Any thread.</summary>
internal sealed class TokenStore(Databases databases, PersonalData personal)
{
    public Task InsertAsync(TokenEntry token, string source, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO token (token_hash, device_id, epoch, source, issued_at, expires_at, place)
        VALUES (@hash, @DeviceId, @epoch, @source, @issuedAt, @expiresAt, @Place)
        """,
        new
        {
            hash = token.Hash.ToArray(),
            token.Holder.DeviceId,
            epoch = (long)token.Epoch,
            source = personal.Protect("token-source", RowId(token.Holder.DeviceId, token.Place), source),
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
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT token_hash AS TokenHash, device_id AS DeviceId, epoch AS Epoch, source AS Source, issued_at AS IssuedAt, expires_at AS ExpiresAt, place AS Place
            FROM token ORDER BY device_id, place
            """), cancellation);
        return [.. rows.Select(r => new StoredToken(
            r.DeviceId, personal.Read("token-source", RowId(r.DeviceId, r.Place), r.Source), HashKey.From(r.TokenHash), (int)r.Epoch, Time(r.IssuedAt), Time(r.ExpiresAt), r.Place))];
    }

    private static string RowId(string deviceId, long place) => string.Create(CultureInfo.InvariantCulture, $"{deviceId}/{place}");

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed class Row
    {
        public required byte[] TokenHash { get; init; }

        public required string DeviceId { get; init; }

        public required long Epoch { get; init; }

        public required byte[] Source { get; init; }

        public required long IssuedAt { get; init; }

        public required long ExpiresAt { get; init; }

        public required long Place { get; init; }
    }
}

/// <summary>A token as it was stored.</summary>
internal sealed record StoredToken(string DeviceId, string Source, HashKey Hash, int Epoch, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, long Place)
{
    public TokenEntry For(TokenHolder holder) => new(holder, Hash, Epoch, IssuedAt, ExpiresAt, Place);
}
