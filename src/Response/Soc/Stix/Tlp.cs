using System.Text.Json.Nodes;

namespace Sekisho.Response.Soc.Stix;

/// <summary>The Traffic Light Protocol: to whom a bundle may be passed on. Identifiers and contents are given by STIX 2.1, 7.2.1.4.</summary>
internal static class Tlp
{
    /// <summary>What a bundle gets when nobody says otherwise: for the recipient's own organisation, and clients who need to know.</summary>
    public const string Usual = "amber";

    private static readonly Dictionary<string, string> Ids = new(StringComparer.Ordinal)
    {
        ["white"] = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        ["green"] = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        ["amber"] = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        ["red"] = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    };

    public static readonly IReadOnlyList<string> All = [.. Ids.Keys];

    public static JsonObject Marking(string colour) => new()
    {
        ["type"] = "marking-definition",
        ["spec_version"] = "2.1",
        ["id"] = Ids[colour],
        ["created"] = "2017-01-20T00:00:00.000Z",
        ["definition_type"] = "tlp",
        ["name"] = "TLP:" + colour.ToUpperInvariant(),
        ["definition"] = new JsonObject { ["tlp"] = colour },
    };
}
