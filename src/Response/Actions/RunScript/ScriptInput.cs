using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>A response to a device that is in force, or on its way.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="State">One of the states of a lease.</param>
/// <param name="Since">When it came into force, or was ordered.</param>
/// <param name="Ends">When it ends by itself; null for never, or not known yet.</param>
internal sealed record ScriptMeasure(string Action, string State, DateTimeOffset Since, DateTimeOffset? Ends);

/// <summary>What a script is told beside the detection itself.</summary>
/// <param name="Now">The moment at which it runs.</param>
/// <param name="Device">The device; null when there is none any more, or none is concerned.</param>
/// <param name="Mode">Its operating mode as last heard; null when unknown.</param>
/// <param name="Field">The field.</param>
/// <param name="InForce">What is in force for the device, newest first.</param>
/// <param name="Recent">Other detections about the device in the day before, newest first.</param>
internal sealed record ScriptSituation(
    DateTimeOffset Now, DeviceProfile? Device, string? Mode, FieldProfile? Field, IReadOnlyList<ScriptMeasure> InForce, IReadOnlyList<Finding> Recent);

/// <summary>Writes a detection as the JSON that response scripts are given. Times are seconds since 1970 (UTC). No name of a person or device, no address of a contact, no payload. Pure.</summary>
internal static class ScriptInput
{
    /// <summary>How far back recent detections go.</summary>
    public static readonly TimeSpan Back = TimeSpan.FromDays(1);

    /// <summary>Most recent detections that are counted.</summary>
    public const int MostCounted = 200;

    private const int MostListed = 50;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlyMemory<byte> Of(Finding finding, ScriptSituation situation)
    {
        var bytes = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("id", finding.Id);
            Kind(json, finding);
            json.WriteNumber("rank", Levels.Rank(finding.Level));
            json.WriteString("scope", finding.Scope);
            Text(json, "stage", finding.Stage);
            Time(json, "at", finding.RaisedAt);
            Time(json, "time", finding.DeviceTime ?? finding.RaisedAt);
            Evidence(json, finding.Evidence);
            Device(json, finding, situation);
            Field(json, situation);
            InForce(json, situation);
            Recent(json, situation);
            json.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }

    private static void Kind(Utf8JsonWriter json, Finding finding)
    {
        json.WriteString("condition", finding.Condition);
        json.WriteString("key", finding.ConditionKey);
        json.WriteString("risk", finding.Risk);
        Text(json, "threat", finding.Threat);
        json.WriteString("level", finding.Level);
    }

    private static void Evidence(Utf8JsonWriter json, Evidence evidence)
    {
        json.WriteStartObject("evidence");
        json.WriteString("metric", evidence.Metric);
        json.WriteString("unit", evidence.Unit);
        Number(json, "measured", evidence.Measured);
        Number(json, "low", evidence.ExpectedLow);
        Number(json, "high", evidence.ExpectedHigh);
        json.WriteString("origin", evidence.Origin);
        Text(json, "claim", evidence.Claim);
        Text(json, "place", evidence.Place);
        json.WriteStartObject("facts");
        foreach (var (name, value) in evidence.Facts.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Device(Utf8JsonWriter json, Finding finding, ScriptSituation situation)
    {
        if (finding.DeviceId is null)
        {
            return;
        }

        json.WriteStartObject("device");
        json.WriteString("id", finding.DeviceId);
        Text(json, "kind", situation.Device?.Kind);
        Text(json, "state", situation.Device?.State);
        Text(json, "mode", finding.Evidence.Facts.GetValueOrDefault("mode") ?? situation.Mode);
        Text(json, "parent", situation.Device?.ParentId);
        Text(json, "user", situation.Device?.UserId);
        json.WriteEndObject();
    }

    private static void Field(Utf8JsonWriter json, ScriptSituation situation)
    {
        json.WriteStartObject("field");
        Text(json, "id", situation.Field?.FieldId);
        Text(json, "kind", situation.Field?.Kind);
        json.WriteEndObject();

        var zone = situation.Field is { } field && TimeZoneInfo.TryFindSystemTimeZoneById(field.TimeZone, out var found) ? found : TimeZoneInfo.Utc;
        var local = TimeZoneInfo.ConvertTime(situation.Now, zone);
        Time(json, "now", situation.Now);
        json.WriteStartObject("local");
        json.WriteString("date", local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        json.WriteNumber("hour", local.Hour);
        json.WriteNumber("minute", local.Minute);
        json.WriteNumber("weekday", (int)local.DayOfWeek);
        json.WriteEndObject();
    }

    private static void InForce(Utf8JsonWriter json, ScriptSituation situation)
    {
        json.WriteStartArray("inForce");
        foreach (var measure in situation.InForce)
        {
            json.WriteStartObject();
            json.WriteString("action", measure.Action);
            json.WriteString("state", measure.State);
            Time(json, "since", measure.Since);
            if (measure.Ends is { } ends)
            {
                Time(json, "ends", ends);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Recent(Utf8JsonWriter json, ScriptSituation situation)
    {
        json.WriteStartArray("recent");
        foreach (var other in situation.Recent.Take(MostListed))
        {
            json.WriteStartObject();
            Kind(json, other);
            Time(json, "at", other.RaisedAt);
            json.WriteNumber("ago", (situation.Now - other.RaisedAt).TotalMilliseconds / 1000);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("counts");
        json.WriteNumber("hour", situation.Recent.Count(f => f.RaisedAt > situation.Now.AddHours(-1)));
        json.WriteNumber("day", situation.Recent.Count);
        json.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    // JSON has no infinity; what has no number is absent.
    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset at) => json.WriteNumber(name, at.ToUnixTimeMilliseconds() / 1000.0);
}
