using Sekisho.Domain.History;

namespace Sekisho.History.Ledger;

/// <summary>The ledger's figures at one moment.</summary>
/// <param name="Fields">By field; a field without messages is absent.</param>
internal sealed record LedgerFigures(IReadOnlyDictionary<string, FieldFigures> Fields)
{
    /// <summary>Accepted and repeated messages of all fields: what the lanes took from the journal.</summary>
    public long Processed => Fields.Values.Sum(f => f.Accepted + f.Duplicates);

    /// <summary>The figures of a field.</summary>
    public FieldFigures Of(string fieldId) => Fields.TryGetValue(fieldId, out var figures) ? figures : FieldFigures.None;
}

/// <summary>Messages of one field.</summary>
internal sealed record FieldFigures(long Accepted, long Duplicates, long Forwarded, long Dropped, long Expired, long DeadLettered)
{
    /// <summary>A field without messages.</summary>
    public static readonly FieldFigures None = new(0, 0, 0, 0, 0, 0);

    /// <summary>In a terminal state.</summary>
    public long Settled => Forwarded + Dropped + Expired + DeadLettered;

    /// <summary>From stored rows.</summary>
    public static FieldFigures Of(IEnumerable<(string State, long Messages)> rows)
    {
        var by = rows.ToDictionary(r => r.State, r => r.Messages);
        long Get(string state) => by.GetValueOrDefault(state);
        return new FieldFigures(
            Get(LedgerBook.Accepted), Get(LedgerBook.Duplicates), Get(LedgerStates.Forwarded), Get(LedgerStates.Dropped), Get(LedgerStates.Expired), Get(LedgerStates.DeadLettered));
    }
}
