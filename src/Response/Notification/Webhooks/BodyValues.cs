using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>
/// What stands in the places of a template. Every value is one line, never empty and bounded, so that a message of all of them stays below 2,000 characters and a title below 150:
/// chat services refuse empty and longer ones. Any thread.
/// </summary>
internal sealed class BodyValues(Texts texts, IDeviceDirectory directory, LinkSettings links)
{
    public const int LongestTitle = 140;
    public const int LongestText = 1_000;
    public const int LongestValue = 150;
    public const int LongestLink = 250;

    /// <summary>Names of the places.</summary>
    public static readonly IReadOnlyList<string> Places =
    [
        "id", "kind", "title", "text", "level", "levelCode", "risk", "riskCode", "device", "deviceId", "field", "fieldId", "contact", "time", "condition", "finding", "link", "correlation",
    ];

    private const string Nothing = "–";

    /// <summary>The values of all places.</summary>
    public IReadOnlyDictionary<string, string> Of(Lease lease, Finding? finding, string language)
    {
        var field = lease.FieldId is { } fieldId ? directory.Field(fieldId) : null;
        var device = lease.DeviceId is { } deviceId ? directory.Device(deviceId) : null;
        var deviceName = finding is not null ? FindingSentence.DeviceName(finding, device, texts, language) : device?.Name ?? lease.DeviceId ?? "";
        var level = Named("response.level.", finding?.Level ?? lease.Level, language);
        var risk = Named("response.risk.", finding?.Risk ?? lease.Risk, language);
        var (title, text) = Words(lease, finding, field, device, deviceName, level, risk, language);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["id"] = lease.Id,
            ["kind"] = Kind(lease, finding),
            ["title"] = Line(title, LongestTitle),
            ["text"] = Line(text, LongestText),
            ["level"] = Line(level, LongestValue),
            ["levelCode"] = Line(finding?.Level ?? lease.Level, LongestValue),
            ["risk"] = Line(risk, LongestValue),
            ["riskCode"] = Line(finding?.Risk ?? lease.Risk, LongestValue),
            ["device"] = Line(deviceName, LongestValue),
            ["deviceId"] = Line(lease.DeviceId ?? "", LongestValue),
            ["field"] = Line(field?.Name ?? texts.Get("response.gateway", language), LongestValue),
            ["fieldId"] = Line(lease.FieldId ?? "", LongestValue),
            ["contact"] = Line(field?.ContactPoint ?? "", LongestValue),
            ["time"] = FindingSentence.Time(finding is null || lease.Details.TellsRetraction ? lease.CreatedAt : finding.RaisedAt, field),
            ["condition"] = Line(finding?.Condition ?? "", LongestValue),
            ["finding"] = Line(finding?.Id ?? "", LongestValue),
            ["link"] = Line(links.Of(lease.FieldId, finding is null ? "responses" : "detections/" + finding.Id), LongestLink),
            ["correlation"] = Line(lease.CorrelationId, LongestValue),
        };
    }

    /// <summary>What kind of thing is told: "finding", "retraction", "notice" or "test".</summary>
    public static string Kind(Lease lease, Finding? finding) =>
        lease.Details.Notice is not null ? "notice" : finding is null ? "test" : lease.Details.TellsRetraction ? "retraction" : "finding";

    /// <summary>One line of at most so many characters, cut between characters; never empty.</summary>
    public static string Line(string text, int most)
    {
        // Half a surrogate pair is no text.
        var line = FindingSentence.Shortened(FindingSentence.OneLine(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))).Trim(), most);
        return line.Length == 0 ? Nothing : line;
    }

    private (string Title, string Text) Words(
        Lease lease, Finding? finding, FieldProfile? field, DeviceProfile? device, string deviceName, string level, string risk, string language)
    {
        if (lease.Details.Notice is { } notice)
        {
            return (NoticeText.Subject(notice, texts, language), NoticeText.All(notice, field, texts, language, " "));
        }

        if (finding is null)
        {
            return (texts.Get("response.mail.test-subject", language), texts.Get("response.test.sentence", language));
        }

        var sentence = FindingSentence.Of(finding, field, device, texts, language);
        return lease.Details is { TellsRetraction: true, Retracted: { } reason }
            ? (texts.Get("response.mail.retracted-subject", language, ("device", deviceName)), $"{texts.Get("finding.retracted." + reason, language)} {texts.Get("response.mail.retracted-line", language, ("sentence", sentence))}")
            : (texts.Get("response.mail.subject", language, ("level", level), ("risk", risk), ("device", deviceName)), sentence);
    }

    private string Named(string prefix, string name, string language) => name.Length == 0 ? "" : texts.Get(prefix + name, language);
}
