using System.ComponentModel.DataAnnotations;

namespace Sekisho.Detection.Backtest;

/// <summary>Bounds of back-tests.</summary>
internal sealed class BacktestSettings
{
    /// <summary>Most back-tests that run at a time; each takes up to a core.</summary>
    [Range(1, 16, ErrorMessage = "1 to 16 are allowed.")]
    public int Running { get; set; } = 1;

    /// <summary>Most days that one may go over, learning included.</summary>
    [Range(1, 1000, ErrorMessage = "1 to 1000 are allowed.")]
    public int MostDays { get; set; } = 120;

    /// <summary>Back-tests of a field that are kept, in memory; the oldest finished one goes first.</summary>
    [Range(1, 1000, ErrorMessage = "1 to 1000 are allowed.")]
    public int Kept { get; set; } = 20;
}
