using System.Globalization;

namespace Sekisho.Api;

/// <summary>Times in query strings. Pure.</summary>
public static class QueryTime
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
    ];

    /// <summary>ISO 8601 with an offset, because without one nobody knows which time is meant; null when it is something else.</summary>
    public static DateTimeOffset? Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);

        // A plus sign that was not escaped arrives as a space.
        var escaped = text.Replace(' ', '+');
        var hasOffset = escaped.EndsWith('Z') || (escaped.Length > 6 && escaped[^6] is '+' or '-');
        return hasOffset && DateTimeOffset.TryParseExact(escaped, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }
}
