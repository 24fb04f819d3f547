using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Response.Notification;
using Sekisho.Response.Soc.Events;

namespace Sekisho.Response.Soc.Formats;

/// <summary>
/// An event as ArcSight Common Event Format, version 0: CEF:0|Vendor|Product|Version|Signature|Name|Severity|extension. Properties that CEF has no
/// key for stand as sekishoNAME. Pure.
/// </summary>
internal static class CefBody
{
    private const int MostName = 512; // characters, as for msg below
    private const int MostMessage = 1023;

    public static string Of(SocEvent e)
    {
        var text = new StringBuilder(512);
        text.Append("CEF:0|Sekisho|Sekisho|").Append(Product.Version);
        foreach (var part in (string[])[e.Condition is not null && e.Kind == "detection" && !e.IsAboutFinding ? e.Condition : $"{e.Kind}:{e.What}", FindingSentence.Shortened(e.Title, MostName), SeverityOf(e).ToString(CultureInfo.InvariantCulture)])
        {
            text.Append('|').Append(Header(part));
        }

        text.Append('|');
        var written = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                text.Append(written.Count == 0 ? "" : " ").Append(key).Append('=').Append(Extension(value));
                written.Add(key, value);
            }
        }

        void Labelled(string key, string label, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                Add(key, value);
                Add(key + "Label", label);
            }
        }

        Add("rt", e.At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
        Add("externalId", e.Id);
        Add("cat", e.Kind);
        Add("act", e.What);
        Add("outcome", e.Outcome);
        Add("dvchost", e.Gateway);
        Add("suser", e.Actor);
        Add("msg", FindingSentence.Shortened(e.Message, MostMessage));
        Labelled("cs1", "field", e.FieldId);
        Labelled("cs2", "attackTechnique", e.Techniques.Count == 0 ? null : string.Join(' ', e.Techniques.Select(t => t.Id)));
        Labelled("cs3", "findingId", e.FindingId);
        Labelled("cs4", "correlationId", e.CorrelationId);
        Labelled("cs5", "sector", e.Sector);
        Labelled("cs6", "leftOut", e.LeftOut.Count == 0 ? null : string.Join(' ', e.LeftOut));
        switch (e.Ip?.AddressFamily)
        {
            case AddressFamily.InterNetwork:
                Add("src", e.Address);
                break;
            case AddressFamily.InterNetworkV6:
                Labelled("c6a2", "Source IPv6 Address", e.Address);
                break;
            default:
                Add("sekishoSource", e.Address);
                break;
        }

        // CEF's own "device" is what sends the event, which is the gateway.
        Add("sekishoDevice", e.DeviceId);
        Add("sekishoDeviceName", e.DeviceName);
        Add("sekishoCondition", e.Condition);
        Add("sekishoState", e.State);
        Add("sekishoLevel", e.Level);
        Add("sekishoRisk", e.Risk);
        Add("sekishoThreat", e.Threat);
        Add("sekishoConditionKey", e.ConditionKey);
        Add("sekishoEffect", e.Effect);
        Add("sekishoFieldName", e.FieldName);
        Add("sekishoDeviceKind", e.DeviceKind);
        Add("sekishoLeaseId", e.LeaseId);
        foreach (var (name, value) in e.Details)
        {
            // Each key stands once in an event.
            var key = "sekisho" + Key(name);
            var free = Enumerable.Range(1, e.Details.Count + 1).Select(n => n == 1 ? key : key + n).First(k => !written.TryGetValue(k, out var there) || there == value);
            if (!written.ContainsKey(free))
            {
                Add(free, value);
            }
        }

        return text.ToString();
    }

    /// <summary>0 to 10: low to 3, medium to 6, high to 8, very high to 10.</summary>
    public static int SeverityOf(SocEvent e) => e.Effect is not (null or Effects.Act) ? 1 : e.Level switch
    {
        Levels.Critical => 10,
        Levels.Important => 7,
        Levels.Warning => 5,
        Levels.Information => 2,
        _ => e.State is "refused" or "failed" ? 3 : 1,
    };

    /// <summary>A field of the header: backslash before backslash and bar, no line breaks.</summary>
    public static string Header(string text) => Escaped(text, '|', "");

    /// <summary>A value of the extension: backslash before backslash and equals sign, line breaks as \n and \r.</summary>
    public static string Extension(string text) => Escaped(text, '=', "nr");

    private static string Escaped(string text, char special, string breaks)
    {
        var result = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\\' => result.Append("\\\\"),
                '\n' when breaks.Length > 0 => result.Append("\\n"),
                '\r' when breaks.Length > 0 => result.Append("\\r"),
                _ when c == special => result.Append('\\').Append(c),
                _ => result.Append(char.IsControl(c) ? ' ' : c),
            };
        }

        return result.ToString();
    }

    // Keys are letters and digits only.
    private static string Key(string name)
    {
        var plain = string.Concat(name.Where(char.IsAsciiLetterOrDigit));
        return plain.Length == 0 ? "Other" : char.ToUpperInvariant(plain[0]) + plain[1..];
    }
}
