using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Four times a day what the devices of a field have learnt becomes the prior of newcomers: an event of the journal, so that replays see it where
/// the live lanes did. One loop.
/// </summary>
internal sealed partial class PeerTeaching(LanePump lanes, IEventJournal journal, TimeProvider time, ILogger<PeerTeaching> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var turn = (time.GetUtcNow().UtcTicks / Every.Ticks) + 1;
            await Task.Delay(new DateTimeOffset(turn * Every.Ticks, TimeSpan.Zero) - time.GetUtcNow(), time, stoppingToken).ConfigureAwait(false);
            try
            {
                await TeachAsync(checked((int)turn), stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                // The next turn says the same, and nobody's messages depend on it.
                LogFailed(e);
            }
        }
    }

    private async Task TeachAsync(int version, CancellationToken cancellation)
    {
        var priors = await lanes.AskAsync(runner => runner.Teach(version), cancellation).ConfigureAwait(false);
        if (priors.Count > 0)
        {
            var now = time.GetUtcNow();
            await journal.AppendAsync([.. priors.Select(p => p with { ArrivedAt = now })], cancellation).ConfigureAwait(false);
            LogTaught(priors.Count);
        }
    }

    [LoggerMessage(3050, LogLevel.Information, "What devices have learnt was made known to newcomers: {Priors} priors.")]
    private partial void LogTaught(int priors);

    [LoggerMessage(3051, LogLevel.Warning, "What devices have learnt could not be made known to newcomers; it is tried again in six hours.")]
    private partial void LogFailed(Exception e);
}
