using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Sekisho.Api.Settings;

/// <summary>Shows values without their secrets. Any thread.</summary>
internal static partial class SettingsMask
{
    /// <summary>Stands for a secret.</summary>
    public const string Hidden = "***";

    /// <summary>True for keys whose value nobody may see.</summary>
    public static bool IsSecret(string key) => SecretName().IsMatch(key);

    /// <summary>A value as it may be shown.</summary>
    public static string Shown(string key, object? value) => value switch
    {
        null or "" => "",
        _ when IsSecret(key) => Hidden,
        string text => Text(text),
        IDictionary pairs => string.Join(", ", pairs.Keys.Cast<object>().Select(k => $"{k}={Shown(k.ToString() ?? "", pairs[k])}")),
        IEnumerable list => string.Join(", ", list.Cast<object?>().Select(v => Shown("", v))),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>A text without the passwords that addresses and connection strings carry.</summary>
    public static string Text(string text) => UserInfo().Replace(InConnectionString().Replace(text, "$1" + Hidden), "$1" + Hidden + "@");

    [GeneratedRegex("secret|password|passwd|credential|(api|private|master)_?key$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretName();

    [GeneratedRegex(@"((?:password|pwd|secret)\s*=\s*)[^;]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex InConnectionString();

    [GeneratedRegex(@"(://[^/?#:@\s]*:)[^/?#@\s]+@", RegexOptions.CultureInvariant)]
    private static partial Regex UserInfo();
}
