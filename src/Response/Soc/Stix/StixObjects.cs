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
/// <param name="Name">A few words for people, without marked properties.</param>
/// <param name="Gateway">Name of the gateway.</param>
/// <param name="Field">The field; null for the gateway itself.</param>
/// <param name="Sector">Its sector; null for none.</param>
/// <param name="Allowed">Of <see cref="PrivacyMarks"/>: what may stand in it.</param>
/// <param name="Language">Language of its texts.</param>
/// <param name="AskedAt">When it was asked for.</param>
/// <param name="Colour">One of <see cref="Tlp.All"/>.</param>
internal sealed record StixSubject(string Key, string Name, string Gateway, FieldProfile? Field, string? Sector, IReadOnlyList<string> Allowed, string Language, DateTimeOffset AskedAt, string Colour = Tlp.Usual);

/// <summary>Since when something is said, and when it was changed last: all that is said of one thing moves with it.</summary>
internal readonly record struct StixLife(DateTimeOffset Created, DateTimeOffset Modified);

/// <summary>
/// Collects the objects of one bundle, each once, all with its marking. What stands for the same thing has the same identifier in every bundle that is asked for in the same way; gateway, marks,
/// colour and language are part of it, so that one version of an object never has two contents (STIX 2.1, 3.6). Names of fields and devices may change at any time and stand in their identities
/// only, which say what is known when they are asked for. One thread at a time.
/// </summary>
internal sealed class StixObjects
{
    private readonly StixSubject _subject;
    private readonly Privacy _privacy;
    private readonly Dictionary<string, JsonObject> _byId = [];
    private readonly List<string> _order = [];
    private readonly string _marking;
    private readonly string _asked;

    public StixObjects(StixSubject subject)
    {
        _subject = subject;
        _privacy = new Privacy(subject.Allowed);
        _marking = Add(Tlp.Marking(subject.Colour));
        _asked = string.Join('\n', [subject.Gateway, subject.Colour, subject.Language, .. subject.Allowed.Distinct().Order(StringComparer.Ordinal)]);
        Gateway = Identity("gateway", subject.Gateway, "system", null, null, DateTimeOffset.UnixEpoch);
        Field = subject.Field is { } field ? Identity($"field\n{field.FieldId}", Named("fieldName", field.Name, field.FieldId), "organization", null, subject.Sector, subject.AskedAt) : null;

        // These two are the same for all gateways, so they say nothing of this one and bear no marking.
        var maker = New("identity", "Sekisho", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        maker["name"] = "Sekisho";
        maker["identity_class"] = "system";
        Extension = New("extension-definition", "incident\n1.3.0", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        Extension["created_by_ref"] = Add(maker, marked: false);
        Extension["name"] = "Sekisho incident";
        Extension["description"] = "Of an incident: level, risks, threats, field, findings, state, and the names of properties that were left out. Of a course of action: what became of the response.";
        Extension["schema"] =
            "Of an incident: key, field, field_ref, level, state, risks, threats, findings, finding_count, retracted_count, first_seen, last_seen, closed_as, closed_at, recovered_at, assignee, left_out. "
            + "Of a course-of-action: key, response, state, cause, ordered_at, started_at, ended_at, expires_at, approvals, device_ref, ordered_by, reason. Counts are integers, names ending in _at and _seen are "
            + "timestamps, names ending in _ref are identifiers, risks, threats, findings and left_out are lists of strings, all others strings.";
        Extension["version"] = "1.3.0";
        Extension["extension_types"] = new JsonArray("property-extension");
        Add(Extension, marked: false);
    }

    /// <summary>Identity of the gateway, which makes all the others.</summary>
    public string Gateway { get; }

    /// <summary>Identity of the field; null without one.</summary>
    public string? Field { get; }

    private JsonObject Extension { get; }

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    public static JsonArray List(IEnumerable<string> values) => new([.. values.Distinct().Select(v => (JsonNode)JsonValue.Create(v))]);

    /// <summary>The value when it may leave; else null, and its name stands among what was left out.</summary>
    public string? Pass(string name, string? value, string mark) => _privacy.Pass(name, value, mark);

    public string Device(string id, DeviceProfile? profile)
    {
        var known = profile?.UniqueIdType == UniqueIdTypes.User ? Pass("deviceId", id, PrivacyMarks.Identifiers) ?? "user" : id;
        return Identity($"device\n{id}", Named("deviceName", profile?.Name, known), profile?.UniqueIdType == UniqueIdTypes.User ? "individual" : "system", profile?.Kind, null, _subject.AskedAt);
    }

    /// <summary>The address or network that a finding speaks of, when it may leave.</summary>
    public (string Type, string Value)? SourceOf(Finding finding)
    {
        var text = finding.Scope == Scopes.Source ? finding.ScopeKey : finding.Evidence.Facts.GetValueOrDefault("source") ?? finding.Evidence.Facts.GetValueOrDefault("network");
        return (IPNetwork.TryParse(text, out _) || IPAddress.TryParse(text, out _)) && Pass("source", text, PrivacyMarks.Addresses) is { } passed
            ? (IPAddress.Parse(passed.Split('/')[0]).AddressFamily == AddressFamily.InterNetwork ? "ipv4-addr" : "ipv6-addr", passed)
            : null;
    }

    /// <summary>An incident; its own properties (STIX 2.1, 7.3) get what was left out so far, so it comes last. Lists are never empty in STIX (2.8).</summary>
    public string Incident(StixLife life, JsonObject own)
    {
        var incident = Made("incident", _subject.Key, life);
        incident["lang"] = _subject.Language;
        incident["name"] = _subject.Name;
        var extension = new JsonObject { ["extension_type"] = "property-extension", ["key"] = _subject.Key };
        Text(extension, "field", _subject.Field?.FieldId);
        Text(extension, "field_ref", Field);
        own["left_out"] = List(_privacy.LeftOut);
        foreach (var (name, value) in own.Where(p => p.Value is not JsonArray { Count: 0 }))
        {
            extension[name] = value?.DeepClone();
        }

        incident["extensions"] = new JsonObject { [Extension["id"]!.GetValue<string>()] = extension };
        return Add(incident);
    }

    public string Pattern(Technique technique)
    {
        var pattern = New("attack-pattern", $"{technique.Id}\n{_subject.Colour}", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        pattern["name"] = technique.Name;
        pattern["kill_chain_phases"] = new JsonArray([.. technique.Tactics.Select(t => new JsonObject
        {
            ["kill_chain_name"] = technique.Matrix == "ics" ? "mitre-ics-attack" : "mitre-attack",
            ["phase_name"] = t.Phase,
        })]);
        pattern["external_references"] = new JsonArray(new JsonObject { ["source_name"] = "mitre-attack", ["external_id"] = technique.Id, ["url"] = technique.Url });
        return Add(pattern);
    }

    /// <param name="what">Makes its identifier.</param>
    /// <param name="source">What was observed.</param>
    /// <param name="life">Since when and until when what it belongs to was changed.</param>
    /// <param name="first">When first.</param>
    /// <param name="last">When last.</param>
    /// <param name="count">How often.</param>
    public string Observed(string what, (string Type, string Value) source, StixLife life, DateTimeOffset first, DateTimeOffset last, long count)
    {
        var address = Add(new JsonObject
        {
            ["type"] = source.Type,
            ["spec_version"] = "2.1",
            ["id"] = StixId.OfObservable(source.Type, new JsonObject { ["value"] = source.Value }.ToJsonString()),
            ["value"] = source.Value,
        });
        var observed = Made("observed-data", $"{what}\n{source.Value}", life);
        observed["first_observed"] = Time(first);
        observed["last_observed"] = Time(last);
        observed["number_observed"] = Math.Clamp(count, 1, 999_999_999);
        observed["object_refs"] = new JsonArray(address);
        return Add(observed);
    }

    /// <param name="what">Makes its identifier.</param>
    /// <param name="source">What is to be looked for.</param>
    /// <param name="name">A few words for people.</param>
    /// <param name="life">As above.</param>
    /// <param name="from">From when on.</param>
    /// <param name="harmlessAt">When it turned out to be nothing; null when it did not.</param>
    public string Indicator(string what, (string Type, string Value) source, string name, StixLife life, DateTimeOffset from, DateTimeOffset? harmlessAt = null)
    {
        var indicator = Made("indicator", $"{what}\n{source.Value}", life);
        indicator["lang"] = _subject.Language;
        indicator["name"] = name;
        indicator["indicator_types"] = new JsonArray(harmlessAt is null ? "anomalous-activity" : "benign");
        indicator["pattern"] = $"[{source.Type}:value {(source.Value.Contains('/', StringComparison.Ordinal) ? "ISSUBSET" : "=")} '{source.Value}']";
        indicator["pattern_type"] = "stix";
        indicator["pattern_version"] = "2.1";
        indicator["valid_from"] = Time(from);
        if (harmlessAt is { } until)
        {
            // Later than valid_from, also when both happened in one moment (4.7).
            indicator["valid_until"] = Time(until > from.AddMilliseconds(1) ? until : from.AddMilliseconds(1));
        }

        return Add(indicator);
    }

    public string Sighting(string what, string of, IEnumerable<string> observed, IEnumerable<string> where, StixLife life, DateTimeOffset first, DateTimeOffset last, long count)
    {
        var sighting = Made("sighting", $"{what}\n{of}", life);
        sighting["first_seen"] = Time(first);
        sighting["last_seen"] = Time(last);
        sighting["count"] = Math.Clamp(count, 0, 999_999_999);
        sighting["sighting_of_ref"] = of;
        sighting["where_sighted_refs"] = List(where);
        if (List(observed) is { Count: > 0 } seen)
        {
            sighting["observed_data_refs"] = seen;
        }

        return Add(sighting);
    }

    /// <param name="key">The response.</param>
    /// <param name="name">What it does.</param>
    /// <param name="description">What became of it.</param>
    /// <param name="life">When it was ordered, and when it was changed last.</param>
    /// <param name="own">Its own properties.</param>
    public string Course(string key, string name, string description, StixLife life, JsonObject own)
    {
        var course = Made("course-of-action", key, life);
        course["lang"] = _subject.Language;
        course["name"] = name;
        course["description"] = description;
        own["extension_type"] = "property-extension";
        course["extensions"] = new JsonObject { [Extension["id"]!.GetValue<string>()] = own };
        return Add(course);
    }

    public string Note(string what, string content, string? author, DateTimeOffset at, string about)
    {
        var note = Made("note", $"{_subject.Key}\n{what}\n{Time(at)}\n{author}", new StixLife(at, at));
        note["abstract"] = what;
        note["content"] = content;
        note["object_refs"] = new JsonArray(about);
        if (author is not null)
        {
            note["authors"] = new JsonArray(author);
        }

        return Add(note);
    }

    /// <summary>A relationship; the names and their ends are those of STIX 2.1 (appendix B), or "related-to", which goes with everything.</summary>
    public string Relate(string source, string type, string target, DateTimeOffset at)
    {
        var relationship = New("relationship", $"{source}\n{type}\n{target}", at, at);
        relationship["created_by_ref"] = Gateway;
        relationship["relationship_type"] = type;
        relationship["source_ref"] = source;
        relationship["target_ref"] = target;
        return Add(relationship);
    }

    /// <summary>The bundle, with a grouping of everything in it.</summary>
    public JsonObject Bundle(StixLife life)
    {
        var grouping = Made("grouping", _subject.Key, life);
        grouping["name"] = _subject.Name;
        grouping["context"] = "suspicious-activity";
        grouping["object_refs"] = List(_order.Where(id => id != _marking));
        Add(grouping);
        return new JsonObject
        {
            ["type"] = "bundle",
            ["id"] = StixId.Of("bundle", $"{_asked}\n{_subject.Key}\n{Time(life.Modified)}"),
            ["objects"] = new JsonArray([.. _order.Select(id => (JsonNode)_byId[id])]),
        };
    }

    public static void Text(JsonObject made, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            made[name] = value;
        }
    }

    // With its identifier, when names may leave and there is one. That names were left out is said whether there is one or not: it says nothing of what is there.
    private string Named(string what, string? name, string id) => Pass(what, string.IsNullOrEmpty(name) ? id : name, PrivacyMarks.Names) is { } passed && passed != id ? $"{passed} ({id})" : id;

    private string Identity(string what, string name, string kind, string? description, string? sector, DateTimeOffset modified)
    {
        // What it is does not begin with the finding.
        var identity = New("identity", $"{_asked}\n{what}", DateTimeOffset.UnixEpoch, modified);
        identity["name"] = name;
        identity["identity_class"] = kind;
        Text(identity, "description", description);
        if (sector is not null && IndustryOf(sector) is { } industry)
        {
            identity["sectors"] = new JsonArray(industry);
        }

        return Add(identity);
    }

    // Our fourteen sectors in the words of STIX (industry-sector-ov, 10.8).
    private static string? IndustryOf(string sector) => sector switch
    {
        "information-communication" => "telecommunications",
        "finance" or "credit" => "financial-services",
        "aviation" or "airports" or "railways" or "logistics" => "transportation",
        "electricity" or "petroleum" => "energy",
        "gas" => "utilities",
        "government" => "government",
        "medical" => "healthcare",
        "water" => "water",
        "chemistry" => "chemical",
        _ => null,
    };

    // Something that this gateway says, as it was asked for.
    private JsonObject Made(string type, string what, StixLife life)
    {
        var made = New(type, $"{_asked}\n{what}", life.Created, life.Modified > life.Created ? life.Modified : life.Created);
        made["created_by_ref"] = Gateway;
        return made;
    }

    private static JsonObject New(string type, string what, DateTimeOffset created, DateTimeOffset modified) => new()
    {
        ["type"] = type,
        ["spec_version"] = "2.1",
        ["id"] = StixId.Of(type, what),
        ["created"] = Time(created),
        ["modified"] = Time(modified),
    };

    private string Add(JsonObject made, bool marked = true)
    {
        var id = made["id"]!.GetValue<string>();
        if (_byId.TryAdd(id, made))
        {
            _order.Add(id);
            if (marked && _order.Count > 1)
            {
                made["object_marking_refs"] = new JsonArray(_order[0]);
            }
        }

        return id;
    }
}
