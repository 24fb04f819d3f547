using System.Collections.Concurrent;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Response.Sim.Template;

namespace Sekisho.Response.Sim.Cards;

/// <summary>A field's carrier, as set.</summary>
internal sealed record FieldCarrier(SimConfig Config, ISimProvider Provider, IReadOnlySet<string> Forbidden);

/// <summary>The carriers of all fields, from memory. Any thread.</summary>
internal sealed class SimProviders(SimStore store, SimSettings settings, TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<string, FieldCarrier> _carriers = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<ISimProvider> _made = []; // an old one may still be in use, so that all of them live until the end
    private readonly SemaphoreSlim _turn = new(1, 1);

    public IReadOnlyCollection<FieldCarrier> All => [.. _carriers.Values];

    public FieldCarrier? Of(string? fieldId) => fieldId is null ? null : _carriers.GetValueOrDefault(fieldId);

    /// <summary>Reads what is set; what did not change keeps its session with the carrier.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var configs = await store.ConfigsAsync(cancellation);
            foreach (var config in configs.Where(c => Of(c.FieldId)?.Config.Version != c.Version))
            {
                _carriers[config.FieldId] = new FieldCarrier(config, Make(config), settings.Forbidden.Concat(config.Forbidden).ToHashSet(StringComparer.Ordinal));
            }

            foreach (var gone in _carriers.Keys.Except(configs.Select(c => c.FieldId)).ToList())
            {
                _carriers.TryRemove(gone, out _);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        foreach (var provider in _made)
        {
            provider.Dispose();
        }

        _turn.Dispose();
    }

    /// <summary>True when the carrier, reached as described, has the SIM; without putting anything in force.</summary>
    /// <exception cref="CarrierException">The carrier does not do its part.</exception>
    public async Task<bool> SeesAsync(SimConfig config, string simId, CancellationToken cancellation) => await Make(config).StatusAsync(simId, cancellation) is not null;

    private PacedProvider Make(SimConfig config)
    {
        var origin = new Uri(config.BaseUrl);
        ISimProvider carrier = config.Kind == Soracom.Kind
            ? new Soracom(origin, config.Secrets["authKeyId"], config.Secrets["authKey"], settings, clock)
            : new TemplateCarrier(origin, config.Template!, config.Secrets, settings, clock);
        var paced = new PacedProvider(carrier, clock);
        _made.Add(paced);
        return paced;
    }
}
