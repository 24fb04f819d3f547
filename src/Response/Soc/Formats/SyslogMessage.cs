using System.Globalization;
using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Response.Notification;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Formats;

/// <summary>
/// One event as a syslog message (RFC 5424) in an octet-counted frame (RFC 6587, 3.4.1; RFC 5425, 4.3.1). Pure.
/// <code>
/// LENGTH SP &lt;PRI&gt;1 SP TIME SP GATEWAY SP sekisho SP - SP KIND SP [sekisho@PEN name="value" …] SP BODY
/// </code>
/// LENGTH counts the bytes behind the space. A message is at most <see cref="MostBytes"/> long, which receivers should take (RFC 5425, 4.3.1).
/// </summary>
internal static class SyslogMessage
{
    public const int MostBytes = 8192;

    public static byte[] Frame(SocEvent e, SocReceiver receiver, SocSettings settings)
    {
        var message = Message(e, receiver, settings);
        if (message.Length > MostBytes)
        {
            // The details are what may be long; what identifies and judges the event stays.
            message = Message(
                e with
                {
                    Details = new SortedDictionary<string, string>(),
                    Message = FindingSentence.Shortened(e.Message, 200),
                    Title = FindingSentence.Shortened(e.Title, 100),
                    Actor = e.Actor is null ? null : FindingSentence.Shortened(e.Actor, 100),
                    DeviceName = e.DeviceName is null ? null : FindingSentence.Shortened(e.DeviceName, 100),
                    FieldName = e.FieldName is null ? null : FindingSentence.Shortened(e.FieldName, 100),
                    LeftOut = [.. e.LeftOut.Union(e.Details.Keys).Select(n => FindingSentence.Shortened(n, 50)).Take(30)],
                },
                receiver,
                settings);
        }

        return [.. Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture) + " "), .. message];
    }

    /// <summary>The message without its frame.</summary>
    public static byte[] Message(SocEvent e, SocReceiver receiver, SocSettings settings)
    {
        var head = new StringBuilder(512);
        head.Append(CultureInfo.InvariantCulture, $"<{(settings.Facility * 8) + SeverityOf(e)}>1 {e.At:yyyy-MM-ddTHH:mm:ss.fffzzz} {Word(e.Gateway, 255)} sekisho - {Word(e.Kind, 32)} ");
        head.Append(CultureInfo.InvariantCulture, $"[sekisho@{settings.EnterpriseNumber}");
        Parameter(head, "eventId", e.Id);
        Parameter(head, "gateway", e.Gateway);
        Parameter(head, "what", e.What);
        Parameter(head, "level", e.Level);
        Parameter(head, "risk", e.Risk);
        Parameter(head, "threat", e.Threat);
        Parameter(head, "condition", e.Condition);
        Parameter(head, "field", e.FieldId);
        Parameter(head, "sector", e.Sector);
        Parameter(head, "device", e.DeviceId);
        Parameter(head, "finding", e.FindingId);
        Parameter(head, "lease", e.LeaseId);
        Parameter(head, "technique", e.Techniques.Count == 0 ? null : string.Join(' ', e.Techniques.Select(t => t.Id)));
        Parameter(head, "correlationId", e.CorrelationId);
        Parameter(head, "leftOut", e.LeftOut.Count == 0 ? null : string.Join(' ', e.LeftOut));
        head.Append("] ");
        var body = receiver.Format switch
        {
            SocFormats.Cef => Encoding.UTF8.GetBytes(CefBody.Of(e)),
            SocFormats.Ocsf => OcsfBody.Of(e),
            SocFormats.Ecs => EcsBody.Of(e),
            _ => throw new InvalidOperationException($"There is no format '{receiver.Format}'."),
        };
        byte[] mark = receiver.ByteOrderMark ? [0xEF, 0xBB, 0xBF] : [];
        return [.. Encoding.UTF8.GetBytes(head.ToString()), .. mark, .. body];
    }

    /// <summary>Numerical severity (RFC 5424, 6.2.1). What is only tried out is information.</summary>
    public static int SeverityOf(SocEvent e) => e.Effect is not (null or Effects.Act) ? 6 : e.Level switch
    {
        Levels.Critical => 2,
        Levels.Important => 3,
        Levels.Warning => 4,
        Levels.Information => 6,
        _ => e.State is "refused" or "failed" ? 5 : 6,
    };

    /// <summary>A value as PARAM-VALUE: backslashes before quote, backslash and closing bracket (RFC 5424, 6.3.3).</summary>
    public static void Parameter(StringBuilder text, string name, string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return;
        }

        text.Append(' ').Append(name).Append("=\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\' or ']')
            {
                text.Append('\\');
            }

            text.Append(char.IsControl(c) ? ' ' : c);
        }

        text.Append('"');
    }

    // Printable ASCII without spaces, as header fields must be.
    private static string Word(string text, int most)
    {
        var word = string.Concat(text.Take(most).Select(c => c is > ' ' and < '\u007F' ? c : '_'));
        return word.Length == 0 ? "-" : word;
    }
}
