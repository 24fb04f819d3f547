using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Response.Sim.Template;

namespace Sekisho.Response.Sim;

/// <summary>How a field reaches its carrier; secrets by name only.</summary>
internal sealed record SimProviderView(
    string Kind, string? Coverage, string BaseUrl, IReadOnlyList<string> Secrets, SimTemplate? Template, IReadOnlyList<string> Forbidden, int? PollMinutes, int RequestsPerMinute, DateTimeOffset ChangedAt)
{
    public static SimProviderView Of(SimConfig config, bool masked) => new(
        config.Kind,
        config.BaseUrl switch { Soracom.Japan => "japan", Soracom.Global => "global", _ => null },
        config.BaseUrl,
        [.. config.Secrets.Keys.Order(StringComparer.Ordinal)],
        config.Template,
        [.. config.Forbidden.Select(f => masked ? SimName.Mask(f) : f)],
        config.PollMinutes,
        config.RequestsPerMinute,
        DateTimeOffset.FromUnixTimeMilliseconds(config.Version));
}

/// <summary>A SIM to try the connection with; null to sign in only.</summary>
internal sealed record SimTestRequest(SimNameBody? Sim);

/// <summary>How a SIM is named.</summary>
/// <param name="Kind">"iccid", "imsi" or "sim-id".</param>
/// <param name="Value">As printed, or as the carrier calls it.</param>
internal sealed record SimNameBody(string? Kind, string? Value)
{
    public SimName? Read() => Kind is { } kind && Value is { } value && SimNames.IsName(kind, value) ? new SimName(kind, value) : null;
}

/// <summary>What came of a trial.</summary>
/// <param name="Works">The carrier did what was asked.</param>
/// <param name="Fault">Stable name of what is wrong; null when nothing is.</param>
/// <param name="FaultText">The same in the reader's language.</param>
/// <param name="Detail">What happened, in English, for the carrier's support.</param>
/// <param name="State">State of the SIM that was named.</param>
/// <param name="Milliseconds">How long it took.</param>
internal sealed record SimTestResult(bool Works, string? Fault, string? FaultText, string? Detail, string? State, long Milliseconds);

/// <summary>The SIM of a device.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Sim">Stands for the SIM in responses and logs.</param>
/// <param name="Kind">How it was named.</param>
/// <param name="Value">Its name; all but the last digits are masked for those who may not change it.</param>
/// <param name="Devices">All devices that it carries.</param>
/// <param name="ToldUntil">Up to when its traffic was told to detection; null for not at all.</param>
/// <param name="Carrier">What the carrier says now; null in lists.</param>
internal sealed record SimView(string DeviceId, string Sim, string Kind, string Value, IReadOnlyList<string> Devices, DateTimeOffset? ToldUntil, SimStateView? Carrier)
{
    public static SimView Of(string deviceId, SimCard card, SimCards cards, bool masked, SimStateView? carrier = null) => new(
        deviceId, card.Id, card.Names.Given.Kind, masked ? SimName.Mask(card.Names.Given.Value) : card.Names.Given.Value, [.. cards.DevicesOn(card).Select(d => d.DeviceId)], card.ToldUntil, carrier);
}

/// <summary>What the carrier says of a SIM.</summary>
/// <param name="State">Its state; null when the carrier does not know it, or does not answer.</param>
/// <param name="Online">Attached to the network; null when not told.</param>
/// <param name="Address">Address of the session.</param>
/// <param name="Fault">Stable name of the carrier's fault; null when it answered.</param>
/// <param name="FaultText">The same in the reader's language.</param>
internal sealed record SimStateView(string? State, bool? Online, string? Address, string? Fault, string? FaultText);
