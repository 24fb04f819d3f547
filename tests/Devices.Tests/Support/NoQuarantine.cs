using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Tests.Support;

/// <summary>Distribution keeps nothing back.</summary>
internal sealed class NoQuarantine : ITrafficQuarantine
{
    public Task HoldAsync(QuarantineOrder order, CancellationToken cancellation) => Task.CompletedTask;

    public Task<bool> EndAsync(string deviceId, string holder, bool forward, string actor, string correlationId, CancellationToken cancellation) => Task.FromResult(true);

    public Quarantine? Of(string deviceId) => null;

    public Task<(int Messages, bool More)> QueuedAsync(string fieldId, string deviceId, CancellationToken cancellation) => Task.FromResult((0, false));
}
