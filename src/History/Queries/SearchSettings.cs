using System.ComponentModel.DataAnnotations;

namespace Sekisho.History.Queries;

/// <summary>Settings "History:Search".</summary>
internal sealed class SearchSettings
{
    /// <summary>Chunks that one request looks at for a correlation id, in steps of 1,000; the next page goes on behind them.</summary>
    [Range(1000, 10_000_000, ErrorMessage = "allowed are 1000 to 10000000 chunks")]
    public int CorrelationChunks { get; set; } = 50_000;
}
