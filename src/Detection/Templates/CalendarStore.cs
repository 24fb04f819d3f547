using System.Collections.Immutable;
using System.Text.Json;
using Dapper;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Detection.Templates;

/// <summary>A field's calendar as people write it.</summary>
/// <param name="Country">"jp" for the national holidays of Japan; null for none.</param>
/// <param name="Holidays">Own days off.</param>
/// <param name="Workdays">Days that are worked although they are national holidays.</param>
internal sealed record CalendarDocument(string? Country, IReadOnlyList<DateOnly>? Holidays, IReadOnlyList<DateOnly>? Workdays)
{
    /// <summary>What holds for a field that sets none: a field in Japan has its holidays.</summary>
    public static readonly CalendarDocument Default = new("jp", [], []);
}

/// <summary>The calendars of the fields (table field_calendar). Any thread.</summary>
internal sealed class CalendarStore(Databases databases, IHistory history, TimeProvider time)
{
    private static readonly Kept Standard = new(CalendarDocument.Default, 0, new FieldCalendar(japan: true, [], []));
    private ImmutableDictionary<string, Kept> _byField = ImmutableDictionary<string, Kept>.Empty;

    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Field, long Revision, string Document)>("SELECT field_id, revision, document FROM field_calendar"), cancellation).ConfigureAwait(false);
        Volatile.Write(ref _byField, rows.ToImmutableDictionary(r => r.Field, r => Build(JsonSerializer.Deserialize<CalendarDocument>(r.Document, JsonSerializerOptions.Web)!, r.Revision)));
    }

    /// <summary>The field's calendar; the same object until it changes.</summary>
    public FieldCalendar Of(string fieldId) => Find(fieldId).Calendar;

    public (CalendarDocument Document, long Revision) Written(string fieldId) => Find(fieldId) is var kept ? (kept.Document, kept.Revision) : default;

    /// <summary>Replaces a field's calendar; it holds from the next stretch on.</summary>
    public async Task<long> SetAsync(string fieldId, CalendarDocument document, string actor, string correlationId)
    {
        var text = JsonSerializer.Serialize(document, JsonSerializerOptions.Web);
        var now = time.GetUtcNow();
        var revision = await databases.State.WriteAsync(async transaction =>
        {
            var next = await transaction.Connection!.QuerySingleAsync<long>(
                """
                INSERT INTO field_calendar (field_id, revision, document, changed_at) VALUES (@fieldId, 1, @text, @at)
                ON CONFLICT (field_id) DO UPDATE SET revision = field_calendar.revision + 1, document = excluded.document, changed_at = excluded.changed_at
                RETURNING revision
                """,
                new { fieldId, text, at = now.ToUnixTimeMilliseconds() },
                transaction).ConfigureAwait(false);
            history.Append(
                new HistoryRecord { At = now, Kind = HistoryKinds.Operator, What = "calendar-set", FieldId = fieldId, Actor = actor, CorrelationId = correlationId, Details = text },
                transaction);
            return next;
        }).ConfigureAwait(false);

        // Two changes may end here in either order: the higher revision stays.
        ImmutableInterlocked.AddOrUpdate(ref _byField, fieldId, Build(document, revision), (_, present) => present.Revision > revision ? present : Build(document, revision));
        return revision;
    }

    private Kept Find(string fieldId) => Volatile.Read(ref _byField).GetValueOrDefault(fieldId) ?? Standard;

    private static Kept Build(CalendarDocument document, long revision) =>
        new(document, revision, new FieldCalendar(document.Country == "jp", document.Holidays ?? [], document.Workdays ?? []));

    private sealed record Kept(CalendarDocument Document, long Revision, FieldCalendar Calendar);
}
