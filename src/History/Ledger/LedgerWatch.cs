using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sekisho.History.Ledger;

/// <summary>Looks at the ledger at an interval: exports it as metrics and says it in the log when messages are missing. One loop.</summary>
internal sealed partial class LedgerWatch(LedgerReader reader, LedgerSettings settings, TimeProvider clock, ILogger<LedgerWatch> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(settings.WatchSeconds), clock);
        long reported = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                reported = await LookAsync(reported, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
    }

    private async Task<long> LookAsync(long reported, CancellationToken cancellation)
    {
        try
        {
            var report = await reader.ReadAsync(cancellation).ConfigureAwait(false);
            HistoryMetrics.Show(report);
            if (report.Residue == reported)
            {
                return reported;
            }

            if (report.Residue != 0)
            {
                Missing(log, report.Residue, report.Journal.Residue, string.Join(", ", report.Fields.Where(f => f.Residue != 0).Select(f => $"{f.FieldId}: {f.Residue}")));
            }
            else
            {
                Balanced(log);
            }

            return report.Residue;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            // The store may be busy or away for a while; the next look tells, and whoever serves data notices by itself.
            Failed(log, e);
            return reported;
        }
    }

    [LoggerMessage(5000, LogLevel.Error, "The message ledger does not balance: residue {Residue} (journal {Journal}; fields {Fields}). Messages were lost or counted twice; keep the data folder and report this.")]
    private static partial void Missing(ILogger logger, long residue, long journal, string fields);

    [LoggerMessage(5001, LogLevel.Information, "The message ledger balances again.")]
    private static partial void Balanced(ILogger logger);

    [LoggerMessage(5002, LogLevel.Warning, "The message ledger could not be read; trying again at the next interval.")]
    private static partial void Failed(ILogger logger, Exception exception);
}
