using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions.HoldCommand;
using Sekisho.Response.Leases;
using Sekisho.Storage;

namespace Sekisho.Response.Actions.OrderDevice;

/// <summary>Wakes leases that wait for a device as soon as it answers, and ends those of held commands that somebody decided on elsewhere. Any thread.</summary>
internal sealed partial class CommandWatch(IDeviceCommands commands, LeaseStore leases, QueueSignal signal, ILogger<CommandWatch> log) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        commands.Settled += Settled;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        commands.Settled -= Settled;
        return Task.CompletedTask;
    }

    private void Settled(DeviceCommand command) => _ = TellAsync(command);

    private async Task TellAsync(DeviceCommand command)
    {
        try
        {
            if (command.Holder is { } lease)
            {
                await leases.WakeAsync(lease, CancellationToken.None);
                signal.Wake();
            }
            else if (command.State != CommandStates.Lapsed)
            {
                await leases.EndElsewhereAsync(HoldCommandAction.ActionName, command.FieldId, command.Id, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException || (e is DbException fault && Database.IsUnavailable(fault)))
        {
            // The lease is looked at again by itself, or ends with the command's validity.
            NotTold(e, command.Id);
        }
    }

    [LoggerMessage(4030, LogLevel.Warning, "A response was not told at once that command {Command} is settled")]
    private partial void NotTold(Exception fault, string command);
}
