using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Devices.Tokens;

namespace Sekisho.Devices.Binding;

/// <summary>Makes durable what the check of tokens noticed in memory: the first use of a new token, an incumbent that showed itself.</summary>
internal sealed partial class BindingWatch(TokenTable tokens, BindingDesk desk, ILogger<BindingWatch> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var holder in tokens.Noticed.ReadAllAsync(stoppingToken))
        {
            try
            {
                await desk.SettleAsync(holder, stoppingToken);
            }
            catch (DbException e)
            {
                // Memory already judges by it, and the mark is set again so that the next use of the token repeats this.
                holder.ReportAgain();
                LogNotSettled(e, holder.DeviceId);
            }
        }
    }

    [LoggerMessage(1010, LogLevel.Warning, "The store did not take what was noticed of device {DeviceId}; it is tried again at the device's next message")]
    private partial void LogNotSettled(Exception e, string deviceId);
}
