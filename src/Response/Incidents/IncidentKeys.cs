using Sekisho.Domain.Detection;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Incidents;

/// <summary>By what a finding is recognised as one of an incident. The keys are hashes: nothing in them can be read. Any thread.</summary>
internal sealed class IncidentKeys(MasterKey master)
{
    private readonly KeyedHash _hash = new(master, "response-incident");

    /// <summary>Its device, then its cause (what it claims wherever that is claimed; else the subject, when it is wider than a device), then its condition in the field, which counts for a short time only.</summary>
    public IReadOnlyList<IncidentKey> Of(Finding finding)
    {
        var keys = new List<IncidentKey>(3);
        if (finding.DeviceId is { } device)
        {
            keys.Add(Device(finding.FieldId, device));
        }

        if (finding.Evidence.Claim is { } claim)
        {
            keys.Add(Key("claim", finding.FieldId, finding.ConditionKey + "\n" + claim));
        }
        else if (finding.Scope != Scopes.Device)
        {
            keys.Add(Key("subject", finding.FieldId, $"{finding.ConditionKey}\n{finding.Scope}\n{finding.ScopeKey}"));
        }

        keys.Add(Key("wave", finding.FieldId, finding.ConditionKey) with { IsBrief = true });
        return keys;
    }

    /// <summary>The key of a device.</summary>
    public IncidentKey Device(string? fieldId, string device) => Key("device", fieldId, device);

    /// <summary>What stands for an account where it must be found but not read.</summary>
    public string Person(string name) => Hash("person\n" + name.ToUpperInvariant());

    private IncidentKey Key(string kind, string? fieldId, string value) => new(Hash($"{kind}\n{fieldId}\n{value}"), IsBrief: false);

    private string Hash(string value) => Convert.ToHexStringLower(_hash.Of(value))[..32];
}

/// <summary>One key.</summary>
/// <param name="Value">32 hex digits.</param>
/// <param name="IsBrief">It counts only so long after the last finding that had it.</param>
internal readonly record struct IncidentKey(string Value, bool IsBrief);
