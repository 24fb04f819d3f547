using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Devices.Binding;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Fields;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;

namespace Sekisho.Devices;

/// <summary>Loads fields, devices, tokens and waiting bindings before anything listens.</summary>
internal sealed partial class DeviceStart(
    FieldStore fields, ProductLines lines, DeviceStore devices, DeviceIndex index, TokenStore tokenStore, TokenTable tokens, PendingBindings pending, TimeProvider clock, ILogger<DeviceStart> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await fields.LoadAsync(cancellationToken);
        await lines.LoadAsync(cancellationToken);
        foreach (var entry in await devices.LoadAsync(cancellationToken))
        {
            index.Put(entry);
        }

        // When and where tokens were used is known in memory only. Each holder of a live token counts as alive now, where the token was
        // issued to, so that a restart opens no gap in which a newer sender could take over.
        var now = clock.GetUtcNow();
        foreach (var own in (await tokenStore.LoadAsync(cancellationToken)).GroupBy(t => t.DeviceId))
        {
            var holder = index.Find(own.Key)!.Holder;
            var rows = own.ToList();
            var present = rows[^1].For(holder);
            tokens.Put(new TokenPair(present, rows.Count > 1 ? rows[^2].For(holder) : null));
            holder.Note(present.ExpiresAt > now ? now : present.IssuedAt, rows[^1].Source);
        }

        foreach (var binding in (await pending.LoadAsync(cancellationToken)).Where(b => b.Open))
        {
            index.Find(binding.DeviceId)!.Holder.Watch(binding.Source);
        }

        LogLoaded(index.Count, fields.All.Count);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1000, LogLevel.Information, "{Devices} devices of {Fields} fields loaded")]
    private partial void LogLoaded(int devices, int fields);
}
