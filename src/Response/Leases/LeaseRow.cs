using System.Text.Json;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Leases;

/// <summary>A row of the table lease, between Dapper and <see cref="Lease"/>.</summary>
internal sealed class LeaseRow
{
    public const string Columns =
        "id AS Id, version AS Version, finding_id AS FindingId, field_id AS FieldId, device_id AS DeviceId, action AS Action, target AS Target, " +
        "state AS State, risk AS Risk, level AS Level, condition AS Condition, approval AS Approval, created_at AS CreatedAt, started_at AS StartedAt, " +
        "ended_at AS EndedAt, expires_at AS ExpiresAt, attempts AS Attempts, next_try_at AS NextTryAt, undo_asked_at AS UndoAskedAt, holds AS Holds, " +
        "held AS Held, group_key AS GroupKey, claimed_by AS ClaimedBy, correlation_id AS CorrelationId, details AS Details";

    public string Id { get; set; } = "";

    public long Version { get; set; }

    public string? FindingId { get; set; }

    public string FieldId { get; set; } = "";

    public string? DeviceId { get; set; }

    public string Action { get; set; } = "";

    public string Target { get; set; } = "";

    public string State { get; set; } = "";

    public string Risk { get; set; } = "";

    public string Level { get; set; } = "";

    public string Condition { get; set; } = "";

    public string Approval { get; set; } = "";

    public long CreatedAt { get; set; }

    public long? StartedAt { get; set; }

    public long? EndedAt { get; set; }

    public long? ExpiresAt { get; set; }

    public long Attempts { get; set; }

    public long? NextTryAt { get; set; }

    public long? UndoAskedAt { get; set; }

    public long Holds { get; set; }

    public long Held { get; set; }

    public string? GroupKey { get; set; }

    public string? ClaimedBy { get; set; }

    public string CorrelationId { get; set; } = "";

    public byte[] Details { get; set; } = [];

    public static LeaseRow Of(Lease lease, ColumnCipher cipher) => new()
    {
        Id = lease.Id,
        Version = lease.Version,
        FindingId = lease.FindingId,
        FieldId = lease.FieldId ?? "",
        DeviceId = lease.DeviceId,
        Action = lease.Action,
        Target = lease.Target,
        State = lease.State,
        Risk = lease.Risk,
        Level = lease.Level,
        Condition = lease.Condition,
        Approval = lease.Approval,
        CreatedAt = lease.CreatedAt.ToUnixTimeMilliseconds(),
        StartedAt = lease.StartedAt?.ToUnixTimeMilliseconds(),
        EndedAt = lease.EndedAt?.ToUnixTimeMilliseconds(),
        ExpiresAt = lease.ExpiresAt?.ToUnixTimeMilliseconds(),
        Attempts = lease.Attempts,
        NextTryAt = lease.NextTryAt?.ToUnixTimeMilliseconds(),
        UndoAskedAt = lease.UndoAskedAt?.ToUnixTimeMilliseconds(),
        Holds = lease.Holds ? 1 : 0,
        Held = lease.Held ? 1 : 0,
        GroupKey = lease.GroupKey,
        ClaimedBy = lease.ClaimedBy,
        CorrelationId = lease.CorrelationId,
        Details = cipher.Protect(JsonSerializer.Serialize(lease.Details), "lease/" + lease.Id),
    };

    public Lease ToLease(ColumnCipher cipher) => new()
    {
        Id = Id,
        Version = Version,
        FindingId = FindingId,
        FieldId = FieldId.Length == 0 ? null : FieldId,
        DeviceId = DeviceId,
        Action = Action,
        Target = Target,
        State = State,
        Risk = Risk,
        Level = Level,
        Condition = Condition,
        Approval = Approval,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        StartedAt = Time(StartedAt),
        EndedAt = Time(EndedAt),
        ExpiresAt = Time(ExpiresAt),
        Attempts = (int)Attempts,
        NextTryAt = Time(NextTryAt),
        UndoAskedAt = Time(UndoAskedAt),
        Holds = Holds != 0,
        Held = Held != 0,
        GroupKey = GroupKey,
        ClaimedBy = ClaimedBy,
        CorrelationId = CorrelationId,
        Details = JsonSerializer.Deserialize<LeaseDetails>(cipher.UnprotectText(Details, "lease/" + Id))!,
    };

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
