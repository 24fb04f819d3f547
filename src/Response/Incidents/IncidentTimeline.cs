using Sekisho.Response.Leases;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Incidents;

/// <summary>One line of a timeline as people see it.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">Stable name.</param>
/// <param name="By">Who; "gateway" or "policy" for nobody.</param>
/// <param name="Text">What, in the reader's language.</param>
/// <param name="Note">A person's words.</param>
/// <param name="Reference">Finding or response that the line is about.</param>
internal sealed record TimelineLine(DateTimeOffset At, string Kind, string By, string Text, string? Note = null, string? Reference = null);

/// <summary>Puts together what an incident's own lines, its counters and its responses say. Pure.</summary>
internal static class IncidentTimeline
{
    /// <summary>In order of time.</summary>
    public static IReadOnlyList<TimelineLine> Of(Incident incident, IReadOnlyList<IncidentEntry> entries, IReadOnlyList<Lease> leases, IncidentWords words) =>
        [.. entries.Select(e => new TimelineLine(e.At, e.Kind, e.By, words.Line(e), e.Note, e.Values.GetValueOrDefault("finding")))
            .Concat(incident.Details.Conditions.Where(c => c.Count > 1).Select(c => new TimelineLine(
                c.LastAt, "finding-last", IncidentMachine.Gateway,
                words.Get("incident.entry.finding-last", ("count", IncidentWords.Whole(c.Count)), ("condition", words.Condition(c)), ("level", words.Level(c.Level))), null, c.Last)))
            .Concat(leases.SelectMany(l => OfLease(l, words)))
            .OrderBy(l => l.At)];

    /// <summary>The whole history of one response, also what the timeline has no room for.</summary>
    public static IReadOnlyList<TimelineLine> HistoryOf(Lease lease, IncidentWords words)
    {
        var lines = OfLease(lease, words).ToList();
        if (lease.StartedAt is { } started)
        {
            var target = lease.DeviceId is { } device ? words.Device(device) : lease.Target;
            lines.Insert(1 + lease.Details.Approvals.Count, new TimelineLine(
                started, "response-started", IncidentMachine.Gateway,
                words.Get("incident.entry.response-started", ("action", words.Action(lease.Action)), ("target", target), ("attempts", IncidentWords.Whole(lease.Attempts))), null, lease.Id));
        }

        if (lease is { State: LeaseStates.Done, ExpiresAt: { } expires })
        {
            lines.Add(new TimelineLine(expires, "response-in-force-until", IncidentMachine.Gateway, words.Get("incident.entry.response-in-force-until"), null, lease.Id));
        }

        if (lease.Details.Reminders > 0)
        {
            lines.Add(new TimelineLine(
                lease.EndedAt ?? lease.CreatedAt, "response-reminded", IncidentMachine.Gateway, words.Get("incident.entry.response-reminded", ("count", IncidentWords.Whole(lease.Details.Reminders))), null, lease.Id));
        }

        return [.. lines.OrderBy(l => l.At)];
    }

    private static IEnumerable<TimelineLine> OfLease(Lease lease, IncidentWords words)
    {
        var needed = Approvals.Needed(lease.Approval);
        var target = lease.DeviceId is { } device ? words.Device(device) : lease.Target;
        yield return new TimelineLine(
            lease.CreatedAt, "response-ordered", lease.Details.Owner,
            needed == 0 ? Text("incident.entry.response-ordered") : words.Get("incident.entry.response-needs-approval", ("action", words.Action(lease.Action)), ("target", target), ("needed", IncidentWords.Whole(needed))), null, lease.Id);
        foreach (var approval in lease.Details.Approvals)
        {
            yield return new TimelineLine(approval.At, "response-approved", approval.By, Text("incident.entry.response-approved"), approval.Reason, lease.Id);
        }

        if (lease.UndoAskedAt is { } asked)
        {
            yield return new TimelineLine(asked, "response-undo-asked", lease.Details.Actor, Text("incident.entry.response-undo-asked"), lease.Details.Reason, lease.Id);
        }

        if (lease.EndedAt is { } ended)
        {
            var cause = lease.Details.Cause is { } name ? " " + words.Get("response.cause." + name) : "";
            cause += lease.Details.Ticket is { } ticket ? " " + words.Get("ticket.line", ("number", ticket.Number)) : "";
            yield return new TimelineLine(
                ended, "response-" + lease.State, lease.Details.Actor,
                words.Get("incident.entry.response-ended", ("action", words.Action(lease.Action)), ("target", target), ("state", words.Get("incident.lease." + lease.State))) + cause, lease.Details.Reason, lease.Id);
        }

        string Text(string key) => words.Get(key, ("action", words.Action(lease.Action)), ("target", target));
    }
}
