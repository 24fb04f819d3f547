using System.Globalization;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Incidents;

/// <summary>Who is to work on it.</summary>
/// <param name="Assignee">Name of an account, 1 to 100 characters; null for nobody.</param>
/// <param name="Note">What they should know; may be left out.</param>
internal sealed record AssignRequest(string? Assignee, string? Note);

/// <summary>By when it is to be done.</summary>
/// <param name="Due">ISO 8601 with an offset, in the future, within a year.</param>
/// <param name="Note">Why.</param>
internal sealed record DueRequest(string? Due, string? Note);

/// <summary>How grave it is.</summary>
/// <param name="Level">One of the levels.</param>
/// <param name="Note">Why.</param>
internal sealed record LevelRequest(string? Level, string? Note);

/// <summary>What a person says.</summary>
/// <param name="Note">1 to 2000 characters.</param>
internal sealed record NoteRequest(string? Note);

/// <summary>A memo for who takes over.</summary>
/// <param name="To">The account that takes over; null for whoever comes.</param>
/// <param name="Note">The memo.</param>
internal sealed record HandOverRequest(string? To, string? Note);

/// <summary>What it turned out to be.</summary>
/// <param name="As">"change", "incident" or "false-alarm".</param>
/// <param name="Note">Why.</param>
internal sealed record CloseRequest(string? As, string? Note);

/// <summary>A step of the recovery.</summary>
/// <param name="Step">"check", "clean", "restore" or "release", in this order.</param>
/// <param name="Skip">It is not done; the note says why.</param>
/// <param name="Note">What was done and found.</param>
internal sealed record StepRequest(string? Step, bool? Skip, string? Note);

/// <summary>Reads what people send, and says all that is wrong with it.</summary>
internal sealed class IncidentInput(Texts texts, string language)
{
    public const int LongestNote = 2_000;
    private const int LongestName = 100;
    private readonly List<Fault> _faults = [];

    public IReadOnlyList<Fault> Faults => _faults;

    /// <summary>A note; several lines are welcome, other control characters are not.</summary>
    public string Note(string? note, bool isNeeded = true)
    {
        var text = note?.Trim() ?? "";
        if ((isNeeded && text.Length == 0) || text.Length > LongestNote || text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')))
        {
            Fault("/note", "incident.fault.note", ("most", $"{LongestNote}"));
        }

        return text;
    }

    public string? Account(string place, string? name)
    {
        if (name is not null && (name.Trim().Length is 0 or > LongestName || name.Any(char.IsControl)))
        {
            Fault(place, "incident.fault.account", ("most", $"{LongestName}"));
        }

        return name?.Trim();
    }

    public string OneOf(string place, string? value, IReadOnlyList<string> allowed)
    {
        if (value is null || !allowed.Contains(value))
        {
            Fault(place, "response.fault.one-of", ("allowed", string.Join(", ", allowed)));
        }

        return value ?? "";
    }

    public DateTimeOffset Due(string? due, DateTimeOffset now)
    {
        var at = due is null ? null : QueryTime.Read(due);
        if (at is null || at <= now || at > now.AddYears(1))
        {
            Fault("/due", "incident.fault.due");
        }

        return at?.ToUniversalTime() ?? now;
    }

    /// <summary>The filter of a list.</summary>
    public IncidentFilter Filter(string? fieldId, IQueryCollection query, DateTimeOffset now)
    {
        string? Value(string name) => query[name].FirstOrDefault(v => !string.IsNullOrEmpty(v));
        string? Among(string name, IReadOnlyList<string> allowed) => Value(name) is { } value ? OneOf(name, value, allowed) : null;
        T? Parsed<T>(string name, Func<string, T?> parse, string fault)
        {
            var value = Value(name) is { } text ? parse(text) : default;
            if (value is null && Value(name) is not null)
            {
                Fault(name, fault);
            }

            return value;
        }

        var after = Parsed("after", LeaseCursor.Parse, "response.fault.after");
        return new IncidentFilter(fieldId, Paging.Limit(Parsed("limit", s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : (int?)null, "response.fault.limit")))
        {
            State = Among("state", IncidentStates.All),
            Level = Among("level", Levels.All),
            ClosedAs = Among("closedAs", [.. Closings.All, IncidentStates.Retracted]),
            Assignee = Account("assignee", Value("assignee")),
            DeviceId = Parsed("device", s => s.Length <= 64 && s.All(char.IsAsciiLetterOrDigit) ? s : null, "response.fault.device"),
            OverdueAt = Among("overdue", ["true"]) is null ? null : now,
            From = Parsed("from", QueryTime.Read, "response.fault.time"),
            To = Parsed("to", QueryTime.Read, "response.fault.time"),
            After = after is null ? null : (after.CreatedAt, after.Id),
        };
    }

    private void Fault(string place, string key, params ReadOnlySpan<(string, string)> values) => _faults.Add(new Fault(place, texts.Get(key, language, values)));
}
