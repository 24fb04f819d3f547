using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Sekisho.Behaviour.Sensors;

/// <summary>Sensors and their certificates in memory, as the store has them. Any thread.</summary>
internal sealed class SensorBook(SensorStore store)
{
    private readonly ConcurrentDictionary<string, SensorEntry> _sensors = new();
    private readonly ConcurrentDictionary<string, KnownCertificate> _certificates = new();

    public IReadOnlyCollection<SensorEntry> All => (IReadOnlyCollection<SensorEntry>)_sensors.Values;

    public SensorEntry? Find(string fieldId, string sensorId) => _sensors.GetValueOrDefault(sensorId) is { } entry && entry.Sensor.FieldId == fieldId ? entry : null;

    public IReadOnlyList<SensorEntry> Of(string fieldId) => [.. _sensors.Values.Where(e => e.Sensor.FieldId == fieldId).OrderBy(e => e.Sensor.CreatedAt).ThenBy(e => e.Sensor.Id, StringComparer.Ordinal)];

    /// <summary>Whose a certificate is, by its SHA-256: only those that were issued here are known.</summary>
    public KnownCertificate? Certificate(byte[] hash) => _certificates.GetValueOrDefault(Convert.ToHexString(hash));

    /// <summary>Until when the newest certificate of a sensor is valid; null when it has none.</summary>
    public DateTimeOffset? CertifiedUntil(SensorEntry entry) => _certificates.Values.Where(c => c.Entry == entry).Select(c => (DateTimeOffset?)c.NotAfter).Max();

    /// <summary>The sensor that a code was made for; null when there is none.</summary>
    public SensorEntry? ByCode(byte[] codeHash) => _sensors.Values.FirstOrDefault(e => e.Sensor.CodeHash is { } own && CryptographicOperations.FixedTimeEquals(own, codeHash));

    public async Task LoadAsync(CancellationToken cancellation)
    {
        foreach (var sensor in await store.LoadAsync(cancellation))
        {
            _sensors[sensor.Id] = new SensorEntry(sensor);
        }

        foreach (var (hash, sensorId, issuedAt, notAfter) in await store.CertificatesAsync(cancellation))
        {
            Put(hash, new KnownCertificate(_sensors[sensorId], issuedAt, notAfter));
        }
    }

    public void Put(SensorEntry entry) => _sensors[entry.Sensor.Id] = entry;

    public void Put(byte[] hash, KnownCertificate certificate) => _certificates[Convert.ToHexString(hash)] = certificate;

    /// <summary>Forgets the certificates of a sensor except one (or none).</summary>
    public void DropCertificates(SensorEntry entry, byte[] except)
    {
        var kept = Convert.ToHexString(except);
        foreach (var (hash, certificate) in _certificates)
        {
            if (certificate.Entry == entry && hash != kept)
            {
                _certificates.TryRemove(hash, out _);
            }
        }
    }

    public void Remove(SensorEntry entry)
    {
        _sensors.TryRemove(entry.Sensor.Id, out _);
        DropCertificates(entry, []);
    }
}
