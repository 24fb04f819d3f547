using System.Globalization;

namespace Sekisho.Operations.OperatorAudit;

/// <summary>What is wrong at one place of the operator audit.</summary>
/// <param name="Kind">"changed", "missing", "order", "added", "truncated", "head-missing", "head-changed" or "head-lost". Append-only.</param>
/// <param name="Id">Number of the entry concerned.</param>
public sealed record AuditFault(string Kind, long Id);

/// <summary>Outcome of verifying the operator audit.</summary>
/// <param name="Rows">Entries that were read.</param>
/// <param name="LastHash">Hash of the newest entry in lower-case hex. Written down elsewhere, it shows later that the log was not set back to an old copy; empty when there is no entry.</param>
/// <param name="Faults">The first faults, at most <see cref="MostFaults"/>; empty when the log is whole.</param>
public sealed record AuditVerdict(long Rows, string LastHash, IReadOnlyList<AuditFault> Faults)
{
    /// <summary>Faults that are listed at most.</summary>
    public const int MostFaults = 20;

    /// <summary>True when nothing was changed, removed, re-ordered, added or cut off.</summary>
    public bool Intact => Faults.Count == 0;

    /// <summary>The outcome for the command line, Japanese and English.</summary>
    public string Sentence => Intact
        ? string.Create(CultureInfo.InvariantCulture, $"The operator audit is intact: {Rows} entries, last hash {LastHash}. 操作監査ログに改ざんはありません（{Rows}件）。")
        : string.Create(CultureInfo.InvariantCulture, $"The operator audit was tampered with ({Rows} entries read): {string.Join("; ", Faults.Select(f => $"entry {f.Id}: {f.Kind}"))}. 操作監査ログが改ざんされています。");
}
