using System.Data.Common;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Storage;

namespace Sekisho.Operations.Accounts;

/// <summary>The table account. Any thread.</summary>
internal static class AccountStore
{
    /// <summary>Identifier of the account that the set-up makes: two set-ups at once meet in the primary key.</summary>
    public const string FirstId = "a1";

    private const string Columns =
        "id AS Id, name AS Name, password_hash AS PasswordHash, roles AS Roles, fields AS Fields, language AS Language, must_set_password AS MustSetPassword, disabled AS Disabled, epoch AS Epoch, created_at AS CreatedAt";

    private const string Insert = """
        INSERT INTO account (id, name, name_key, password_hash, roles, fields, language, must_set_password, disabled, epoch, created_at)
        SELECT @Id, @Name, @NameKey, @PasswordHash, @Roles, @Fields, @Language, @MustSetPassword, @Disabled, @Epoch, @CreatedAt
        """;

    public static async Task<IReadOnlyList<Account>> LoadAsync(Database database, CancellationToken cancellation) =>
        [.. (await database.ReadAsync(c => c.QueryAsync<Row>($"SELECT {Columns} FROM account ORDER BY name_key"), cancellation).ConfigureAwait(false)).Select(r => r.ToAccount())];

    /// <summary>Adds the very first account; false when there is one already.</summary>
    public static async Task<bool> InsertFirstAsync(DbTransaction transaction, Account account) =>
        await transaction.Connection!.ExecuteAsync(Insert + " WHERE NOT EXISTS (SELECT 1 FROM account) ON CONFLICT DO NOTHING", Row.Of(account), transaction).ConfigureAwait(false) == 1;

    /// <summary>Adds an account; false when the name is taken.</summary>
    public static async Task<bool> InsertAsync(DbTransaction transaction, Account account) =>
        await transaction.Connection!.ExecuteAsync(Insert + " WHERE true ON CONFLICT DO NOTHING", Row.Of(account), transaction).ConfigureAwait(false) == 1;

    /// <summary>Writes everything but identifier, name and time of making.</summary>
    public static Task UpdateAsync(DbTransaction transaction, Account account) =>
        transaction.Connection!.ExecuteAsync(
            """
            UPDATE account SET password_hash = @PasswordHash, roles = @Roles, fields = @Fields, language = @Language,
                must_set_password = @MustSetPassword, disabled = @Disabled, epoch = @Epoch WHERE id = @Id
            """,
            Row.Of(account),
            transaction);

    /// <summary>Removes the account with its sessions and keys (foreign keys).</summary>
    public static Task DeleteAsync(DbTransaction transaction, string id) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM account WHERE id = @id", new { id }, transaction);

    /// <summary>
    /// True when another account can still maintain the gateway. Holds off other nodes' changes until the transaction ends, so that two
    /// maintainers cannot remove each other at the same moment.
    /// </summary>
    public static async Task<bool> HasOtherMaintainerAsync(DbTransaction transaction, Dialect dialect, string id)
    {
        var connection = transaction.Connection!;
        if (dialect == Dialect.PostgreSql)
        {
            await connection.ExecuteAsync("LOCK TABLE account IN EXCLUSIVE MODE", transaction: transaction).ConfigureAwait(false);
        }

        return await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM account WHERE id <> @id AND disabled = 0 AND ' ' || roles || ' ' LIKE @role",
            new { id, role = $"% {Roles.Maintainer} %" },
            transaction).ConfigureAwait(false) > 0;
    }

    private sealed class Row
    {
        public string Id { get; init; } = "";

        public string Name { get; init; } = "";

        public string NameKey { get; init; } = "";

        public string PasswordHash { get; init; } = "";

        public string Roles { get; init; } = "";

        public string Fields { get; init; } = "";

        public string Language { get; init; } = "";

        public long MustSetPassword { get; init; }

        public long Disabled { get; init; }

        public long Epoch { get; init; }

        public long CreatedAt { get; init; }

        public static Row Of(Account a) => new()
        {
            Id = a.Id,
            Name = a.Name,
            NameKey = a.NameKey,
            PasswordHash = a.PasswordHash,
            Roles = string.Join(' ', a.Roles),
            Fields = string.Join(' ', a.Fields),
            Language = a.Language,
            MustSetPassword = a.MustSetPassword ? 1 : 0,
            Disabled = a.Disabled ? 1 : 0,
            Epoch = a.Epoch,
            CreatedAt = a.CreatedAt.ToUnixTimeMilliseconds(),
        };

        public Account ToAccount() => new(
            Id, Name, PasswordHash, Words(Roles), Words(Fields), Language, MustSetPassword != 0, Disabled != 0, Epoch, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));

        private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
