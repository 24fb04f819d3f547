using System.Data.Common;
using Dapper;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Devices.Registry;

/// <summary>Devices on disk. Any thread.</summary>
internal sealed class DeviceStore(Databases databases, PersonalData personal)
{
    public Database Database => databases.State;

    /// <summary>Inserts a device without parent and user: those may be devices of the same transaction and follow by <see cref="UpdateAsync"/>.</summary>
    public Task InsertAsync(DeviceEntry entry, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO device (device_id, field_id, name, kind, unique_id_type, unique_id, unique_id_hash, cadence, interval_ms, common_auth_id, secret_hash, line_id,
                            epoch, bound, state, state_reason, state_actor, state_at, supersedes, superseded_by, created_at)
        VALUES (@DeviceId, @FieldId, @Name, @Kind, @UniqueIdType, @UniqueId, @UniqueIdHash, @Cadence, @IntervalMs, @CommonAuthId, @SecretHash, @LineId,
                @Epoch, @Bound, @State, @StateReason, @StateActor, @StateAt, @Supersedes, @SupersededBy, @CreatedAt)
        """,
        ToRow(entry),
        transaction);

    /// <summary>Writes everything that can change.</summary>
    public Task UpdateAsync(DeviceEntry entry, DbTransaction transaction) => transaction.Connection!.ExecuteAsync(
        """
        UPDATE device SET name = @Name, kind = @Kind, cadence = @Cadence, interval_ms = @IntervalMs, parent_id = @ParentId, user_id = @UserId,
                          common_auth_id = @CommonAuthId, secret_hash = @SecretHash, new_secret_hash = @NewSecretHash, line_id = @LineId, epoch = @Epoch, bound = @Bound,
                          state = @State, state_reason = @StateReason, state_actor = @StateActor, state_at = @StateAt, superseded_by = @SupersededBy
        WHERE device_id = @DeviceId
        """,
        ToRow(entry),
        transaction);

    public static Task DeleteAsync(string deviceId, DbTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM device WHERE device_id = @deviceId", new { deviceId }, transaction);

    public async Task<IEnumerable<DeviceEntry>> LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT device_id AS DeviceId, field_id AS FieldId, name AS Name, kind AS Kind, unique_id_type AS UniqueIdType, unique_id AS UniqueId,
                   unique_id_hash AS UniqueIdHash, cadence AS Cadence, interval_ms AS IntervalMs, parent_id AS ParentId, user_id AS UserId,
                   common_auth_id AS CommonAuthId, secret_hash AS SecretHash, new_secret_hash AS NewSecretHash, line_id AS LineId, epoch AS Epoch, bound AS Bound, state AS State,
                   state_reason AS StateReason, state_actor AS StateActor, state_at AS StateAt, supersedes AS Supersedes, superseded_by AS SupersededBy,
                   created_at AS CreatedAt,
                   (SELECT MIN(before_at) FROM secret_order o WHERE o.device_id = device.device_id AND o.renewed_at IS NULL) AS RenewBefore
            FROM device
            """), cancellation);
        return rows.Select(ToEntry);
    }

    private Row ToRow(DeviceEntry e) => new()
    {
        DeviceId = e.Id,
        FieldId = e.Profile.FieldId,
        Name = personal.Protect("name", e.Id, e.Profile.Name),
        Kind = e.Profile.Kind,
        UniqueIdType = e.Profile.UniqueIdType,
        UniqueId = e.UniqueId,
        UniqueIdHash = e.UniqueIdHash.ToArray(),
        Cadence = e.Profile.Cadence,
        IntervalMs = (long?)e.Profile.Interval?.TotalMilliseconds,
        ParentId = e.Profile.ParentId,
        UserId = e.Profile.UserId,
        CommonAuthId = e.CommonAuthId,
        SecretHash = e.SecretHash?.ToArray(),
        NewSecretHash = e.NewSecretHash?.ToArray(),
        LineId = e.LineId,
        Epoch = e.Epoch,
        Bound = e.Bound ? 1 : 0,
        State = e.State,
        StateReason = e.StateReason,
        StateActor = e.StateActor,
        StateAt = e.StateAt.ToUnixTimeMilliseconds(),
        Supersedes = e.Supersedes,
        SupersededBy = e.SupersededBy,
        CreatedAt = e.CreatedAt.ToUnixTimeMilliseconds(),
    };

    private DeviceEntry ToEntry(Row r)
    {
        var profile = new DeviceProfile
        {
            DeviceId = r.DeviceId,
            FieldId = string.Intern(r.FieldId),
            Name = personal.Read("name", r.DeviceId, r.Name),
            Kind = string.Intern(r.Kind),
            UniqueIdType = string.Intern(r.UniqueIdType),
            Cadence = string.Intern(r.Cadence),
            Interval = r.IntervalMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            State = string.Intern(r.State),
            Assurance = r.LineId is null ? Assurances.Device : Assurances.ProductLine,
            ParentId = r.ParentId,
            UserId = r.UserId,
        };
        return new DeviceEntry
        {
            Profile = profile,
            UniqueId = r.UniqueId,
            UniqueIdHash = HashKey.From(r.UniqueIdHash),
            CommonAuthId = r.CommonAuthId,
            SecretHash = r.SecretHash is null ? null : HashKey.From(r.SecretHash),
            NewSecretHash = r.NewSecretHash is null ? null : HashKey.From(r.NewSecretHash),
            RenewBefore = r.RenewBefore is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            LineId = r.LineId,
            Epoch = (int)r.Epoch,
            Bound = r.Bound == 1,
            StateReason = r.StateReason,
            StateActor = string.Intern(r.StateActor),
            StateAt = DateTimeOffset.FromUnixTimeMilliseconds(r.StateAt),
            Supersedes = r.Supersedes,
            SupersededBy = r.SupersededBy,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(r.CreatedAt),
            SearchText = DeviceEntry.FoldedText(profile),
            Holder = new TokenHolder(r.DeviceId, profile.FieldId),
        };
    }

    private sealed class Row
    {
        public required string DeviceId { get; init; }

        public required string FieldId { get; init; }

        public required byte[] Name { get; init; }

        public required string Kind { get; init; }

        public required string UniqueIdType { get; init; }

        public required byte[] UniqueId { get; init; }

        public required byte[] UniqueIdHash { get; init; }

        public required string Cadence { get; init; }

        public required long? IntervalMs { get; init; }

        public required string? ParentId { get; init; }

        public required string? UserId { get; init; }

        public required string? CommonAuthId { get; init; }

        public required byte[]? SecretHash { get; init; }

        public byte[]? NewSecretHash { get; init; }

        public long? RenewBefore { get; init; }

        public required string? LineId { get; init; }

        public required long Epoch { get; init; }

        public required long Bound { get; init; }

        public required string State { get; init; }

        public required byte[] StateReason { get; init; }

        public required string StateActor { get; init; }

        public required long StateAt { get; init; }

        public required string? Supersedes { get; init; }

        public required string? SupersededBy { get; init; }

        public required long CreatedAt { get; init; }
    }
}

/// <summary>Stable names of how sure the gateway can be of a device.</summary>
internal static class Assurances
{
    public const string Device = "device";
    public const string ProductLine = "product-line";
}
