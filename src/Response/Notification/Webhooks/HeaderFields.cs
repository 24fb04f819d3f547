namespace Sekisho.Response.Notification.Webhooks;

/// <summary>Further header fields of what is posted. Their names are fixed, so that no setting can change the length, the host or the signature of a request. Pure.</summary>
internal static class HeaderFields
{
    public const int LongestValue = 4_096;

    /// <summary>Names that may be used.</summary>
    public static readonly IReadOnlyList<string> Names = ["Authorization", "Private-Token", "X-API-Key", "X-Auth-Token", "X-Redmine-API-Key"];

    /// <summary>Reads what was sent. A value that is null is kept as it was, but only for the receiver that it was given for: nobody may have it sent elsewhere by changing the address.</summary>
    /// <param name="asked">Names with values.</param>
    /// <param name="before">What was stored, and for which address; null for nothing.</param>
    /// <param name="url">The address from now on.</param>
    /// <param name="wrong">Takes faults: name of the field, key of the text, what is allowed.</param>
    public static IReadOnlyDictionary<string, string> Read(
        IReadOnlyDictionary<string, string?>? asked, (string Url, IReadOnlyDictionary<string, string> Headers)? before, string url, Action<string, string, string> wrong)
    {
        var kept = before is { } stored && SameOrigin(stored.Url, url) ? stored.Headers : new Dictionary<string, string>();
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (given, value) in asked ?? new Dictionary<string, string?>())
        {
            if (Names.FirstOrDefault(n => n.Equals(given, StringComparison.OrdinalIgnoreCase)) is not { } name || read.ContainsKey(name))
            {
                wrong(given, "webhook.fault.header-name", string.Join(", ", Names));
            }
            else if ((value ?? kept.GetValueOrDefault(name)) is not { } text)
            {
                wrong(name, "webhook.fault.header-again", "");
            }
            else if (text.Length is 0 or > LongestValue || !text.All(c => c is >= ' ' and <= '~') || text[0] == ' ' || text[^1] == ' ')
            {
                wrong(name, "webhook.fault.header-value", $"{LongestValue}");
            }
            else
            {
                read.Add(name, text);
            }
        }

        return read;
    }

    private static bool SameOrigin(string before, string after) =>
        Uri.TryCreate(before, UriKind.Absolute, out var one) && Uri.TryCreate(after, UriKind.Absolute, out var other)
        && Uri.Compare(one, other, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}
