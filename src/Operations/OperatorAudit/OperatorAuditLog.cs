using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Api;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;
using Sekisho.Operations.Accounts;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.OperatorAudit;

/// <summary>
/// Writes the operator audit: each entry carries the hash of the one before. Any thread, any node: the head row is the turnstile that gives
/// one order (on SQLite there is one writer anyway, on PostgreSQL the row is locked until the entry is committed).
/// </summary>
internal sealed class OperatorAuditLog(Databases databases, MasterKey key, AccountBook accounts, IHistory history, TimeProvider clock) : IOperatorAudit
{
    private const int LongestText = 500;
    private readonly AuditHasher _hasher = new(key);

    /// <summary>Makes the head of a new log. A log whose head is gone goes on with an entry that says so, and never verifies again.</summary>
    public Task OpenAsync(CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var connection = t.Connection!;
            if (await connection.QuerySingleOrDefaultAsync<AuditHead>(AuditChain.HeadQuery, transaction: t).ConfigureAwait(false) is not null)
            {
                return;
            }

            var last = await connection.QueryFirstOrDefaultAsync<AuditRow>($"SELECT {AuditChain.Columns} FROM operator_audit ORDER BY id DESC LIMIT 1", transaction: t).ConfigureAwait(false);
            var (lastId, lastHash) = (last?.Id ?? 0, last?.Hash ?? AuditHasher.Start);
            var seal = _hasher.Seal(lastId, lastHash);

            // Nodes that start together meet here; one of them makes it.
            var made = await connection.ExecuteAsync(
                "INSERT INTO operator_audit_head (id, last_id, last_hash, seal) VALUES (1, @lastId, @lastHash, @seal) ON CONFLICT DO NOTHING", new { lastId, lastHash, seal }, t).ConfigureAwait(false);
            if (made == 1 && (last is not null || !accounts.IsEmpty))
            {
                await AppendAsync(new OperatorAction("gateway", AuditChain.HeadLost, null, "", "failed", Correlation.New()), t).ConfigureAwait(false);
            }
        },
        cancellation);

    public Task RecordAsync(OperatorAction action, CancellationToken cancellation) =>
        databases.State.WriteAsync(t => AppendAsync(action, t), cancellation);

    private async Task AppendAsync(OperatorAction action, DbTransaction transaction)
    {
        var connection = transaction.Connection!;
        var head = await connection.QuerySingleOrDefaultAsync<AuditHead>(
            AuditChain.HeadQuery + (databases.State.Dialect == Dialect.PostgreSql ? " FOR UPDATE" : ""), transaction: transaction).ConfigureAwait(false)
            ?? throw new StorageException("The head of the operator audit is gone: the data was changed outside Sekisho. Nothing is changed until it is restored from a backup or the gateway is started again, which leaves a mark in the log.");
        var now = clock.GetUtcNow();
        var row = new AuditRow
        {
            Id = head.LastId + 1,
            At = now.ToUnixTimeMilliseconds(),
            Actor = Cut(action.Actor),
            Action = action.Action,
            FieldId = action.FieldId is null ? null : Cut(action.FieldId),
            Target = Cut(action.Target),
            Outcome = action.Outcome,
            CorrelationId = action.CorrelationId,
            PreviousHash = head.LastHash,
        };
        row = row with { Hash = _hasher.Of(row) };
        await connection.ExecuteAsync(
            """
            INSERT INTO operator_audit (id, at, actor, action, field_id, target, outcome, correlation_id, previous_hash, hash)
            VALUES (@Id, @At, @Actor, @Action, @FieldId, @Target, @Outcome, @CorrelationId, @PreviousHash, @Hash)
            """,
            row,
            transaction).ConfigureAwait(false);
        await connection.ExecuteAsync(
            "UPDATE operator_audit_head SET last_id = @Id, last_hash = @Hash, seal = @seal WHERE id = 1",
            new { row.Id, row.Hash, seal = _hasher.Seal(row.Id, row.Hash) },
            transaction).ConfigureAwait(false);
        history.Append(
            new HistoryRecord
            {
                At = now,
                Kind = HistoryKinds.Operator,
                What = row.Action,
                FieldId = row.FieldId,
                Actor = row.Actor,
                CorrelationId = row.CorrelationId,
                Details = JsonSerializer.Serialize(new { target = row.Target, outcome = row.Outcome }),
            },
            transaction);
    }

    // Targets come from route values, which a caller makes as long as the server allows. NUL is no character of a text in PostgreSQL,
    // and a lone surrogate none in UTF-8: what is hashed must be what is read back.
    private static string Cut(string text)
    {
        var kept = text.Length > LongestText ? text[..LongestText] : text;
        return System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(kept.Replace('\0', '\uFFFD')));
    }
}
