using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sekisho.Behaviour.Sensors;

/// <summary>Loads sensors and their certificates before anything listens.</summary>
internal sealed partial class SensorStart(SensorBook book, ILogger<SensorStart> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await book.LoadAsync(cancellationToken);
        if (book.All.Count > 0)
        {
            LogLoaded(book.All.Count);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(7000, LogLevel.Information, "{Sensors} traffic sensors loaded")]
    private partial void LogLoaded(int sensors);
}
