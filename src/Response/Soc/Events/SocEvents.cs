using System.Globalization;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Events;

/// <summary>Makes events of records for a receiver: looks up what they speak of, filters, and leaves out what may not leave. Any thread.</summary>
internal sealed class SocEvents(IFindings findings, LeaseStore leases, IDeviceDirectory directory, Texts texts, SocSettings settings)
{
    /// <summary>Kind of events about the sending itself.</summary>
    public const string OwnKind = "soc";

    private const string DefaultZone = "Asia/Tokyo";

    /// <summary>What the record says to the receiver; null when it is not for it.</summary>
    /// <param name="placed">The record.</param>
    /// <param name="receiver">Who is to have it.</param>
    /// <param name="fields">What fields say of themselves.</param>
    /// <param name="cancellation">Ends the looking up.</param>
    public async Task<SocEvent?> OfAsync(PlacedRecord placed, SocReceiver receiver, IReadOnlyDictionary<string, SocField> fields, CancellationToken cancellation)
    {
        var record = placed.Record;
        if (ComesFrom(record, receiver) || record.Subject == receiver.Id)
        {
            return null;
        }

        var lease = record is { Kind: HistoryKinds.Response, Subject: { } leaseId } ? await leases.FindAsync(leaseId, cancellation) : null;
        var findingId = record is { Kind: HistoryKinds.Detection, Subject: { } subject } ? subject : lease?.FindingId;
        var finding = findingId is null ? null : await findings.FindAsync(findingId, cancellation);
        var filterable = new Filterable(record.Kind, finding?.Level ?? Null(lease?.Level), finding?.Risk ?? Null(lease?.Risk), finding?.Threat, finding?.Condition ?? lease?.Condition, record.FieldId, record.DeviceId);
        return receiver.Include.Includes(filterable) && !receiver.Exclude.Excludes(filterable) ? Make(placed, receiver, fields, finding, lease) : null;
    }

    /// <summary>An event about the sending itself.</summary>
    public SocEvent Own(string id, string what, DateTimeOffset at, SocReceiver receiver, string correlationId, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var details = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            details[name] = value;
        }

        return new SocEvent
        {
            Id = $"{settings.Gateway}/{id}",
            At = InZone(at, receiver.FieldId),
            Kind = OwnKind,
            What = what,
            Title = texts.Get("soc.title." + what, receiver.Language),
            Message = texts.Get("soc.message." + what, receiver.Language, values),
            Level = what == "skipped" ? Levels.Warning : Levels.Information,
            Gateway = settings.Gateway,
            FieldId = receiver.FieldId,
            CorrelationId = correlationId,
            Details = details,
        };
    }

    /// <summary>
    /// A report of the receiver itself, or what came of it: it is not told its own words, or it would answer them for ever. Whatever else the account
    /// does by which it reports is told, or any account could be hidden by naming it.
    /// </summary>
    public static bool ComesFrom(HistoryRecord record, SocReceiver receiver) =>
        record.Actor == receiver.Actor || (record is { Kind: HistoryKinds.Operator, What: SocReceiver.StatusOperation } && receiver.ReportsAs is { } name && record.Actor == name);

    private SocEvent Make(PlacedRecord placed, SocReceiver receiver, IReadOnlyDictionary<string, SocField> fields, Finding? finding, Lease? lease)
    {
        var record = placed.Record;
        var language = receiver.Language;
        var privacy = new Privacy(receiver.Allowed);
        var field = record.FieldId is { } fieldId ? directory.Field(fieldId) : null;
        var device = record.DeviceId is { } about ? directory.Device(about) : null;
        var raised = finding is not null && record.Kind == HistoryKinds.Detection && record.What is var what && (what == finding.Condition || what == $"{finding.Condition}-{finding.Effect}");
        var address = finding is null ? privacy.Pass("source", SourceOf(record), PrivacyMarks.Addresses) : KeepFinding(finding, privacy);
        if (!raised)
        {
            privacy.KeepDetails(record, "state", "outcome", "Source", "source");
        }

        var state = StateOf(record);
        var deviceId = privacy.Pass("deviceId", record.DeviceId, device?.UniqueIdType == UniqueIdTypes.User ? PrivacyMarks.Identifiers : null);
        var deviceName = privacy.Pass("deviceName", device?.Name, PrivacyMarks.Names);
        return new SocEvent
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{settings.Gateway}/{placed.Position}"),
            At = InZone(record.At, record.FieldId),
            Kind = record.Kind,
            What = record.What,
            Title = TitleOf(record, finding, lease, language),
            Message = raised && privacy.LeftOut.Contains("measured")
                ? texts.Get("soc.message.finding", language, ("what", TitleOf(record, finding, lease, language)), ("device", deviceId ?? "-"))
                : raised
                ? FindingSentence.Of(WithoutMarked(finding!, privacy) with { DeviceId = deviceId }, field, device is null ? null : device with { Name = deviceName ?? "" }, texts, language)
                : texts.Get("soc.message." + record.Kind, language, ("what", WhatOf(record, language)), ("state", WordsOf(state, record, language)), ("device", deviceId ?? "-")),
            Level = finding?.Level ?? Null(lease?.Level),
            Risk = finding?.Risk ?? Null(lease?.Risk),
            Threat = finding?.Threat,
            Condition = finding?.Condition ?? lease?.Condition,
            ConditionKey = finding?.ConditionKey,
            Effect = finding?.Effect,
            State = state,
            Gateway = settings.Gateway,
            FieldId = record.FieldId,
            FieldName = privacy.Pass("fieldName", field?.Name, PrivacyMarks.Names),
            Sector = record.FieldId is { } own && fields.TryGetValue(own, out var said) ? Null(said.Sector) : null,
            DeviceId = deviceId,
            DeviceName = deviceName,
            DeviceKind = device?.Kind,
            Actor = record.Actor == record.DeviceId ? deviceId : privacy.Pass("actor", record.Actor, IsOurs(record) ? null : PrivacyMarks.Operators),
            Address = address,
            CorrelationId = record.CorrelationId,
            FindingId = finding?.Id ?? lease?.FindingId,
            LeaseId = lease?.Id,
            Techniques = finding is null ? lease is null ? [] : Attack.Of(lease.Condition, null) : Attack.Of(finding),
            Details = privacy.Kept,
            LeftOut = privacy.LeftOut,
        };
    }

    /// <summary>Keeps what a finding rests on.</summary>
    /// <returns>The address it speaks of, when it speaks of one that may leave.</returns>
    private static string? KeepFinding(Finding finding, Privacy privacy)
    {
        var evidence = finding.Evidence;
        var content = IsContent(finding) ? PrivacyMarks.Details : null;
        privacy.Keep("metric", evidence.Metric, null);
        privacy.Keep("unit", evidence.Unit, null);
        privacy.Keep("measured", Number(evidence.Measured), content);
        privacy.Keep("expectedLow", evidence.ExpectedLow is { } low ? Number(low) : null, content);
        privacy.Keep("expectedHigh", evidence.ExpectedHigh is { } high ? Number(high) : null, content);
        privacy.Keep("origin", evidence.Origin, null);
        privacy.Keep("stage", finding.Stage, null);
        privacy.Keep("scope", finding.Scope, null);
        privacy.Keep("template", $"{finding.TemplateId} {finding.TemplateVersion}", null);
        privacy.Keep("claim", evidence.Claim, System.Net.IPNetwork.TryParse(evidence.Claim, out _) ? PrivacyMarks.Addresses : PrivacyMarks.Identifiers);
        privacy.Keep("place", evidence.Place, PrivacyMarks.Names);
        if (finding.Scope is Scopes.User or Scopes.Place)
        {
            privacy.Keep("scopeKey", finding.ScopeKey, finding.Scope == Scopes.User ? PrivacyMarks.Identifiers : PrivacyMarks.Names);
        }

        foreach (var (name, value) in evidence.Facts)
        {
            privacy.Keep(name, value, MarkOfFact(finding, name));
        }

        var source = finding.Scope == Scopes.Source ? finding.ScopeKey : evidence.Facts.GetValueOrDefault("source") ?? evidence.Facts.GetValueOrDefault("network");
        return privacy.Pass("source", source, PrivacyMarks.Addresses);
    }

    // A measured value of the content of messages may be anybody's pulse.
    private static bool IsContent(Finding finding) => finding.Condition is "value" or "value-rate" or "value-stuck";

    private static string? MarkOfFact(Finding finding, string name) => name switch
    {
        "why" => null,
        "measured" or "limit" or "target" or "expected" when IsContent(finding) => PrivacyMarks.Details,
        _ => Privacy.MarkOf(name),
    };

    private static Finding WithoutMarked(Finding finding, Privacy privacy) => finding with
    {
        Evidence = finding.Evidence with { Facts = finding.Evidence.Facts.ToDictionary(f => f.Key, f => privacy.Pass(f.Key, f.Value, MarkOfFact(finding, f.Key)) ?? "-") },
    };

    private string TitleOf(HistoryRecord record, Finding? finding, Lease? lease, string language)
    {
        var condition = finding?.Condition ?? lease?.Condition;
        return record.Kind == HistoryKinds.Detection && condition is not null
            ? texts.Name("condition", condition, language)
            : texts.Get("soc.title." + record.Kind, language) + ": " + WhatOf(record, language);
    }

    // What happened in words, where the gateway has some for it; the stable name stands beside it in every format.
    private string WhatOf(HistoryRecord record, string language) => FindingSentence.OneLine(
        record.Kind switch
        {
            HistoryKinds.Response => texts.Find("response.action." + record.What, language),
            HistoryKinds.DeviceState => texts.Find("incident.device." + record.What, language),
            _ => null,
        } ?? texts.Name("soc.what", record.What, language));

    private string WordsOf(string? state, HistoryRecord record, string language) => state is null ? "-"
        : (record.Kind != HistoryKinds.Response ? null : texts.Find((record.What == Incident.InHistory ? "incident.state." : "incident.lease.") + state, language)) ?? texts.Name("soc.state", state, language);

    private DateTimeOffset InZone(DateTimeOffset at, string? fieldId)
    {
        var zone = TimeZoneInfo.TryFindSystemTimeZoneById((fieldId is null ? null : directory.Field(fieldId)?.TimeZone) ?? DefaultZone, out var found) ? found : TimeZoneInfo.Utc;
        return TimeZoneInfo.ConvertTime(at, zone);
    }

    private static bool IsOurs(HistoryRecord record) =>
        record.Actor is "gateway" or "source" or "policy" or "" || record.Actor.StartsWith("soc:", StringComparison.Ordinal);

    private static string? StateOf(HistoryRecord record)
    {
        if (record.Details is null)
        {
            return null;
        }

        using var document = JsonDocument.Parse(record.Details);
        var root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object
            && (root.TryGetProperty("state", out var value) || root.TryGetProperty("outcome", out value) || root.TryGetProperty("to", out value)) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
    }

    private static string? SourceOf(HistoryRecord record)
    {
        if (record.Details is null)
        {
            return null;
        }

        using var document = JsonDocument.Parse(record.Details);
        var root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object && (root.TryGetProperty("source", out var value) || root.TryGetProperty("Source", out value)) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
    }

    private static string? Null(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
