using System.Globalization;
using Sekisho.Detection.Conditions.Judges;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Hours;

/// <summary>
/// Successful authentications, or messages, at hours at which nobody is expected: within a window of the day that may go over
/// midnight, on some days, with the field's holidays and zone. Without memory; each one is judged for itself.
/// </summary>
internal sealed class HoursCondition(HoursParameters events, WeeklyWindow window, TimeZoneInfo zone, FieldCalendar calendar) : ICondition
{
    /// <summary>Name of the judge that holds against a window.</summary>
    public const string Window = "window";

    public static readonly ConditionKind Kind = new(
        "hours",
        [Scopes.Device, Scopes.User, Scopes.Field],
        TakesMode: false,
        [ParameterSpec.Choice("events", "authentications", "authentications", "messages", "both")],
        Create)
    {
        Judges =
        [
            (Window,
            [
                new ParameterSpec("from", ParameterType.TimeOfDay, 0, LastMinute, 22 * 60),
                new ParameterSpec("to", ParameterType.TimeOfDay, 0, LastMinute, 6 * 60),
                ParameterSpec.Choice("days", "every-day", "every-day", "weekdays", "weekends"),
                ParameterSpec.Choice("holidays", HolidayRules.Ignored, [.. HolidayRules.All]),
            ]),
            (JudgeNames.Learnt, [new ParameterSpec("alarms", ParameterType.Number, 0.01, 30, 0.2) { Unit = "per-month" }]),
        ],
    };

    private const double LastMinute = (24 * 60) - 1;

    private readonly Schedule _schedule = new([window], zone, calendar);

    public int Cells => 0;

    /// <summary>An hour: the next night is another matter.</summary>
    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => events.Concerns(signal);

    public Verdict Step(Span<long> state, in Signal signal) =>
        !Concerns(signal) ? Verdict.None : _schedule.Contains(signal.EventAt) ? Verdict.Violation : Verdict.Calm;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(signal.EventAt), zone);
        var minutes = (local.Hour * 60) + local.Minute;
        var isBeforeMidnight = window.From <= window.To || minutes >= window.From.ToTimeSpan().TotalMinutes;
        return new Evidence
        {
            Metric = "time-of-day",
            Unit = "minutes",
            Measured = minutes,
            ExpectedLow = window.To.ToTimeSpan().TotalMinutes,
            ExpectedHigh = window.From.ToTimeSpan().TotalMinutes,
            Origin = "template",
            Events = [signal.Position],
            Counterfactual = isBeforeMidnight && minutes < LastMinute
                ? new Counterfactual("from", "at-least", minutes + 1, "time-of-day")
                : new Counterfactual("to", "at-most", isBeforeMidnight ? window.From.ToTimeSpan().TotalMinutes : minutes, "time-of-day"),
            Facts = new Dictionary<string, string>
            {
                [FindingTexts.JudgeFact] = Window,
                ["at"] = local.ToString("HH:mm", CultureInfo.InvariantCulture),
                ["day"] = local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["from"] = window.From.ToString("HH:mm", CultureInfo.InvariantCulture),
                ["to"] = window.To.ToString("HH:mm", CultureInfo.InvariantCulture),
                ["holiday"] = calendar.IsHoliday(DateOnly.FromDateTime(local.DateTime)) ? "yes" : "no",
                ["event"] = signal.Kind == SignalKind.Message ? "message" : "authentication",
            },
        };
    }

    private static ICondition Create(ConditionInput input)
    {
        var events = HoursParameters.Of(input.Text("events"));
        if (input.Judge == JudgeNames.Learnt)
        {
            return new LearntHoursCondition(events, input.Number("alarms"), input.Zone);
        }

        IReadOnlyList<DayOfWeek> days = input.Text("days") switch
        {
            "weekdays" => [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday],
            "weekends" => [DayOfWeek.Saturday, DayOfWeek.Sunday],
            _ => Enum.GetValues<DayOfWeek>(),
        };
        return new HoursCondition(events, new WeeklyWindow(days, input.Time("from"), input.Time("to")) { Holidays = input.Text("holidays") }, input.Zone, input.Calendar);
    }
}
