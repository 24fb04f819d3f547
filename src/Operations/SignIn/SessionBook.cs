using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dapper;
using Sekisho.Operations.Accounts;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.SignIn;

/// <summary>All sessions, in memory so that a request costs no SQL; only keyed hashes of tokens are kept anywhere. Any thread.</summary>
internal sealed class SessionBook(Databases databases, MasterKey key, AccountBook accounts, AccountSettings settings, TimeProvider clock)
{
    /// <summary>Starts every session token, so that a scanner for leaked secrets can know one.</summary>
    public const string Prefix = "se_";

    private const int PerAccount = 20;
    private readonly KeyedHash _hash = new(key, "session");
    private readonly ConcurrentDictionary<string, Session> _byHash = new();

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>("SELECT token_hash AS TokenHash, account_id AS AccountId, epoch AS Epoch, created_at AS CreatedAt, used_at AS UsedAt, ends_at AS EndsAt FROM session"),
            cancellation).ConfigureAwait(false);
        _byHash.Clear();
        foreach (var row in rows)
        {
            Keep(new Session(row.TokenHash, row.AccountId, row.Epoch, Time(row.CreatedAt), Time(row.UsedAt), Time(row.EndsAt)));
        }
    }

    /// <summary>Starts a session; the token is nowhere kept.</summary>
    public async Task<(string Token, Session Session)> StartAsync(Account account)
    {
        var token = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var now = clock.GetUtcNow();
        var session = new Session(_hash.Of(token), account.Id, account.Epoch, now, now, now + settings.SessionLongest);
        foreach (var old in _byHash.Values.Where(s => s.AccountId == account.Id).OrderByDescending(s => s.UsedAt).Skip(PerAccount - 1))
        {
            await EndAsync(old).ConfigureAwait(false);
        }

        await databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(
            "INSERT INTO session (token_hash, account_id, epoch, created_at, used_at, ends_at) VALUES (@TokenHash, @AccountId, @Epoch, @now, @now, @end)",
            new { session.TokenHash, session.AccountId, session.Epoch, now = now.ToUnixTimeMilliseconds(), end = session.EndsAt.ToUnixTimeMilliseconds() },
            t)).ConfigureAwait(false);
        Keep(session);
        return (token, session);
    }

    /// <summary>The living session of a token and its account, and notes the use; null when there is none.</summary>
    public (Session Session, Account Account)? Use(string token)
    {
        var now = clock.GetUtcNow();
        if (!_byHash.TryGetValue(Convert.ToHexString(_hash.Of(token)), out var session) || AccountOf(session, now) is not { } account)
        {
            return null;
        }

        session.Use(now);
        return (session, account);
    }

    /// <summary>Ends a session: the very next request with its token is refused.</summary>
    public Task EndAsync(Session session)
    {
        _byHash.TryRemove(Convert.ToHexString(session.TokenHash), out _);
        return databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("DELETE FROM session WHERE token_hash = @TokenHash", new { session.TokenHash }, t));
    }

    /// <summary>Carries one session over a change of its account's password, which ends all others.</summary>
    public async Task CarryOverAsync(Session session, Account account)
    {
        await databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(
            "UPDATE session SET epoch = @Epoch WHERE token_hash = @TokenHash", new { account.Epoch, session.TokenHash }, t)).ConfigureAwait(false);
        session.Epoch = account.Epoch;
    }

    /// <summary>Stores times of use and forgets what has ended. A crash loses at most the uses since the last call.</summary>
    public async Task SweepAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var ended = _byHash.Values.Where(s => AccountOf(s, now) is null).ToArray();
        var used = _byHash.Values.Except(ended).Select(s => (s.TokenHash, UsedAt: s.TakeUnsaved())).Where(s => s.UsedAt is not null).ToArray();
        if (ended.Length + used.Length == 0)
        {
            return;
        }

        await databases.State.WriteAsync(
            async t =>
            {
                foreach (var session in ended)
                {
                    await t.Connection!.ExecuteAsync("DELETE FROM session WHERE token_hash = @TokenHash", new { session.TokenHash }, t).ConfigureAwait(false);
                }

                foreach (var (tokenHash, usedAt) in used)
                {
                    await t.Connection!.ExecuteAsync("UPDATE session SET used_at = @usedAt WHERE token_hash = @tokenHash", new { usedAt, tokenHash }, t).ConfigureAwait(false);
                }
            },
            cancellation).ConfigureAwait(false);
        foreach (var session in ended)
        {
            _byHash.TryRemove(Convert.ToHexString(session.TokenHash), out _);
        }
    }

    private Account? AccountOf(Session session, DateTimeOffset now) =>
        now < session.EndsAt && now - session.UsedAt < settings.SessionIdle
            && accounts.ById(session.AccountId) is { Disabled: false } account && account.Epoch == session.Epoch
            ? account
            : null;

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private void Keep(Session session) => _byHash[Convert.ToHexString(session.TokenHash)] = session;

    private sealed class Row
    {
        public byte[] TokenHash { get; init; } = [];

        public string AccountId { get; init; } = "";

        public long Epoch { get; init; }

        public long CreatedAt { get; init; }

        public long UsedAt { get; init; }

        public long EndsAt { get; init; }
    }
}
