using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Incidents;

/// <summary>The report of one incident.</summary>
/// <param name="Whole">The incident with its timeline.</param>
/// <param name="Field">Name of the field.</param>
/// <param name="ContactPoint">Whom to ask.</param>
/// <param name="MadeAt">When the report was made.</param>
/// <param name="Language">"ja" or "en".</param>
/// <param name="Reasons">What was found, and why one may believe it.</param>
/// <param name="Responses">What was done, and who agreed; those in force first, at most 200.</param>
/// <param name="StillOpen">What is not done yet, in sentences.</param>
internal sealed record IncidentReport(
    IncidentFullView Whole, string? Field, string? ContactPoint, DateTimeOffset MadeAt, string Language, IReadOnlyList<ReportReason> Reasons, IReadOnlyList<ReportResponse> Responses, IReadOnlyList<string> StillOpen)
{
    /// <summary>What a finding rests on: measured against expected, where the limit came from, and what would have kept it quiet.</summary>
    public static string Basis(Finding finding, IncidentWords words) => FindingBasis.Of(finding, words.Texts, words.Language);

    /// <summary>What people still have to do.</summary>
    public static IReadOnlyList<string> Open(IncidentFullView view, IReadOnlyList<Lease> responses, IncidentWords words)
    {
        var incident = view.Incident;
        var open = new List<string>();
        if (incident.State != IncidentStates.Closed)
        {
            open.Add(words.Get("incident.open.not-closed", ("state", words.Name("incident.state", incident.State))));
            if (incident.Assignee is null)
            {
                open.Add(words.Get("incident.open.no-assignee"));
            }

            if (incident.IsOverdue)
            {
                open.Add(words.Get("incident.open.overdue", ("due", words.Time(incident.DueAt))));
            }

            if (incident.Recovery.FirstOrDefault(s => s.State is "next" or "going-on") is { } step)
            {
                open.Add(words.Get(step.State == "next" ? "incident.open.step" : "incident.open.going-on", ("step", step.Name)));
            }
        }

        open.AddRange(view.Devices.Select(d => d.Holds).OfType<string>().Take(20));
        open.AddRange(responses.Where(l => l.State == LeaseStates.WaitingApproval).Take(20).Select(l => words.Get("incident.open.waits", ("action", words.Action(l.Action)), ("response", l.Id))));
        open.AddRange(responses.Where(l => l.State == LeaseStates.Failed).Take(20).Select(l => words.Get("incident.open.failed", ("action", words.Action(l.Action)), ("response", l.Id))));
        if (incident.IsLabelling)
        {
            open.Add(words.Get("incident.open.labelling"));
        }

        return open;
    }
}

/// <summary>One condition of the report.</summary>
/// <param name="Name">For people.</param>
/// <param name="Key">Key of the condition.</param>
/// <param name="Level">Its level.</param>
/// <param name="Count">Findings.</param>
/// <param name="Retracted">How many were taken back.</param>
/// <param name="FirstAt">The first.</param>
/// <param name="LastAt">The last.</param>
/// <param name="Sentences">Evidence of the first and the last finding.</param>
internal sealed record ReportReason(string Name, string Key, string Level, long Count, long Retracted, DateTimeOffset FirstAt, DateTimeOffset LastAt, IReadOnlyList<string> Sentences);

/// <summary>One response of the report.</summary>
/// <param name="Id">The response.</param>
/// <param name="Action">Stable name of what is done.</param>
/// <param name="ActionName">The same for people.</param>
/// <param name="Target">On what.</param>
/// <param name="State">Stable name of its state.</param>
/// <param name="StateName">The same for people.</param>
/// <param name="OrderedAt">When it was ordered.</param>
/// <param name="StartedAt">When it was first tried; null when it never was.</param>
/// <param name="EndedAt">When it came to this state.</param>
/// <param name="OrderedBy">"policy" or an account.</param>
/// <param name="Approvals">Who agreed, when and why.</param>
/// <param name="Why">The gateway's reason for the state.</param>
/// <param name="Reason">The reason of the person who moved it last.</param>
/// <param name="History">Everything that became of it, in order of time; an end that is still to come is its last line.</param>
internal sealed record ReportResponse(
    string Id, string Action, string ActionName, string Target, string State, string StateName, DateTimeOffset OrderedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, string OrderedBy, IReadOnlyList<LeaseApproval> Approvals, string? Why, string? Reason,
    IReadOnlyList<TimelineLine> History)
{
    public static ReportResponse Of(Lease l, IncidentWords words) => new(
        l.Id, l.Action, words.Action(l.Action), l.DeviceId is { } device ? words.Device(device) : l.Target, l.State, words.Get("incident.lease." + l.State), l.CreatedAt, l.StartedAt, l.EndedAt, l.Details.Owner, l.Details.Approvals,
        l.Details.Cause is { } cause ? words.Get("response.cause." + cause) : null, l.Details.Reason, IncidentTimeline.HistoryOf(l, words));
}
