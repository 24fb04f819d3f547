using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Templates;

/// <summary>Reads and replaces a field's calendar.</summary>
internal static class CalendarRoutes
{
    private const int MostDays = 1000;

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/calendar", (string fieldId, CalendarStore calendars) => TypedResults.Ok(Shown(fieldId, calendars)))
            .WithName("GetCalendar").WithSummary("The field's holidays: those of a country, own ones, and days that are worked all the same.").WithTags("Detection")
            .Produces<CalendarView>().Reads("templates");
        routes.Field.MapPut("/calendar", SetAsync)
            .WithName("SetCalendar").WithSummary("Replaces the field's holidays; schedules follow without a restart.").WithTags("Detection")
            .Produces<CalendarView>().ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("templates", "calendar.set");
    }

    private static async Task<IResult> SetAsync(string fieldId, CalendarDocument document, CalendarStore calendars, Texts texts, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        if (document.Country is not (null or "jp"))
        {
            faults.Add(new Fault("/country", texts.Get("detection.fault.one-of", language, ("allowed", "jp"))));
        }

        foreach (var (place, days) in new[] { ("/holidays", document.Holidays), ("/workdays", document.Workdays) })
        {
            if (days?.Count > MostDays)
            {
                faults.Add(new Fault(place, texts.Get("detection.fault.count", language, ("most", MostDays.ToString(CultureInfo.InvariantCulture)))));
            }
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        await calendars.SetAsync(fieldId, document, context.User.NameOf(), Correlation.Of(context)).ConfigureAwait(false);
        return TypedResults.Ok(Shown(fieldId, calendars));
    }

    private static CalendarView Shown(string fieldId, CalendarStore calendars)
    {
        var (document, revision) = calendars.Written(fieldId);
        return new CalendarView(revision, document.Country, document.Holidays ?? [], document.Workdays ?? []);
    }
}

/// <summary>The calendar in force. Revision 0 means nobody set one.</summary>
internal sealed record CalendarView(long Revision, string? Country, IReadOnlyList<DateOnly> Holidays, IReadOnlyList<DateOnly> Workdays);
