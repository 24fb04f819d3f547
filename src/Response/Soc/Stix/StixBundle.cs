using System.Text.Json.Nodes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Soc.Events;

namespace Sekisho.Response.Soc.Stix;

/// <summary>
/// A STIX 2.1 bundle of findings: gateway, field and devices as identities, an incident with a property extension, and for each finding its techniques (attack-pattern), the address it speaks of
/// (observed-data and an indicator) and a sighting; a grouping holds all of them together. The same findings give the same bundle, but for names. Pure.
/// </summary>
internal static class StixBundle
{
    /// <param name="subject">What it is about.</param>
    /// <param name="findings">At least one, oldest first.</param>
    /// <param name="device">Looks up devices.</param>
    /// <param name="title">A few words for a finding.</param>
    public static JsonObject Of(StixSubject subject, IReadOnlyList<Finding> findings, Func<string, DeviceProfile?> device, Func<Finding, string> title)
    {
        var made = new StixObjects(subject);
        var (first, last) = (findings[0].RaisedAt, findings.Max(f => f.RaisedAt));
        var whole = new StixLife(first, last);
        foreach (var finding in findings)
        {
            var (at, life) = (finding.RaisedAt, new StixLife(finding.RaisedAt, finding.RaisedAt));
            var where = finding.DeviceId is { } id ? made.Device(id, device(id)) : made.Field ?? made.Gateway;
            var patterns = Attack.Of(finding).Select(made.Pattern).ToList();
            var source = made.SourceOf(finding);
            List<string> observed = [];
            if (source is { } seen)
            {
                observed.Add(made.Observed(finding.Id, seen, life, at, at, 1));
                var indicator = made.Indicator(finding.Id, seen, title(finding), life, at);
                made.Relate(indicator, "based-on", observed[0], at);
                foreach (var pattern in patterns)
                {
                    made.Relate(indicator, "indicates", pattern, at);
                }

                made.Sighting(finding.Id, indicator, observed, [where], life, at, at, 1);
            }

            foreach (var pattern in patterns)
            {
                made.Sighting(finding.Id, pattern, observed, [where], life, at, at, 1);
            }
        }

        made.Incident(whole, new JsonObject
        {
            ["level"] = findings.Select(f => f.Level).MaxBy(Levels.Rank),
            ["risks"] = StixObjects.List(findings.Select(f => f.Risk)),
            ["threats"] = StixObjects.List(findings.Select(f => f.Threat).OfType<string>()),
            ["findings"] = StixObjects.List(findings.Select(f => f.Id)),
            ["first_seen"] = StixObjects.Time(first),
            ["last_seen"] = StixObjects.Time(last),
        });
        return made.Bundle(whole);
    }
}
