using System.Collections.Immutable;
using System.Security.Cryptography;
using Dapper;
using Sekisho.Operations.Accounts;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.Keys;

/// <summary>All API keys, in memory so that a request costs no SQL. Any thread.</summary>
internal sealed class KeyBook(Databases databases, MasterKey master, AccountBook accounts, TimeProvider clock) : IDisposable
{
    /// <summary>Starts every key, so that a scanner for leaked secrets can know one.</summary>
    public const string Prefix = "sk_";

    private readonly KeyedHash _hash = new(master, "api-key");
    private readonly SemaphoreSlim _turn = new(1, 1); // guards the order of changes: store first, then memory
    private volatile ImmutableDictionary<string, ApiKey> _byHash = ImmutableDictionary<string, ApiKey>.Empty;

    /// <summary>All of them with their makers, by name.</summary>
    public IEnumerable<(ApiKey Key, Account Maker)> All =>
        from key in _byHash.Values
        let maker = accounts.ById(key.MakerId)
        where maker is not null
        orderby key.Name
        select (key, maker);

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>("SELECT name AS Name, key_hash AS KeyHash, maker_id AS MakerId, roles AS Roles, fields AS Fields, scopes AS Scopes, created_at AS CreatedAt, expires_at AS ExpiresAt FROM api_key"),
            cancellation).ConfigureAwait(false);
        _byHash = rows.Select(r => r.ToKey()).ToImmutableDictionary(k => Convert.ToHexString(k.KeyHash));
    }

    /// <summary>Makes a key; null when the name is taken.</summary>
    public async Task<string?> CreateAsync(string name, Account maker, IReadOnlyList<string> roles, IReadOnlyList<string> fields, IReadOnlyList<string> scopes, DateTimeOffset expiresAt)
    {
        var secret = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var key = new ApiKey(name, _hash.Of(secret), maker.Id, roles, fields, scopes, clock.GetUtcNow(), expiresAt);
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var added = await databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(
                """
                INSERT INTO api_key (name_key, name, key_hash, maker_id, roles, fields, scopes, created_at, expires_at)
                VALUES (@NameKey, @Name, @KeyHash, @MakerId, @Roles, @Fields, @Scopes, @CreatedAt, @ExpiresAt) ON CONFLICT DO NOTHING
                """,
                Row.Of(key),
                t)).ConfigureAwait(false);
            if (added == 0)
            {
                return null;
            }

            _byHash = _byHash.SetItem(Convert.ToHexString(key.KeyHash), key);
            return secret;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Removes a key: the very next request with it is refused. False when there is none of that name.</summary>
    public async Task<bool> RemoveAsync(string name)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var (hash, key) = _byHash.FirstOrDefault(k => Account.KeyOf(k.Value.Name) == Account.KeyOf(name));
            if (key is null)
            {
                return false;
            }

            _byHash = _byHash.Remove(hash);
            await databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("DELETE FROM api_key WHERE key_hash = @KeyHash", new { key.KeyHash }, t)).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The living key, cut down to what its maker holds now; null when there is none.</summary>
    public ApiKey? Use(string secret) =>
        _byHash.TryGetValue(Convert.ToHexString(_hash.Of(secret)), out var key)
        && clock.GetUtcNow() < key.ExpiresAt
        && accounts.ById(key.MakerId) is { Disabled: false } maker
            ? key with { Roles = [.. key.Roles.Intersect(maker.Roles)], Fields = Within(key.Fields, maker.Fields) }
            : null;

    public void Dispose() => _turn.Dispose();

    private static IReadOnlyList<string> Within(IReadOnlyList<string> asked, IReadOnlyList<string> held) =>
        held.Contains("*") ? asked : asked.Contains("*") ? held : [.. asked.Intersect(held)];

    private sealed class Row
    {
        public string NameKey { get; init; } = "";

        public string Name { get; init; } = "";

        public byte[] KeyHash { get; init; } = [];

        public string MakerId { get; init; } = "";

        public string Roles { get; init; } = "";

        public string Fields { get; init; } = "";

        public string Scopes { get; init; } = "";

        public long CreatedAt { get; init; }

        public long ExpiresAt { get; init; }

        public static Row Of(ApiKey k) => new()
        {
            NameKey = Account.KeyOf(k.Name),
            Name = k.Name,
            KeyHash = k.KeyHash,
            MakerId = k.MakerId,
            Roles = string.Join(' ', k.Roles),
            Fields = string.Join(' ', k.Fields),
            Scopes = string.Join(' ', k.Scopes),
            CreatedAt = k.CreatedAt.ToUnixTimeMilliseconds(),
            ExpiresAt = k.ExpiresAt.ToUnixTimeMilliseconds(),
        };

        public ApiKey ToKey() => new(
            Name, KeyHash, MakerId, Words(Roles), Words(Fields), Words(Scopes), DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt));

        private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
