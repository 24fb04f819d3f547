using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Stix;

/// <summary>What a bundle is about.</summary>
/// <param name="Key">Identifier of the finding or incident.</param>
/// <param name="Name">A few words for people.</param>
/// <param name="Gateway">Name of the gateway.</param>
/// <param name="Field">The field; null for the gateway itself.</param>
/// <param name="Sector">Its sector; null for none.</param>
/// <param name="Allowed">Of <see cref="PrivacyMarks"/>: what may stand in it.</param>
internal sealed record StixSubject(string Key, string Name, string Gateway, FieldProfile? Field, string? Sector, IReadOnlyList<string> Allowed);

/// <summary>
/// A STIX 2.1 bundle of the findings of one incident: the gateway and the devices as identities, an incident with a property extension, and for
/// each finding its techniques (attack-pattern), the address it speaks of (observed-data and an indicator) and a sighting; a grouping holds all of
/// them together. The same findings give the same bundle. Pure.
/// </summary>
internal static class StixBundle
{
    private const string ExtensionName = "incident";

    /// <param name="subject">What it is about.</param>
    /// <param name="findings">At least one, oldest first.</param>
    /// <param name="device">Looks up devices.</param>
    /// <param name="title">A few words for a finding.</param>
    public static JsonObject Of(StixSubject subject, IReadOnlyList<Finding> findings, Func<string, DeviceProfile?> device, Func<Finding, string> title)
    {
        var made = new Objects(subject, findings[0].RaisedAt, findings.Max(f => f.RaisedAt));
        var gateway = made.Identity("gateway\n" + subject.Gateway, subject.Gateway, "system", null);
        var extension = made.Extension(gateway);
        var devices = findings.Select(f => f.DeviceId).OfType<string>().Distinct().ToDictionary(
            id => id,
            id => made.Identity($"device\n{subject.Gateway}\n{id}", NameOf(id, device(id), subject), "system", device(id)?.Kind));
        made.Incident(gateway, extension, findings);
        foreach (var finding in findings)
        {
            var source = SourceOf(finding, subject);
            var observed = source is null ? null : made.Observed(finding, source.Value.Type, source.Value.Value, gateway);
            var patterns = Attack.Of(finding).Select(made.Pattern).ToList();
            if (observed is not null)
            {
                patterns.Insert(0, made.Indicator(finding, source!.Value.Type, source.Value.Value, title(finding), gateway));
            }

            foreach (var pattern in patterns)
            {
                made.Sighting(finding, pattern, observed, finding.DeviceId is { } id ? devices[id] : gateway, gateway);
            }
        }

        return made.Bundle(gateway);
    }

    private static string NameOf(string id, DeviceProfile? profile, StixSubject subject) =>
        profile?.UniqueIdType == UniqueIdTypes.User && !subject.Allowed.Contains(PrivacyMarks.Identifiers) ? "user"
        : subject.Allowed.Contains(PrivacyMarks.Names) && !string.IsNullOrWhiteSpace(profile?.Name) ? $"{profile.Name} ({id})" : id;

    private static (string Type, string Value)? SourceOf(Finding finding, StixSubject subject)
    {
        var text = finding.Scope == Scopes.Source ? finding.ScopeKey : finding.Evidence.Facts.GetValueOrDefault("source") ?? finding.Evidence.Facts.GetValueOrDefault("network");
        return text is not null && subject.Allowed.Contains(PrivacyMarks.Addresses) && (IPNetwork.TryParse(text, out _) || IPAddress.TryParse(text, out _))
            ? (IPAddress.Parse(text.Split('/')[0]).AddressFamily == AddressFamily.InterNetwork ? "ipv4-addr" : "ipv6-addr", text)
            : null;
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    /// <summary>Collects objects, each once.</summary>
    private sealed class Objects(StixSubject subject, DateTimeOffset first, DateTimeOffset last)
    {
        private readonly Dictionary<string, JsonObject> _byId = [];
        private readonly List<string> _order = [];

        public string Identity(string what, string name, string kind, string? description)
        {
            // The same in every bundle: what it is does not begin with the finding.
            var identity = New("identity", what, DateTimeOffset.UnixEpoch);
            identity["name"] = name;
            identity["identity_class"] = kind;
            Text(identity, "description", description);
            return Add(identity);
        }

        /// <summary>Says what the incident's own properties are (STIX 2.1, 7.3).</summary>
        public string Extension(string gateway)
        {
            var extension = New("extension-definition", ExtensionName, DateTimeOffset.UnixEpoch);
            extension["created_by_ref"] = gateway;
            extension["name"] = "Sekisho incident";
            extension["description"] = "Level, risk, threats, field and sector of an incident, and its findings.";
            extension["schema"] = "urn:sekisho:stix:incident";
            extension["version"] = "1.0.0";
            extension["extension_types"] = new JsonArray("property-extension");
            return Add(extension);
        }

        public void Incident(string gateway, string extension, IReadOnlyList<Finding> findings)
        {
            var incident = New("incident", $"{subject.Gateway}\n{subject.Key}", first);
            incident["created_by_ref"] = gateway;
            incident["name"] = subject.Name;
            var own = new JsonObject
            {
                ["extension_type"] = "property-extension",
                ["key"] = subject.Key,
                ["level"] = findings.Select(f => f.Level).MaxBy(Levels.Rank),
                ["risks"] = List(findings.Select(f => f.Risk)),
                ["threats"] = List(findings.Select(f => f.Threat).OfType<string>()),
                ["findings"] = List(findings.Select(f => f.Id)),
                ["first_seen"] = Time(first),
                ["last_seen"] = Time(last),
            };
            Text(own, "field", subject.Field?.FieldId);
            Text(own, "field_name", subject.Allowed.Contains(PrivacyMarks.Names) ? subject.Field?.Name : null);
            Text(own, "sector", subject.Sector);
            incident["extensions"] = new JsonObject { [extension] = own };
            Add(incident);
        }

        public string Pattern(Technique technique)
        {
            var pattern = New("attack-pattern", technique.Id, DateTimeOffset.UnixEpoch);
            pattern["name"] = technique.Name;
            pattern["kill_chain_phases"] = new JsonArray([.. technique.Tactics.Select(t => new JsonObject
            {
                ["kill_chain_name"] = technique.Matrix == "ics" ? "mitre-ics-attack" : "mitre-attack",
                ["phase_name"] = t.Phase,
            })]);
            pattern["external_references"] = new JsonArray(new JsonObject
            {
                ["source_name"] = "mitre-attack",
                ["external_id"] = technique.Id,
                ["url"] = technique.Url,
            });
            return Add(pattern);
        }

        public string Observed(Finding finding, string type, string value, string gateway)
        {
            var address = new JsonObject
            {
                ["type"] = type,
                ["spec_version"] = "2.1",
                ["id"] = StixId.OfObservable(type, new JsonObject { ["value"] = value }.ToJsonString()),
                ["value"] = value,
            };
            var observed = New("observed-data", $"{subject.Gateway}\n{finding.Id}", finding.RaisedAt);
            observed["created_by_ref"] = gateway;
            observed["first_observed"] = Time(finding.RaisedAt);
            observed["last_observed"] = Time(finding.RaisedAt);
            observed["number_observed"] = 1;
            observed["object_refs"] = new JsonArray(Add(address));
            return Add(observed);
        }

        public string Indicator(Finding finding, string type, string value, string name, string gateway)
        {
            var indicator = New("indicator", $"{subject.Gateway}\n{finding.Id}", finding.RaisedAt);
            indicator["created_by_ref"] = gateway;
            indicator["name"] = name;
            indicator["indicator_types"] = new JsonArray("anomalous-activity");
            indicator["pattern"] = $"[{type}:value = '{value}']";
            indicator["pattern_type"] = "stix";
            indicator["valid_from"] = Time(finding.RaisedAt);
            return Add(indicator);
        }

        public void Sighting(Finding finding, string of, string? observed, string where, string gateway)
        {
            var sighting = New("sighting", $"{subject.Gateway}\n{finding.Id}\n{of}", finding.RaisedAt);
            sighting["created_by_ref"] = gateway;
            sighting["first_seen"] = Time(finding.RaisedAt);
            sighting["last_seen"] = Time(finding.RaisedAt);
            sighting["count"] = 1;
            sighting["sighting_of_ref"] = of;
            sighting["where_sighted_refs"] = new JsonArray(where);
            if (observed is not null)
            {
                sighting["observed_data_refs"] = new JsonArray(observed);
            }

            Add(sighting);
        }

        public JsonObject Bundle(string gateway)
        {
            var grouping = New("grouping", $"{subject.Gateway}\n{subject.Key}", first);
            grouping["modified"] = Time(last);
            grouping["created_by_ref"] = gateway;
            grouping["name"] = subject.Name;
            grouping["context"] = "suspicious-activity";
            grouping["object_refs"] = List(_order);
            Add(grouping);
            return new JsonObject
            {
                ["type"] = "bundle",
                ["id"] = StixId.Of("bundle", $"{subject.Gateway}\n{subject.Key}\n{Time(last)}\n{string.Join(' ', subject.Allowed.Order(StringComparer.Ordinal))}"),
                ["objects"] = new JsonArray([.. _order.Select(id => (JsonNode)_byId[id])]),
            };
        }

        private static JsonObject New(string type, string what, DateTimeOffset at) => new()
        {
            ["type"] = type,
            ["spec_version"] = "2.1",
            ["id"] = StixId.Of(type, what),
            ["created"] = Time(at),
            ["modified"] = Time(at),
        };

        private string Add(JsonObject made)
        {
            var id = made["id"]!.GetValue<string>();
            if (_byId.TryAdd(id, made))
            {
                _order.Add(id);
            }

            return id;
        }

        private static void Text(JsonObject made, string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                made[name] = value;
            }
        }

        private static JsonArray List(IEnumerable<string> values) => new([.. values.Distinct().Select(v => (JsonNode)JsonValue.Create(v))]);
    }
}
