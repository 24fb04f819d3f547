using System.Text.Json;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Incidents;

/// <summary>A row of the table incident, between Dapper and <see cref="Incident"/>.</summary>
internal sealed class IncidentRow
{
    public const string Columns =
        "id AS Id, version AS Version, field_id AS FieldId, state AS State, level AS Level, closed_as AS ClosedAs, assignee AS Assignee, label AS Label, opened_at AS OpenedAt, " +
        "last_at AS LastAt, due_at AS DueAt, closed_at AS ClosedAt, release_asked_at AS ReleaseAskedAt, recovered_at AS RecoveredAt, findings AS Findings, retracted AS Retracted, " +
        "entries AS Entries, document AS Document";

    public string Id { get; set; } = "";

    public long Version { get; set; }

    public string FieldId { get; set; } = "";

    public string State { get; set; } = "";

    public string Level { get; set; } = "";

    public string? ClosedAs { get; set; }

    public string? Assignee { get; set; }

    public string Label { get; set; } = "";

    public long OpenedAt { get; set; }

    public long LastAt { get; set; }

    public long DueAt { get; set; }

    public long? ClosedAt { get; set; }

    public long? ReleaseAskedAt { get; set; }

    public long? RecoveredAt { get; set; }

    public long Findings { get; set; }

    public long Retracted { get; set; }

    public long Entries { get; set; }

    public byte[] Document { get; set; } = [];

    public static IncidentRow Of(Incident incident, ColumnCipher cipher, IncidentKeys keys) => new()
    {
        Id = incident.Id,
        Version = incident.Version,
        FieldId = incident.FieldId ?? "",
        State = incident.State,
        Level = incident.Level,
        ClosedAs = incident.ClosedAs,
        Assignee = incident.Details.Assignee is { } name ? keys.Person(name) : null,
        Label = incident.Label,
        OpenedAt = incident.OpenedAt.ToUnixTimeMilliseconds(),
        LastAt = incident.LastAt.ToUnixTimeMilliseconds(),
        DueAt = incident.DueAt.ToUnixTimeMilliseconds(),
        ClosedAt = incident.ClosedAt?.ToUnixTimeMilliseconds(),
        ReleaseAskedAt = incident.ReleaseAskedAt?.ToUnixTimeMilliseconds(),
        RecoveredAt = incident.RecoveredAt?.ToUnixTimeMilliseconds(),
        Findings = incident.Findings,
        Retracted = incident.Retracted,
        Entries = incident.Entries,
        Document = cipher.Protect(JsonSerializer.Serialize(incident.Details), "incident/" + incident.Id),
    };

    public Incident ToIncident(ColumnCipher cipher) => new()
    {
        Id = Id,
        Version = Version,
        FieldId = FieldId.Length == 0 ? null : FieldId,
        State = State,
        Level = Level,
        ClosedAs = ClosedAs,
        Label = Label,
        OpenedAt = DateTimeOffset.FromUnixTimeMilliseconds(OpenedAt),
        LastAt = DateTimeOffset.FromUnixTimeMilliseconds(LastAt),
        DueAt = DateTimeOffset.FromUnixTimeMilliseconds(DueAt),
        ClosedAt = Time(ClosedAt),
        ReleaseAskedAt = Time(ReleaseAskedAt),
        RecoveredAt = Time(RecoveredAt),
        Findings = Findings,
        Retracted = Retracted,
        Entries = Entries,
        Details = JsonSerializer.Deserialize<IncidentDetails>(cipher.UnprotectText(Document, "incident/" + Id))!,
    };

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
