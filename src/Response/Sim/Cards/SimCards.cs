using System.Collections.Frozen;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Sim.Cards;

/// <summary>
/// Which device has which SIM, from memory. A link counts while the device is in the field that it was made in and not retired. Any thread; immutable
/// inside, replaced whole.
/// </summary>
internal sealed class SimCards(SimStore store, IDeviceDirectory directory) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1); // one load at a time, so that an older one never replaces a newer one
    private volatile Table _table = new(FrozenDictionary<string, SimCard>.Empty, FrozenDictionary<string, (string, string)>.Empty, FrozenDictionary<string, string[]>.Empty);

    public IEnumerable<SimCard> All => _table.Cards.Values;

    public async Task LoadAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var (cards, links) = (await store.CardsAsync(cancellation), await store.LinksAsync(cancellation));
            _table = new Table(
                cards.ToFrozenDictionary(c => c.Id, StringComparer.Ordinal),
                links.ToFrozenDictionary(l => l.Device, l => (l.Field, l.Card), StringComparer.Ordinal),
                links.GroupBy(l => l.Card).ToFrozenDictionary(g => g.Key, g => g.Select(l => l.Device).Order(StringComparer.Ordinal).ToArray(), StringComparer.Ordinal));
        }
        finally
        {
            _turn.Release();
        }
    }

    public SimCard? Card(string id) => _table.Cards.GetValueOrDefault(id);

    /// <summary>The SIM of a device; null without.</summary>
    public SimCard? Of(string deviceId)
    {
        var table = _table;
        return table.Links.TryGetValue(deviceId, out var link) && Counts(deviceId, link.Field) is not null && table.Cards.TryGetValue(link.Card, out var card) && card.FieldId == link.Field ? card : null;
    }

    /// <summary>The devices that a SIM carries, by identifier.</summary>
    public IReadOnlyList<DeviceProfile> DevicesOn(SimCard card) =>
        [.. (_table.Devices.GetValueOrDefault(card.Id) ?? []).Select(d => Counts(d, card.FieldId)).OfType<DeviceProfile>()];

    /// <summary>The devices of a field that have a SIM.</summary>
    public IReadOnlyList<(DeviceProfile Device, SimCard Card)> OfField(string fieldId) =>
        [.. All.Where(c => c.FieldId == fieldId).SelectMany(c => DevicesOn(c).Select(d => (d, c))).OrderBy(p => p.d.DeviceId, StringComparer.Ordinal)];

    public void Dispose() => _turn.Dispose();

    private DeviceProfile? Counts(string deviceId, string fieldId) =>
        directory.Device(deviceId) is { State: not LifecycleStates.Retired } device && device.FieldId == fieldId ? device : null;

    private sealed record Table(FrozenDictionary<string, SimCard> Cards, FrozenDictionary<string, (string Field, string Card)> Links, FrozenDictionary<string, string[]> Devices);
}
