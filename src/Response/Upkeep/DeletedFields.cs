using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Devices;
using Sekisho.Response.Sim.Cards;
using Sekisho.Storage;

namespace Sekisho.Response.Upkeep;

/// <summary>
/// Lets go the secrets and addresses of fields that were deleted: whom they notified, webhooks, ticket desk, carrier account and SIMs, receivers of the SOC, who may lock down. A day later,
/// so that the owners still hear of the deletion, and only when nothing of the field is in force or under way, which would need them. What tells what happened stays. Any thread.
/// </summary>
internal sealed partial class DeletedFields(Databases databases, IDeviceDirectory directory, SimProviders carriers, SimCards cards, TimeProvider clock, ILogger<DeletedFields> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private static readonly TimeSpan After = TimeSpan.FromDays(1);

    // What is kept by field. The two that hang on such a row have no field of their own, and go before it.
    private static readonly string[] ByField = ["soc_receiver", "soc_field", "sim_link", "sim_card", "sim_provider", "notification", "notification_former", "webhook", "ticket_desk", "emergency_plan"];

    private static readonly string[] Deletions =
    [
        "soc_progress WHERE receiver_id IN (SELECT id FROM soc_receiver WHERE field_id = @field)",
        "sim_order WHERE card_id IN (SELECT id FROM sim_card WHERE field_id = @field)",
        .. ByField.Select(t => t + " WHERE field_id = @field"),
    ];

    private readonly Dictionary<string, DateTimeOffset> _missed = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await RemoveAllAsync(cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The store does not answer: the next look finds the same.
                Failed(e);
            }
        }
    }

    private async Task RemoveAllAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var known = await databases.State.ReadAsync(
            async c => (await c.QueryAsync<string>(string.Join(" UNION ", ByField.Select(t => "SELECT field_id FROM " + t)))).Where(f => f.Length > 0).ToHashSet(StringComparer.Ordinal),
            cancellation);
        foreach (var back in _missed.Keys.Where(f => !known.Contains(f) || directory.Field(f) is not null).ToList())
        {
            _missed.Remove(back);
        }

        var removed = 0;
        foreach (var field in known.Where(f => directory.Field(f) is null))
        {
            if (_missed.TryAdd(field, now) || now - _missed[field] < After || !await RemoveAsync(field, cancellation))
            {
                continue;
            }

            removed++;
            Removed(field);
        }

        if (removed > 0)
        {
            await carriers.LoadAsync(cancellation);
            await cards.LoadAsync(cancellation);
        }
    }

    private Task<bool> RemoveAsync(string field, CancellationToken cancellation) => databases.State.WriteAsync(
        async t =>
        {
            var open = await t.Connection!.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM lease WHERE field_id = @field AND (next_try_at IS NOT NULL OR (state = 'done' AND holds = 1))", new { field }, t);
            foreach (var deletion in open > 0 ? [] : Deletions)
            {
                await t.Connection!.ExecuteAsync("DELETE FROM " + deletion, new { field }, t);
            }

            return open == 0;
        },
        cancellation);

    [LoggerMessage(4090, LogLevel.Information, "Secrets and addresses of the deleted field {Field} are deleted")]
    private partial void Removed(string field);

    [LoggerMessage(4091, LogLevel.Error, "What deleted fields left could not be deleted; it is tried again")]
    private partial void Failed(Exception fault);
}
