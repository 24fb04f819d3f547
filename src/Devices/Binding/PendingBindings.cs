using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Sekisho.Storage;

namespace Sekisho.Devices.Binding;

/// <summary>At most one waiting sender per device, in the store and in memory. Reading: any thread; changes come in the device's turn.</summary>
internal sealed class PendingBindings(Databases databases, PersonalData personal)
{
    private readonly ConcurrentDictionary<string, PendingBinding> _byDevice = new();

    public PendingBinding? Of(string deviceId) => _byDevice.GetValueOrDefault(deviceId);

    public PendingBinding? Find(string fieldId, string bindingId) => _byDevice.Values.FirstOrDefault(b => b.BindingId == bindingId && b.FieldId == fieldId);

    public IReadOnlyList<PendingBinding> In(string fieldId) => [.. _byDevice.Values.Where(b => b.FieldId == fieldId).OrderBy(b => b.OpenedAt).ThenBy(b => b.BindingId, StringComparer.Ordinal)];

    public async Task<IReadOnlyList<PendingBinding>> LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT p.binding_id AS BindingId, p.device_id AS DeviceId, d.field_id AS FieldId, p.source AS Source, p.opened_at AS OpenedAt,
                   p.confirmed_at AS ConfirmedAt, p.refused_at AS RefusedAt, p.accepted_at AS AcceptedAt
            FROM pending_binding p JOIN device d ON d.device_id = p.device_id
            """), cancellation);
        foreach (var r in rows)
        {
            _byDevice[r.DeviceId] = new PendingBinding(r.BindingId, r.DeviceId, r.FieldId, personal.Read("binding-source", r.BindingId, r.Source), Time(r.OpenedAt)!.Value)
            {
                ConfirmedAt = Time(r.ConfirmedAt),
                RefusedAt = Time(r.RefusedAt),
                AcceptedAt = Time(r.AcceptedAt),
            };
        }

        return [.. _byDevice.Values];
    }

    public Task SaveAsync(PendingBinding binding, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO pending_binding (device_id, binding_id, source, opened_at, confirmed_at, refused_at, accepted_at)
        VALUES (@DeviceId, @BindingId, @source, @openedAt, @confirmedAt, @refusedAt, @acceptedAt)
        ON CONFLICT (device_id) DO UPDATE SET binding_id = excluded.binding_id, source = excluded.source, opened_at = excluded.opened_at,
            confirmed_at = excluded.confirmed_at, refused_at = excluded.refused_at, accepted_at = excluded.accepted_at
        """,
        new
        {
            binding.DeviceId,
            binding.BindingId,
            source = personal.Protect("binding-source", binding.BindingId, binding.Source),
            openedAt = binding.OpenedAt.ToUnixTimeMilliseconds(),
            confirmedAt = binding.ConfirmedAt?.ToUnixTimeMilliseconds(),
            refusedAt = binding.RefusedAt?.ToUnixTimeMilliseconds(),
            acceptedAt = binding.AcceptedAt?.ToUnixTimeMilliseconds(),
        },
        transaction);

    public static Task DeleteAsync(string deviceId, DbTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM pending_binding WHERE device_id = @deviceId", new { deviceId }, transaction);

    /// <summary>Remembers what was committed.</summary>
    public void Put(PendingBinding binding) => _byDevice[binding.DeviceId] = binding;

    /// <summary>Forgets what was deleted.</summary>
    public void Remove(string deviceId) => _byDevice.TryRemove(deviceId, out _);

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    private sealed class Row
    {
        public required string BindingId { get; init; }

        public required string DeviceId { get; init; }

        public required string FieldId { get; init; }

        public required byte[] Source { get; init; }

        public required long OpenedAt { get; init; }

        public required long? ConfirmedAt { get; init; }

        public required long? RefusedAt { get; init; }

        public required long? AcceptedAt { get; init; }
    }
}
