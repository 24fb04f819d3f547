using System.ComponentModel.DataAnnotations;

namespace Sekisho.History.Ledger;

/// <summary>Settings "History:Ledger".</summary>
internal sealed class LedgerSettings
{
    /// <summary>Seconds between two looks at the ledger for metrics and the log.</summary>
    [Range(1, 3600, ErrorMessage = "allowed are 1 to 3600 seconds")]
    public int WatchSeconds { get; set; } = 15;
}
