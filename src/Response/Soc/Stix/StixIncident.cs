using System.Text.Json.Nodes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Stix;

/// <summary>
/// A STIX 2.1 bundle of one incident, however many findings it has: each of its conditions is seen so often between its first and its last finding, with the addresses that these two speak of
/// (observed-data, indicator), its techniques and where; each response is a course of action that mitigates them; what people said is a note. The same incident gives the same bundle, but for names; when it goes
/// on, its objects are modified. An incident closed as a false alarm ends its indicators (they are not revoked: that could not be taken back, and an incident may be opened again). Pure.
/// </summary>
internal static class StixIncident
{
    /// <param name="subject">What it is about.</param>
    /// <param name="incident">The incident.</param>
    /// <param name="findings">First and last findings of its conditions, by identifier; those that are not kept any more are missing.</param>
    /// <param name="responses">Its responses, as far as they are told.</param>
    /// <param name="versions">All versions of all its responses, counted.</param>
    /// <param name="device">Looks up devices.</param>
    /// <param name="words">Words of a language.</param>
    public static JsonObject Of(
        StixSubject subject, Incident incident, IReadOnlyDictionary<string, Finding> findings, IReadOnlyList<Lease> responses, long versions, Func<string, DeviceProfile?> device, IncidentWords words)
    {
        var made = new StixObjects(subject);
        var techniques = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var condition in incident.Details.Conditions)
        {
            var patterns = Attack.Of(condition.Condition, condition.Threat).Select(made.Pattern).ToList();
            if (!techniques.TryAdd(condition.Condition, patterns))
            {
                techniques[condition.Condition] = [.. techniques[condition.Condition].Union(patterns)];
            }

            Add(made, incident, condition, patterns, findings, device, words);
        }

        var courses = responses.Select(l => (Lease: l, Id: Course(made, l, device, words))).ToList();

        // What holds them together changes with each of them: the versions make it later even when another one was changed later still.
        var modified = responses.Select(r => r.ChangedAt).Append(incident.ChangedAt).Max().AddMilliseconds(incident.Version + versions);
        var whole = new StixLife(incident.OpenedAt, modified);
        var id = made.Incident(whole, Own(made, incident));
        foreach (var (lease, course) in courses)
        {
            made.Relate(course, "related-to", id, lease.CreatedAt);
            foreach (var pattern in techniques.GetValueOrDefault(lease.Condition, []))
            {
                made.Relate(course, "mitigates", pattern, lease.CreatedAt);
            }
        }

        foreach (var (what, said) in new[] { ("hand-over", incident.Details.HandOver), ("closed", incident.Details.Closed) })
        {
            if (said is { Text.Length: > 0 } && made.Pass(what, said.Text, PrivacyMarks.FreeText) is { } text)
            {
                made.Note(what, text, made.Pass("operator", said.By, PrivacyMarks.Operators), said.At, id);
            }
        }

        return made.Bundle(whole);
    }

    private static void Add(
        StixObjects made, Incident incident, IncidentCondition condition, List<string> patterns, IReadOnlyDictionary<string, Finding> findings, Func<string, DeviceProfile?> device, IncidentWords words)
    {
        var key = $"{incident.Id}\n{condition.Key}\n{condition.Level}";
        var known = new[] { condition.First, condition.Last }.Distinct().Select(f => findings.GetValueOrDefault(f)).OfType<Finding>().ToList();
        var where = known.Select(f => f.DeviceId).OfType<string>().Distinct().Select(d => made.Device(d, device(d))).DefaultIfEmpty(made.Field ?? made.Gateway).ToList();
        var life = new StixLife(condition.FirstAt, incident.ChangedAt);
        DateTimeOffset? harmless = incident.ClosedAs == Closings.FalseAlarm ? incident.ClosedAt : null;
        List<string> observed = [];
        foreach (var seen in known.Select(f => (Finding: f, Source: made.SourceOf(f))).Where(s => s.Source is not null).GroupBy(s => s.Source!.Value))
        {
            var (first, last) = (seen.Min(s => s.Finding.RaisedAt), seen.Max(s => s.Finding.RaisedAt));
            var data = made.Observed(key, seen.Key, life, first, last, seen.Count());
            var indicator = made.Indicator(key, seen.Key, words.Condition(condition), life, first, harmless);
            observed.Add(data);
            made.Relate(indicator, "based-on", data, life.Created);
            patterns.ForEach(p => made.Relate(indicator, "indicates", p, life.Created));
            made.Sighting(key, indicator, [data], where, life, first, last, seen.Count());
        }

        patterns.ForEach(p => made.Sighting(key, p, observed, where, life, condition.FirstAt, condition.LastAt, condition.Count));
    }

    private static string Course(StixObjects made, Lease lease, Func<string, DeviceProfile?> device, IncidentWords words)
    {
        var own = new JsonObject
        {
            ["key"] = lease.Id,
            ["response"] = lease.Action,
            ["state"] = lease.State,
            ["ordered_at"] = StixObjects.Time(lease.CreatedAt),
            ["approvals"] = lease.Details.Approvals.Count,
        };
        StixObjects.Text(own, "cause", lease.Details.Cause);
        StixObjects.Text(own, "started_at", lease.StartedAt is { } started ? StixObjects.Time(started) : null);
        StixObjects.Text(own, "ended_at", lease.EndedAt is { } ended ? StixObjects.Time(ended) : null);
        StixObjects.Text(own, "expires_at", lease.ExpiresAt is { } expires ? StixObjects.Time(expires) : null);
        var where = lease.DeviceId is { } id ? made.Device(id, device(id)) : null;
        StixObjects.Text(own, "device_ref", where);
        StixObjects.Text(own, "ordered_by", lease.Details.Owner == "policy" ? "policy" : made.Pass("operator", lease.Details.Owner, PrivacyMarks.Operators));
        StixObjects.Text(own, "reason", made.Pass("reason", lease.Details.Reason, PrivacyMarks.FreeText));
        var state = words.Get("incident.lease." + lease.State);
        return made.Course(
            lease.Id, words.Action(lease.Action), lease.Details.Cause is { } cause ? $"{state}. {words.Get("response.cause." + cause)}" : state, new StixLife(lease.CreatedAt, lease.ChangedAt), own);
    }

    private static JsonObject Own(StixObjects made, Incident incident)
    {
        var conditions = incident.Details.Conditions;
        var own = new JsonObject
        {
            ["level"] = incident.Level,
            ["state"] = incident.State,
            ["risks"] = StixObjects.List(conditions.Select(c => c.Risk)),
            ["threats"] = StixObjects.List(conditions.Select(c => c.Threat).OfType<string>()),
            ["findings"] = StixObjects.List(conditions.SelectMany(c => new[] { c.First, c.Last })),
            ["finding_count"] = incident.Findings,
            ["retracted_count"] = incident.Retracted,
            ["first_seen"] = StixObjects.Time(incident.OpenedAt),
            ["last_seen"] = StixObjects.Time(incident.LastAt),
        };
        StixObjects.Text(own, "closed_as", incident.ClosedAs);
        StixObjects.Text(own, "closed_at", incident.ClosedAt is { } closed ? StixObjects.Time(closed) : null);
        StixObjects.Text(own, "recovered_at", incident.RecoveredAt is { } recovered ? StixObjects.Time(recovered) : null);
        StixObjects.Text(own, "assignee", made.Pass("operator", incident.Details.Assignee, PrivacyMarks.Operators));

        // What people said comes after this and is judged here, so that it is named among what was left out.
        foreach (var (what, said) in new[] { ("hand-over", incident.Details.HandOver), ("closed", incident.Details.Closed) })
        {
            made.Pass(what, said?.Text, PrivacyMarks.FreeText);
            made.Pass("operator", said?.By, PrivacyMarks.Operators);
        }

        return own;
    }
}
