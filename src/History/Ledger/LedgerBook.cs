using System.Data.Common;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.History.Ledger;

/// <summary>
/// The ledger's own figures: per field what was accepted, what was a repeat, and what reached each terminal state. Each figure changes in the
/// transaction that makes it true. Any thread.
/// </summary>
internal sealed class LedgerBook(Databases databases) : ILedger
{
    /// <summary>Stored state: messages kept and put into the outbox.</summary>
    public const string Accepted = "accepted";

    /// <summary>Stored state: messages recognised as repeats.</summary>
    public const string Duplicates = "duplicates";

    /// <inheritdoc/>
    public void Settle(string fieldId, string state, int count, DbTransaction transaction)
    {
        if (state == LedgerStates.Queued || !LedgerStates.All.Contains(state))
        {
            throw new ArgumentException($"'{state}' is no terminal state of a message; those are {string.Join(", ", LedgerStates.All.Skip(1))}.", nameof(state));
        }

        Add(fieldId, state, count, transaction);
    }

    /// <summary>Counts messages of a field.</summary>
    public static void Add(string fieldId, string state, int count, DbTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (count == 0)
        {
            return;
        }

        transaction.Connection!.Execute(
            """
            INSERT INTO ledger (field_id, state, messages) VALUES (@fieldId, @state, @count)
            ON CONFLICT (field_id, state) DO UPDATE SET messages = ledger.messages + excluded.messages
            """,
            new { fieldId, state, count = (long)count },
            transaction);
    }

    /// <summary>All figures, from one statement and so from one moment.</summary>
    public async Task<LedgerFigures> ReadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Field, string State, long Messages)>(new CommandDefinition("SELECT field_id, state, messages FROM ledger", cancellationToken: cancellation)),
            cancellation).ConfigureAwait(false);
        return new LedgerFigures(rows.GroupBy(r => r.Field).ToDictionary(g => g.Key, g => FieldFigures.Of(g.Select(r => (r.State, r.Messages)))));
    }
}
