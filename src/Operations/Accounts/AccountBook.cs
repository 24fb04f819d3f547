using System.Collections.Immutable;
using System.Security.Cryptography;
using Sekisho.Api.Access;
using Sekisho.Storage;

namespace Sekisho.Operations.Accounts;

/// <summary>How a change of an account ended.</summary>
internal enum AccountOutcome
{
    /// <summary>Done and durable.</summary>
    Done,

    /// <summary>There is no such account.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    Exists,

    /// <summary>Nobody could maintain the gateway any more.</summary>
    LastMaintainer,
}

/// <summary>All accounts, in memory so that a request costs no SQL; every change is durable before it is seen. Any thread.</summary>
internal sealed class AccountBook(Databases databases, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1); // guards the order of changes: store first, then memory
    private volatile ImmutableDictionary<string, Account> _byId = ImmutableDictionary<string, Account>.Empty;
    private volatile ImmutableDictionary<string, Account> _byName = ImmutableDictionary<string, Account>.Empty;

    /// <summary>All of them, by name.</summary>
    public IEnumerable<Account> All => _byId.Values.OrderBy(a => a.NameKey, StringComparer.Ordinal);

    /// <summary>True while nobody can sign in yet.</summary>
    public bool IsEmpty => _byId.IsEmpty;

    public Account? ById(string id) => _byId.GetValueOrDefault(id);

    public Account? ByName(string name) => _byName.GetValueOrDefault(Account.KeyOf(name));

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var accounts = await AccountStore.LoadAsync(databases.State, cancellation).ConfigureAwait(false);
        _byId = accounts.ToImmutableDictionary(a => a.Id);
        _byName = accounts.ToImmutableDictionary(a => a.NameKey);
    }

    /// <summary>Makes the first account; null when there is one already.</summary>
    public Task<Account?> CreateFirstAsync(string name, string passwordHash, string language) =>
        AddAsync(
            new Account(AccountStore.FirstId, name, passwordHash, [Roles.Maintainer, Roles.Administrator], ["*"], language, MustSetPassword: false, Disabled: false, Epoch: 1, clock.GetUtcNow()),
            AccountStore.InsertFirstAsync);

    /// <summary>Makes an account that must set a password of its own; null when the name is taken.</summary>
    public Task<Account?> CreateAsync(string name, string passwordHash, IReadOnlyList<string> roles, IReadOnlyList<string> fields, string language) =>
        AddAsync(
            new Account("a" + RandomNumberGenerator.GetHexString(20, lowercase: true), name, passwordHash, roles, fields, language, MustSetPassword: true, Disabled: false, Epoch: 1, clock.GetUtcNow()),
            AccountStore.InsertAsync);

    /// <summary>Changes what an account may do. Disabling ends its sessions for good.</summary>
    public Task<AccountOutcome> ChangeAsync(string name, IReadOnlyList<string> roles, IReadOnlyList<string> fields, string language, bool disabled) =>
        UpdateAsync(name, a => a with { Roles = roles, Fields = fields, Language = language, Disabled = disabled, Epoch = disabled ? a.Epoch + 1 : a.Epoch });

    /// <summary>Sets a password and ends every session so far.</summary>
    /// <param name="name">Whose.</param>
    /// <param name="passwordHash">Hash of the new password.</param>
    /// <param name="mustSetPassword">True when somebody else chose it.</param>
    public Task<AccountOutcome> SetPasswordAsync(string name, string passwordHash, bool mustSetPassword) =>
        UpdateAsync(name, a => a with { PasswordHash = passwordHash, MustSetPassword = mustSetPassword, Epoch = a.Epoch + 1 });

    /// <summary>Keeps the password under a dearer hash.</summary>
    public Task<AccountOutcome> RehashAsync(Account account, string passwordHash) =>
        UpdateAsync(account.Name, a => a.PasswordHash == account.PasswordHash ? a with { PasswordHash = passwordHash } : a);

    /// <summary>Removes an account, its sessions and the keys it made.</summary>
    public async Task<AccountOutcome> RemoveAsync(string name)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (ByName(name) is not { } account)
            {
                return AccountOutcome.NotFound;
            }

            var outcome = await databases.State.WriteAsync(async t =>
            {
                if (!await AccountStore.HasOtherMaintainerAsync(t, databases.State.Dialect, account.Id).ConfigureAwait(false))
                {
                    return AccountOutcome.LastMaintainer;
                }

                await AccountStore.DeleteAsync(t, account.Id).ConfigureAwait(false);
                return AccountOutcome.Done;
            }).ConfigureAwait(false);
            if (outcome == AccountOutcome.Done)
            {
                _byId = _byId.Remove(account.Id);
                _byName = _byName.Remove(account.NameKey);
            }

            return outcome;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<Account?> AddAsync(Account account, Func<System.Data.Common.DbTransaction, Account, Task<bool>> insert)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!await databases.State.WriteAsync(t => insert(t, account)).ConfigureAwait(false))
            {
                return null;
            }

            Keep(account);
            return account;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<AccountOutcome> UpdateAsync(string name, Func<Account, Account> change)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (ByName(name) is not { } before)
            {
                return AccountOutcome.NotFound;
            }

            var after = change(before);
            var outcome = await databases.State.WriteAsync(async t =>
            {
                if (Maintains(before) && !Maintains(after)
                    && !await AccountStore.HasOtherMaintainerAsync(t, databases.State.Dialect, after.Id).ConfigureAwait(false))
                {
                    return AccountOutcome.LastMaintainer;
                }

                await AccountStore.UpdateAsync(t, after).ConfigureAwait(false);
                return AccountOutcome.Done;
            }).ConfigureAwait(false);
            if (outcome == AccountOutcome.Done)
            {
                Keep(after);
            }

            return outcome;
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Keep(Account account)
    {
        _byId = _byId.SetItem(account.Id, account);
        _byName = _byName.SetItem(account.NameKey, account);
    }

    private static bool Maintains(Account account) => !account.Disabled && account.Roles.Contains(Roles.Maintainer);
}
