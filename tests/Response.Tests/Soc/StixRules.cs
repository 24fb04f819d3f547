using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Sekisho.Response.Tests.Soc;

/// <summary>What STIX 2.1 asks of a bundle, as far as we write it: required properties, forms of identifiers and times, vocabularies, what may stand at the ends of a reference, and that every reference leads somewhere.</summary>
internal static partial class StixRules
{
    private static readonly Dictionary<string, string[]> Required = new()
    {
        ["attack-pattern"] = ["name"],
        ["course-of-action"] = ["name"],
        ["extension-definition"] = ["name", "schema", "version", "extension_types", "created_by_ref"],
        ["grouping"] = ["context", "object_refs"],
        ["identity"] = ["name"],
        ["incident"] = ["name"],
        ["indicator"] = ["pattern", "pattern_type", "valid_from"],
        ["ipv4-addr"] = ["value"],
        ["ipv6-addr"] = ["value"],
        ["marking-definition"] = ["definition_type", "definition", "name"],
        ["note"] = ["content", "object_refs"],
        ["observed-data"] = ["first_observed", "last_observed", "number_observed", "object_refs"],
        ["relationship"] = ["relationship_type", "source_ref", "target_ref"],
        ["sighting"] = ["sighting_of_ref"],
    };

    // Properties of the types beside those that all have.
    private static readonly Dictionary<string, string[]> Optional = new()
    {
        ["attack-pattern"] = ["kill_chain_phases"],
        ["course-of-action"] = ["description"],
        ["extension-definition"] = ["description"],
        ["grouping"] = ["name"],
        ["identity"] = ["identity_class", "description", "sectors"],
        ["indicator"] = ["name", "indicator_types", "pattern_version", "valid_until"],
        ["note"] = ["abstract", "authors"],
        ["sighting"] = ["first_seen", "last_seen", "count", "where_sighted_refs", "observed_data_refs"],
    };

    private static readonly string[] Common = ["type", "spec_version", "id", "created", "modified", "created_by_ref", "revoked", "external_references", "object_marking_refs", "extensions", "lang"];

    // Names that may stand nowhere (3.8).
    private static readonly string[] Reserved = ["severity", "username", "phone_number", "action"];

    private static readonly Dictionary<string, string[]> Vocabularies = new()
    {
        ["identity_class"] = ["individual", "group", "system", "organization", "class", "unknown"],
        ["indicator_types"] = ["anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution", "unknown"],
        ["context"] = ["suspicious-activity", "malware-analysis", "unspecified"],
        ["pattern_type"] = ["stix", "pcre", "sigma", "snort", "suricata", "yara"],
        ["sectors"] = ["telecommunications", "financial-services", "transportation", "energy", "utilities", "government", "healthcare", "water", "chemical"],
        ["extension_types"] = ["new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"],
        ["relationship_type"] = ["based-on", "indicates", "mitigates", "related-to"],
        ["kill_chain_name"] = ["mitre-attack", "mitre-ics-attack"],
    };

    private static readonly HashSet<(string, string, string)> Relationships =
    [
        ("indicator", "based-on", "observed-data"), ("indicator", "indicates", "attack-pattern"), ("course-of-action", "mitigates", "attack-pattern"), ("course-of-action", "related-to", "incident"),
    ];

    /// <returns>The objects of the bundle.</returns>
    public static List<JsonObject> Check(JsonNode bundle)
    {
        Assert.Equal("bundle", bundle["type"]!.GetValue<string>());
        Assert.Matches(Identifier(), bundle["id"]!.GetValue<string>());
        var objects = bundle["objects"]!.AsArray().Select(o => o!.AsObject()).ToList();
        var byId = objects.ToDictionary(o => o["id"]!.GetValue<string>());
        var marking = objects.Single(o => Type(o) == "marking-definition");
        foreach (var o in objects)
        {
            var type = Type(o);
            var isObservable = type.EndsWith("-addr", StringComparison.Ordinal);
            Assert.Equal("2.1", o["spec_version"]!.GetValue<string>());
            Assert.StartsWith(type + "--", o["id"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Empty(Required[type].Except(o.Select(p => p.Key)));
            Assert.Empty(o.Select(p => p.Key).Except(Required[type]).Except(Optional.GetValueOrDefault(type, [])).Except(Common));
            if (o != marking)
            {
                Assert.Matches(Identifier(), o["id"]!.GetValue<string>());
                var isOfAll = type == "extension-definition" || (type == "identity" && o["name"]!.GetValue<string>() == "Sekisho");
                Assert.Equal(isOfAll ? null : marking["id"]!.GetValue<string>(), o["object_marking_refs"]?.AsArray().Single()!.GetValue<string>());
                Assert.Equal(isObservable, o["created"] is null);
                Assert.True(isObservable || At(o["created"]) <= At(o["modified"]));
            }

            Assert.All(References(o), r => Assert.Contains(r, byId));
            foreach (var (name, value) in Values(o))
            {
                if (Vocabularies.TryGetValue(name, out var words))
                {
                    Assert.Contains(value, words);
                }

                if (name is "created" or "modified" or "valid_from" or "valid_until" or "first_observed" or "last_observed" or "first_seen" or "last_seen" || name.EndsWith("_at", StringComparison.Ordinal))
                {
                    Assert.Matches(Timestamp(), value);
                }
            }

            Assert.DoesNotContain(Names(o), Reserved.Contains);
            Assert.DoesNotContain("[]", o.ToJsonString(), StringComparison.Ordinal);

            // An extension is known by the identifier of its definition (7.3).
            Assert.All(o["extensions"]?.AsObject().Select(e => e.Key) ?? [], e => Assert.Equal("extension-definition", Type(byId[e])));
        }

        Assert.All(objects.Where(o => Type(o) == "relationship"), r => Assert.Contains(
            (Type(byId[r["source_ref"]!.GetValue<string>()]), r["relationship_type"]!.GetValue<string>(), Type(byId[r["target_ref"]!.GetValue<string>()])), Relationships));
        Assert.All(objects.Where(o => Type(o) == "sighting"), s =>
        {
            Assert.Contains(Type(byId[s["sighting_of_ref"]!.GetValue<string>()]), (string[])["indicator", "attack-pattern"]);
            Assert.All(s["where_sighted_refs"]!.AsArray(), w => Assert.Equal("identity", Type(byId[w!.GetValue<string>()])));
            Assert.All(s["observed_data_refs"]?.AsArray() ?? [], d => Assert.Equal("observed-data", Type(byId[d!.GetValue<string>()])));
            Assert.True(At(s["first_seen"]) <= At(s["last_seen"]));
        });
        return objects;
    }

    public static string Type(JsonNode o) => o["type"]!.GetValue<string>();

    private static DateTimeOffset At(JsonNode? value) => DateTimeOffset.Parse(value!.GetValue<string>(), CultureInfo.InvariantCulture);

    private static IEnumerable<string> References(JsonObject o) => Values(o).Where(v => v.Name.EndsWith("_ref", StringComparison.Ordinal) || v.Name.EndsWith("_refs", StringComparison.Ordinal)).Select(v => v.Value);

    private static IEnumerable<string> Names(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => Names(p.Value).Prepend(p.Key)),
        JsonArray a => a.SelectMany(Names),
        _ => [],
    };

    private static IEnumerable<(string Name, string Value)> Values(JsonNode? node, string name = "") => node switch
    {
        JsonObject o => o.SelectMany(p => Values(p.Value, p.Key)),
        JsonArray a => a.SelectMany(v => Values(v, name)),
        JsonValue v => [(name, v.ToString())],
        _ => [],
    };

    [GeneratedRegex("^[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
    private static partial Regex Identifier();

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$")]
    private static partial Regex Timestamp();
}
