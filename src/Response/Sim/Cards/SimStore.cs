using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Sim.Cards;

/// <summary>The tables sim_provider, sim_card, sim_link and sim_order. What names a SIM, and all credentials, are encrypted. Any thread.</summary>
internal sealed class SimStore(Databases databases, MasterKey key, TimeProvider clock) : IDisposable
{
    private readonly Database _database = databases.State;
    private readonly ColumnCipher _cipher = new(key, "response-sim");
    private readonly KeyedHash _hash = new(key, "response-sim-finger");

    public Task<IReadOnlyList<SimConfig>> ConfigsAsync(CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<SimConfig>)[.. (await c.QueryAsync<(string Field, byte[] Document)>("SELECT field_id, document FROM sim_provider ORDER BY field_id"))
            .Select(r => JsonSerializer.Deserialize<SimConfig>(_cipher.UnprotectText(r.Document, "provider/" + r.Field))!)],
        cancellation);

    /// <summary>Replaces how a field reaches its carrier, if it still is as the caller saw it.</summary>
    /// <returns>False when somebody was faster.</returns>
    public Task<bool> SaveConfigAsync(SimConfig config, long seen, CancellationToken cancellation) => _database.WriteAsync(
        async t =>
        {
            var values = new
            {
                field = config.FieldId,
                seen,
                document = _cipher.Protect(JsonSerializer.Serialize(config), "provider/" + config.FieldId),
                version = config.Version,
            };
            return await t.Connection!.ExecuteAsync(
                seen == 0
                    ? "INSERT INTO sim_provider (field_id, document, changed_at) VALUES (@field, @document, @version) ON CONFLICT (field_id) DO NOTHING"
                    : "UPDATE sim_provider SET document = @document, changed_at = @version WHERE field_id = @field AND changed_at = @seen",
                values,
                t) == 1;
        },
        cancellation);

    public Task DeleteConfigAsync(string fieldId, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync("DELETE FROM sim_provider WHERE field_id = @fieldId", new { fieldId }, t), cancellation);

    /// <summary>SIMs of a field that responses keep off, or are about to.</summary>
    public Task<IReadOnlyList<string>> InForceOfFieldAsync(string fieldId, CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<string>)(await c.QueryAsync<string>(
            "SELECT DISTINCT o.card_id FROM sim_order o JOIN lease l ON l.id = o.lease_id WHERE l.field_id = @fieldId AND l.state IN ('due', 'running', 'done') ORDER BY o.card_id", new { fieldId })).AsList(),
        cancellation);

    public Task<IReadOnlyList<SimCard>> CardsAsync(CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<SimCard>)[.. (await c.QueryAsync<(string Id, string Field, byte[] Names, long? Told)>("SELECT id, field_id, names, told_until FROM sim_card")).Select(
            r => new SimCard(r.Id, r.Field, JsonSerializer.Deserialize<CardNames>(_cipher.UnprotectText(r.Names, "card/" + r.Id))!, r.Told is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null))],
        cancellation);

    public Task<IReadOnlyList<(string Device, string Field, string Card)>> LinksAsync(CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<(string, string, string)>)(await c.QueryAsync<(string, string, string)>("SELECT device_id, field_id, card_id FROM sim_link")).AsList(), cancellation);

    /// <summary>Links a device to a SIM; a link that it had is replaced.</summary>
    /// <returns>Null when the SIM belongs to another field.</returns>
    public Task<SimCard?> LinkAsync(string deviceId, string fieldId, string carrier, CardNames names, CancellationToken cancellation)
    {
        var finger = _hash.Of(carrier + "\n" + names.SimId);
        return _database.WriteAsync(
            async t =>
            {
                var connection = t.Connection!;
                var id = IdOf(finger);
                await connection.ExecuteAsync(
                    "INSERT INTO sim_card (id, field_id, finger, names) VALUES (@id, @fieldId, @finger, @names) ON CONFLICT (finger) DO NOTHING",
                    new { id, fieldId, finger, names = _cipher.Protect(JsonSerializer.Serialize(names), "card/" + id) },
                    t);
                if (await connection.ExecuteScalarAsync<string>("SELECT field_id FROM sim_card WHERE id = @id", new { id }, t) != fieldId)
                {
                    return null;
                }

                var before = await connection.ExecuteScalarAsync<string?>("SELECT card_id FROM sim_link WHERE device_id = @deviceId", new { deviceId }, t);
                await connection.ExecuteAsync(
                    "INSERT INTO sim_link (device_id, field_id, card_id) VALUES (@deviceId, @fieldId, @id) ON CONFLICT (device_id) DO UPDATE SET field_id = excluded.field_id, card_id = excluded.card_id",
                    new { deviceId, fieldId, id },
                    t);
                await DropUnusedAsync(before, t);
                return (SimCard?)new SimCard(id, fieldId, names, null);
            },
            cancellation);
    }

    public Task UnlinkAsync(string deviceId, CancellationToken cancellation) => _database.WriteAsync(
        async t =>
        {
            var card = await t.Connection!.ExecuteScalarAsync<string?>("SELECT card_id FROM sim_link WHERE device_id = @deviceId", new { deviceId }, t);
            await t.Connection!.ExecuteAsync("DELETE FROM sim_link WHERE device_id = @deviceId", new { deviceId }, t);
            await DropUnusedAsync(card, t);
        },
        cancellation);

    public Task ToldAsync(string cardId, DateTimeOffset until, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync("UPDATE sim_card SET told_until = @until WHERE id = @cardId", new { cardId, until = until.ToUnixTimeMilliseconds() }, t), cancellation);

    public Task<SimOrder?> OrderAsync(string leaseId, CancellationToken cancellation) => _database.ReadAsync(
        async c => (await c.QueryAsync<OrderRow>(OrderRow.Select + " WHERE o.lease_id = @leaseId", new { leaseId })).SingleOrDefault()?.ToOrder(), cancellation);

    /// <summary>What other leases want of a SIM that is off because of responses, the oldest first. With <paramref name="leaving"/> also those whose undo is not done yet: the SIM is theirs until then.</summary>
    public Task<IReadOnlyList<SimOrder>> OthersAsync(string cardId, string exceptLease, bool leaving, CancellationToken cancellation) => _database.ReadAsync(
        async c => (IReadOnlyList<SimOrder>)[.. (await c.QueryAsync<OrderRow>(
            $"{OrderRow.Select} JOIN lease l ON l.id = o.lease_id WHERE o.card_id = @cardId AND o.lease_id <> @exceptLease AND o.owned = 1 AND l.state IN ('due', 'running', 'done')" +
            $"{(leaving ? "" : " AND l.undo_asked_at IS NULL")} ORDER BY o.asked_at, o.lease_id",
            new { cardId, exceptLease })).Select(r => r.ToOrder())],
        cancellation);

    /// <summary>Notes an order before it goes out.</summary>
    public Task AddOrderAsync(SimOrder order, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "INSERT INTO sim_order (lease_id, card_id, before_state, wanted, owned, asked_at) VALUES (@LeaseId, @CardId, @Before, @Wanted, @owned, @at) ON CONFLICT (lease_id) DO NOTHING",
            new { order.LeaseId, order.CardId, order.Before, order.Wanted, owned = order.Owned ? 1L : 0L, at = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            t),
        cancellation);

    /// <summary>The order is over; a SIM that nobody is linked to any more is forgotten with it.</summary>
    public Task EndOrderAsync(SimOrder order, CancellationToken cancellation) => _database.WriteAsync(
        async t =>
        {
            await t.Connection!.ExecuteAsync("DELETE FROM sim_order WHERE lease_id = @LeaseId", new { order.LeaseId }, t);
            await DropUnusedAsync(order.CardId, t);
        },
        cancellation);

    public void Dispose() => _cipher.Dispose();

    private static async Task DropUnusedAsync(string? cardId, DbTransaction transaction)
    {
        if (cardId is not null)
        {
            await transaction.Connection!.ExecuteAsync(
                "DELETE FROM sim_card WHERE id = @cardId AND NOT EXISTS (SELECT 1 FROM sim_link k WHERE k.card_id = @cardId) AND NOT EXISTS (SELECT 1 FROM sim_order o WHERE o.card_id = @cardId)",
                new { cardId },
                transaction);
        }
    }

    private static string IdOf(byte[] finger)
    {
        const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
        return "s" + string.Concat(finger.Take(15).Select(b => Alphabet[b % Alphabet.Length]));
    }

    private sealed class OrderRow
    {
        public const string Select = "SELECT o.lease_id AS LeaseId, o.card_id AS CardId, o.before_state AS Before, o.wanted AS Wanted, o.owned AS Owned FROM sim_order o";

        public string LeaseId { get; set; } = "";

        public string CardId { get; set; } = "";

        public string Before { get; set; } = "";

        public string Wanted { get; set; } = "";

        public long Owned { get; set; }

        public SimOrder ToOrder() => new(LeaseId, CardId, Before, Wanted, Owned != 0);
    }
}
