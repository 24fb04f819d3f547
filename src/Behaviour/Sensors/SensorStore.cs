using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Storage;

namespace Sekisho.Behaviour.Sensors;

/// <summary>Sensors and their certificates in the store. Any thread.</summary>
internal sealed class SensorStore(Databases databases, Sealed secrets)
{
    public Task WriteAsync(Func<DbTransaction, Task> change, CancellationToken cancellation) => databases.State.WriteAsync(change, cancellation);

    public async Task<IReadOnlyList<Sensor>> LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT sensor_id AS SensorId, field_id AS FieldId, name AS Name, state AS State, created_by AS CreatedBy, created_at AS CreatedAt, code_hash AS CodeHash,
                   code_expires_at AS CodeExpiresAt, last_sequence AS LastSequence, last_seen AS LastSeen, missed AS Missed, status AS Status
            FROM sensor
            """), cancellation);
        return [.. rows.Select(r => new Sensor
        {
            Id = r.SensorId,
            FieldId = r.FieldId,
            Name = secrets.ReadText("name", r.SensorId, r.Name),
            State = r.State,
            CreatedBy = r.CreatedBy,
            CreatedAt = Time(r.CreatedAt),
            CodeHash = r.CodeHash,
            CodeExpiresAt = r.CodeExpiresAt is { } expires ? Time(expires) : null,
            LastSequence = r.LastSequence,
            LastSeen = r.LastSeen is { } seen ? Time(seen) : null,
            Missed = r.Missed,
            Status = r.Status is null ? null : JsonSerializer.Deserialize<SensorStatus>(secrets.Read("status", r.SensorId, r.Status)),
        })];
    }

    public async Task<IReadOnlyList<(byte[] Hash, string SensorId, DateTimeOffset IssuedAt, DateTimeOffset NotAfter)>> CertificatesAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<CertificateRow>(
            "SELECT certificate_hash AS Hash, sensor_id AS SensorId, issued_at AS IssuedAt, not_after AS NotAfter FROM sensor_certificate"), cancellation);
        return [.. rows.Select(r => (r.Hash, r.SensorId, Time(r.IssuedAt), Time(r.NotAfter)))];
    }

    /// <summary>Writes a sensor as it is now, new or changed.</summary>
    public Task PutAsync(Sensor sensor, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO sensor (sensor_id, field_id, name, state, created_by, created_at, code_hash, code_expires_at, last_sequence, last_seen, missed, status)
        VALUES (@Id, @FieldId, @name, @State, @CreatedBy, @createdAt, @CodeHash, @codeExpiresAt, @LastSequence, @lastSeen, @Missed, @status)
        ON CONFLICT (sensor_id) DO UPDATE SET
            name = excluded.name, state = excluded.state, code_hash = excluded.code_hash, code_expires_at = excluded.code_expires_at,
            last_sequence = excluded.last_sequence, last_seen = excluded.last_seen, missed = excluded.missed, status = excluded.status
        """,
        new
        {
            sensor.Id,
            sensor.FieldId,
            name = secrets.Protect("name", sensor.Id, sensor.Name),
            sensor.State,
            sensor.CreatedBy,
            createdAt = sensor.CreatedAt.ToUnixTimeMilliseconds(),
            sensor.CodeHash,
            codeExpiresAt = sensor.CodeExpiresAt?.ToUnixTimeMilliseconds(),
            sensor.LastSequence,
            lastSeen = sensor.LastSeen?.ToUnixTimeMilliseconds(),
            sensor.Missed,
            status = sensor.Status is null ? null : secrets.Protect("status", sensor.Id, JsonSerializer.SerializeToUtf8Bytes(sensor.Status)),
        },
        transaction);

    public static Task DeleteAsync(string sensorId, DbTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM sensor WHERE sensor_id = @sensorId", new { sensorId }, transaction);

    public static Task AddCertificateAsync(string sensorId, byte[] hash, DateTimeOffset issuedAt, DateTimeOffset notAfter, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "INSERT INTO sensor_certificate (certificate_hash, sensor_id, issued_at, not_after) VALUES (@hash, @sensorId, @issuedAt, @notAfter)",
        new { hash, sensorId, issuedAt = issuedAt.ToUnixTimeMilliseconds(), notAfter = notAfter.ToUnixTimeMilliseconds() },
        transaction);

    /// <summary>Drops the certificates of a sensor except one (or none).</summary>
    public static Task DropCertificatesAsync(string sensorId, byte[] except, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        "DELETE FROM sensor_certificate WHERE sensor_id = @sensorId AND certificate_hash <> @except", new { sensorId, except }, transaction);

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed class Row
    {
        public required string SensorId { get; init; }

        public required string FieldId { get; init; }

        public required byte[] Name { get; init; }

        public required string State { get; init; }

        public required string CreatedBy { get; init; }

        public required long CreatedAt { get; init; }

        public byte[]? CodeHash { get; init; }

        public long? CodeExpiresAt { get; init; }

        public required long LastSequence { get; init; }

        public long? LastSeen { get; init; }

        public required long Missed { get; init; }

        public byte[]? Status { get; init; }
    }

    private sealed class CertificateRow
    {
        public required byte[] Hash { get; init; }

        public required string SensorId { get; init; }

        public required long IssuedAt { get; init; }

        public required long NotAfter { get; init; }
    }
}
