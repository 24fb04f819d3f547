using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Changes;

/// <summary>What people are told of incidents: opened, opened again, risen, handed over, closed, late. Pure.</summary>
internal static class IncidentNews
{
    public const string Opened = "opened";
    public const string Reopened = "reopened";
    public const string Rose = "rose";
    public const string HandedOver = "handed-over";
    public const string Closed = "closed";
    public const string Late = "late";

    /// <summary>All of them; each has texts incident.news.NAME and incident.news.line.NAME.</summary>
    public static readonly IReadOnlyList<string> All = [Opened, Reopened, Rose, HandedOver, Closed, Late];

    /// <summary>What people are to be told of a record; null for nothing.</summary>
    public static NewsItem? Of(PlacedRecord placed)
    {
        var record = placed.Record;
        if (record is not { Kind: HistoryKinds.Response, What: "incident", Subject: { } incident, Details: not null })
        {
            return null;
        }

        using var details = JsonDocument.Parse(record.Details);
        if (!details.RootElement.TryGetProperty("values", out var values))
        {
            // The deletion of an old one.
            return null;
        }

        var level = Text(details.RootElement, "level");
        var person = Text(values, "assignee");
        var isHigh = level.Length > 0 && Levels.Rank(level) >= Levels.Rank(Levels.Important);
        var what = Text(details.RootElement, "change") switch
        {
            EntryKinds.Opened when isHigh => Opened,
            EntryKinds.Reopened or EntryKinds.ReopenedBy when isHigh => Reopened,
            EntryKinds.LevelRose when isHigh => Rose,
            EntryKinds.Level when isHigh && Levels.Rank(level) > Levels.Rank(Text(values, "before")) => Rose,
            EntryKinds.HandOver or EntryKinds.Assigned when person.Length > 0 => HandedOver,
            EntryKinds.Closed or EntryKinds.ClosedByFindings or EntryKinds.ClosedRetracted when isHigh => Closed,
            _ => null,
        };
        return what is null ? null : Item(placed.Position, record.FieldId, incident, what, level, record.At, record.Actor, record.CorrelationId, person);
    }

    /// <summary>An incident whose time has passed.</summary>
    public static NewsItem Of(LateIncident late) => Item(0, late.FieldId, late.Id, Late, late.Level, late.DueAt, "gateway", "", "");

    private static NewsItem Item(long position, string? fieldId, string incident, string what, string level, DateTimeOffset at, string actor, string correlationId, string person) => new(
        position, NewsStreams.Incidents, fieldId, what, level, correlationId,
        new NoticeLine(at, "incident.news.line." + what, new Dictionary<string, string> { ["incident"] = incident, ["actor"] = actor, ["person"] = person })
        {
            Texts = new Dictionary<string, string> { ["level"] = "response.level." + level },
        })
    {
        IncidentId = incident,
        Person = person.Length == 0 ? null : person,
    };

    private static string Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}

/// <summary>An incident that is not closed and past its time.</summary>
internal sealed record LateIncident(string Id, string? FieldId, string Level, DateTimeOffset DueAt);
