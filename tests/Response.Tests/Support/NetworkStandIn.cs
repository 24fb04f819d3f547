using System.Collections.Concurrent;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Tests.Support;

/// <summary>What the network's side would say. Any thread.</summary>
internal sealed class NetworkStandIn : INetworkEnforcement
{
    public NetworkIdentity? Identity { get; set; } = new(["02:00:00:00:00:01"], ["192.0.2.7"]);

    public int Online { get; set; } = 1;

    public NetworkOutcome Outcome { get; set; } = new(NetworkOutcomeKind.InForce);

    /// <summary>Whether enforcers confirm an end.</summary>
    public bool Lifts { get; set; } = true;

    /// <summary>What is in force.</summary>
    public ConcurrentDictionary<string, NetworkMeasure> InForce { get; } = new();

    public Task<NetworkIdentity?> FindAsync(string deviceId, CancellationToken cancellation) => Task.FromResult(Identity);

    public Task<int> OnlineAsync(string fieldId, CancellationToken cancellation) => Task.FromResult(Online);

    public Task<NetworkOutcome> RestrictAsync(NetworkMeasure measure, TimeSpan wait, string correlationId, CancellationToken cancellation)
    {
        if (Outcome.Kind == NetworkOutcomeKind.InForce)
        {
            InForce[measure.Id] = measure;
        }

        return Task.FromResult(Outcome);
    }

    public Task<bool> LiftAsync(string measureId, TimeSpan wait, string correlationId, CancellationToken cancellation)
    {
        if (Lifts)
        {
            InForce.TryRemove(measureId, out _);
        }

        return Task.FromResult(Lifts);
    }
}
