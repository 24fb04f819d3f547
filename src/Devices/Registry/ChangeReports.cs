using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Registry;

/// <summary>
/// Tells the journal what was committed. A change that stands is not taken back because the journal cannot hear of it now: the event waits
/// here and goes out as soon as it can, after those before it. Any thread.
/// </summary>
internal sealed partial class ChangeReports(IEventJournal journal, TimeProvider clock, ILogger<ChangeReports> log) : BackgroundService
{
    private const int AtOnce = 500;
    private const int MostWaiting = 20_000;

    // When it is full the event is given up and logged; the change itself stands in the history.
    private readonly Channel<GatewayEvent> _waiting = Channel.CreateBounded<GatewayEvent>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    public async Task ReportAsync(params IReadOnlyList<GatewayEvent> events)
    {
        var sent = 0;
        try
        {
            while (sent < events.Count && _waiting.Reader.Count == 0)
            {
                GatewayEvent[] some = [.. events.Skip(sent).Take(AtOnce)];
                await journal.AppendAsync(some, CancellationToken.None);
                sent += some.Length;
            }
        }
        catch (JournalUnavailableException e)
        {
            LogWaiting(e, events.Count - sent);
        }

        for (; sent < events.Count; sent++)
        {
            if (!_waiting.Writer.TryWrite(events[sent]))
            {
                LogGivenUp(events.Count - sent);
                return;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await _waiting.Reader.WaitToReadAsync(stoppingToken))
        {
            while (_waiting.Reader.TryPeek(out var next))
            {
                try
                {
                    await journal.AppendAsync([next], stoppingToken);
                    _waiting.Reader.TryRead(out _);
                }
                catch (JournalUnavailableException e)
                {
                    await Task.Delay(e.RetryAfter, clock, stoppingToken);
                }
            }
        }
    }

    [LoggerMessage(1001, LogLevel.Warning, "The journal takes no events now; {Count} changes of devices are reported to it later")]
    private partial void LogWaiting(Exception e, int count);

    [LoggerMessage(1002, LogLevel.Error, "The journal took no events for too long; {Count} changes of devices are in the history only")]
    private partial void LogGivenUp(int count);
}
