using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;

namespace Sekisho.Behaviour.Orders;

/// <summary>A device's name on the network, set by a person.</summary>
/// <param name="Mac">As 02:00:00:00:00:01; null when only addresses are known.</param>
/// <param name="Addresses">Fixed addresses; may be empty.</param>
internal sealed record LinkBody(string? Mac, IReadOnlyList<string> Addresses);

/// <summary>Measures, orders, enforcers and links in the store. What identifies devices is sealed. Any thread.</summary>
internal sealed class MeasureStore(Databases databases, Sealed secrets)
{
    private const string Columns =
        "sensor_id AS SensorId, sequence AS Sequence, measure_id AS MeasureId, kind AS Kind, issued_at AS IssuedAt, expires_at AS ExpiresAt, outcome AS Outcome, cause AS Cause, answered_at AS AnsweredAt";

    // Measures stay this long after their end, to be shown.
    private static readonly TimeSpan s_kept = TimeSpan.FromDays(30);

    public Task WriteAsync(Func<DbTransaction, Task> change, CancellationToken cancellation) => databases.State.WriteAsync(change, cancellation);

    /// <summary>Orders a measure, or orders it again.</summary>
    public async Task PutAsync(Measure measure, DbTransaction transaction)
    {
        var connection = transaction.Connection!;
        var (orderedAt, gone) = (Number(measure.OrderedAt), Number(measure.OrderedAt - s_kept));
        await connection.ExecuteAsync("DELETE FROM network_order WHERE measure_id IN (SELECT measure_id FROM network_measure WHERE expires_at < @gone)", new { gone }, transaction);
        await connection.ExecuteAsync("DELETE FROM network_measure WHERE expires_at < @gone", new { gone }, transaction);
        await connection.ExecuteAsync("UPDATE network_order SET outcome = 'lost' WHERE measure_id = @Id AND kind <> 'lift' AND outcome = 'refused'", new { measure.Id }, transaction);
        await connection.ExecuteAsync(
            """
            INSERT INTO network_measure (measure_id, field_id, device_id, ordered_at, expires_at, lifted_at, body) VALUES (@Id, @FieldId, @DeviceId, @orderedAt, @expiresAt, NULL, @body)
            ON CONFLICT (measure_id) DO UPDATE SET ordered_at = excluded.ordered_at, expires_at = excluded.expires_at, lifted_at = NULL, body = excluded.body
            """,
            new { measure.Id, measure.FieldId, measure.DeviceId, orderedAt, expiresAt = Number(measure.ExpiresAt), body = secrets.Protect("measure", measure.Id, JsonSerializer.SerializeToUtf8Bytes(measure.Body)) },
            transaction);
    }

    /// <summary>Ends a measure; nothing for one that is ended already.</summary>
    public static Task<int> LiftAsync(string measureId, DateTimeOffset now, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "UPDATE network_measure SET lifted_at = @now WHERE measure_id = @measureId AND lifted_at IS NULL", new { measureId, now = Number(now) }, transaction);

    public async Task<Measure?> FindAsync(string measureId, CancellationToken cancellation) => (await databases.State.ReadAsync(
        c => c.QueryAsync<MeasureRow>(MeasureRow.Query + " WHERE measure_id = @measureId", new { measureId }), cancellation)).Select(Of).SingleOrDefault();

    /// <summary>Measures of a field that have not ended by time, newest first; with those of the last days as far as asked for.</summary>
    public async Task<IReadOnlyList<Measure>> OfFieldAsync(string fieldId, DateTimeOffset from, CancellationToken cancellation) => [.. (await databases.State.ReadAsync(
        c => c.QueryAsync<MeasureRow>(MeasureRow.Query + " WHERE field_id = @fieldId AND expires_at > @from ORDER BY ordered_at DESC, measure_id", new { fieldId, from = Number(from) }), cancellation)).Select(Of)];

    /// <summary>The newest order of each enforcer about a measure.</summary>
    public async Task<IReadOnlyList<IssuedOrder>> OrdersOfAsync(string measureId, CancellationToken cancellation) => Newest(await databases.State.ReadAsync(
        c => c.QueryAsync<OrderRow>($"SELECT {Columns} FROM network_order WHERE measure_id = @measureId", new { measureId }), cancellation));

    /// <summary>The newest order about each measure that an enforcer was given and that has not ended.</summary>
    public async Task<IReadOnlyList<IssuedOrder>> OrdersForAsync(string sensorId, DateTimeOffset now, CancellationToken cancellation) => Newest(await databases.State.ReadAsync(
        c => c.QueryAsync<OrderRow>($"SELECT {Columns} FROM network_order WHERE sensor_id = @sensorId AND expires_at > @now", new { sensorId, now = Number(now) }), cancellation));

    /// <summary>Adds an order; what the enforcer refused of the measure before is over, so that tries of a week do not pile up.</summary>
    public static Task AddAsync(IssuedOrder order, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        DELETE FROM network_order WHERE sensor_id = @SensorId AND measure_id = @MeasureId AND outcome = 'refused';
        INSERT INTO network_order (sensor_id, sequence, measure_id, kind, issued_at, expires_at, outcome, cause)
        VALUES (@SensorId, @Sequence, @MeasureId, @Kind, @issuedAt, @expiresAt, @Outcome, @Cause)
        """,
        new { order.SensorId, order.Sequence, order.MeasureId, order.Kind, issuedAt = Number(order.IssuedAt), expiresAt = Number(order.ExpiresAt), order.Outcome, order.Cause },
        transaction);

    public static async Task<long> LastAsync(string sensorId, DbTransaction transaction) => await transaction.Connection!.ExecuteScalarAsync<long?>(
        "SELECT MAX(sequence) FROM network_order WHERE sensor_id = @sensorId", new { sensorId }, transaction) ?? 0;

    /// <summary>Notes an answer; false when it changes nothing. What is in force ends only where the enforcer says that it would by now touch somebody whom no order touches.</summary>
    public static async Task<bool> AnswerAsync(string sensorId, long sequence, string outcome, string cause, DateTimeOffset now, DbTransaction transaction) => await transaction.Connection!.ExecuteAsync(
        """
        UPDATE network_order SET outcome = @outcome, cause = @cause, answered_at = @now
        WHERE sensor_id = @sensorId AND sequence = @sequence AND outcome <> @outcome AND (outcome IN ('waiting', 'failed') OR (outcome = 'applied' AND @outcome = 'refused' AND @cause = 'protected'))
        """,
        new { sensorId, sequence, outcome, cause, now = Number(now) }, transaction) > 0;

    /// <summary>Marks what an enforcer cannot have: orders in force above the highest number it knows, orders that wait below it.</summary>
    public static Task LoseAsync(string sensorId, long last, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "UPDATE network_order SET outcome = 'lost' WHERE sensor_id = @sensorId AND ((sequence > @last AND outcome IN ('applied', 'failed')) OR (sequence <= @last AND outcome = 'waiting'))",
        new { sensorId, last }, transaction);

    public static Task AskedAsync(string sensorId, DateTimeOffset now, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "INSERT INTO network_enforcer (sensor_id, asked_at) VALUES (@sensorId, @now) ON CONFLICT (sensor_id) DO UPDATE SET asked_at = excluded.asked_at",
        new { sensorId, now = Number(now) }, transaction);

    /// <summary>Enforcers of a field and when each last asked.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> EnforcersAsync(string fieldId, CancellationToken cancellation) => (await databases.State.ReadAsync(
        c => c.QueryAsync<(string Id, long At)>(
            "SELECT e.sensor_id, e.asked_at FROM network_enforcer e JOIN sensor s ON s.sensor_id = e.sensor_id WHERE s.field_id = @fieldId AND s.state = 'active'", new { fieldId }), cancellation))
        .ToDictionary(r => r.Id, r => Time(r.At), StringComparer.Ordinal);

    public async Task<LinkBody?> LinkAsync(string deviceId, CancellationToken cancellation)
    {
        var body = (await databases.State.ReadAsync(c => c.QueryAsync<byte[]>("SELECT body FROM network_link WHERE device_id = @deviceId", new { deviceId }), cancellation)).SingleOrDefault();
        return body is null ? null : JsonSerializer.Deserialize<LinkBody>(secrets.Read("network-link", deviceId, body));
    }

    public Task PutLinkAsync(string fieldId, string deviceId, LinkBody link, string actor, DateTimeOffset now, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO network_link (device_id, field_id, body, set_by, set_at) VALUES (@deviceId, @fieldId, @body, @actor, @now)
        ON CONFLICT (device_id) DO UPDATE SET field_id = excluded.field_id, body = excluded.body, set_by = excluded.set_by, set_at = excluded.set_at
        """,
        new { deviceId, fieldId, body = secrets.Protect("network-link", deviceId, JsonSerializer.SerializeToUtf8Bytes(link)), actor, now = Number(now) },
        transaction);

    public static Task<int> DropLinkAsync(string deviceId, DbTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM network_link WHERE device_id = @deviceId", new { deviceId }, transaction);

    private static long Number(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static IReadOnlyList<IssuedOrder> Newest(IEnumerable<OrderRow> rows) =>
        [.. rows.GroupBy(r => (r.SensorId, r.MeasureId)).Select(g => g.MaxBy(r => r.Sequence)!).OrderBy(r => r.Sequence)
            .Select(r => new IssuedOrder(r.SensorId, r.Sequence, r.MeasureId, r.Kind, Time(r.IssuedAt), Time(r.ExpiresAt), r.Outcome, r.Cause, r.AnsweredAt is { } at ? Time(at) : null))];

    private Measure Of(MeasureRow r) => new(
        r.Id, r.FieldId, r.DeviceId, Time(r.OrderedAt), Time(r.ExpiresAt), r.LiftedAt is { } at ? Time(at) : null, JsonSerializer.Deserialize<MeasureBody>(secrets.Read("measure", r.Id, r.Body))!);

    private sealed class MeasureRow
    {
        public const string Query = "SELECT measure_id AS Id, field_id AS FieldId, device_id AS DeviceId, ordered_at AS OrderedAt, expires_at AS ExpiresAt, lifted_at AS LiftedAt, body AS Body FROM network_measure";

        public required string Id { get; init; }

        public required string FieldId { get; init; }

        public required string DeviceId { get; init; }

        public required long OrderedAt { get; init; }

        public required long ExpiresAt { get; init; }

        public long? LiftedAt { get; init; }

        public required byte[] Body { get; init; }
    }

    private sealed class OrderRow
    {
        public required string SensorId { get; init; }

        public required long Sequence { get; init; }

        public required string MeasureId { get; init; }

        public required string Kind { get; init; }

        public required long IssuedAt { get; init; }

        public required long ExpiresAt { get; init; }

        public required string Outcome { get; init; }

        public required string Cause { get; init; }

        public long? AnsweredAt { get; init; }
    }
}
