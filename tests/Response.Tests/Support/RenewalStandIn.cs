using System.Collections.Concurrent;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Tests.Support;

/// <summary>Devices that are asked to renew their secrets. Any thread.</summary>
internal sealed class RenewalStandIn : ISecretRenewal
{
    /// <summary>Orders by device and holder: by when, and whether it was followed.</summary>
    public ConcurrentDictionary<(string Device, string Holder), (DateTimeOffset Before, bool Renewed)> Orders { get; } = new();

    public SecretRenewalOutcome Outcome { get; set; }

    public Task<SecretRenewalOutcome> OrderAsync(string deviceId, string holder, DateTimeOffset before, string correlationId, CancellationToken cancellation)
    {
        if (Outcome == SecretRenewalOutcome.Ordered)
        {
            Orders[(deviceId, holder)] = (before, false);
        }

        return Task.FromResult(Outcome);
    }

    public Task<bool> WithdrawAsync(string deviceId, string holder, string correlationId, CancellationToken cancellation) =>
        Task.FromResult(Orders.TryRemove((deviceId, holder), out var order) && order.Renewed);

    public void Renew(string deviceId)
    {
        foreach (var (key, order) in Orders.Where(o => o.Key.Device == deviceId))
        {
            Orders[key] = order with { Renewed = true };
        }
    }
}
