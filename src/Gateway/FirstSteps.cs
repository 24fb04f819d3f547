using System.Globalization;
using Sekisho.Domain.Localization;

namespace Sekisho.Gateway;

/// <summary>What the person at the terminal needs to know after the start. Printed, never logged: it may hold the set-up code.</summary>
internal sealed class FirstSteps(StartOptions options, string? createdKey, bool privateAuthority, string fingerprint)
{
    /// <summary>The lines, in Japanese when the terminal's locale is Japanese, else in English.</summary>
    public string Text(Texts texts, string? setupCode)
    {
        var language = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "ja" ? "ja" : "en";
        var lines = new List<string>
        {
            texts.Get("start.listening", language, ("port", Number(options.DevicePort)), ("managementPort", Number(options.ManagementPort)), ("data", options.DataFolder)),
        };
        if (privateAuthority)
        {
            lines.Add(texts.Get("start.trust", language, ("file", Path.Combine(options.DataFolder, "ca.pem")), ("fingerprint", fingerprint)));
        }

        if (createdKey is not null)
        {
            lines.Add(texts.Get("start.key", language, ("file", createdKey)));
        }

        if (setupCode is not null)
        {
            lines.Add(texts.Get("start.setup", language, ("code", setupCode), ("managementPort", Number(options.ManagementPort)), ("file", Path.Combine(options.DataFolder, "ca.pem"))));
        }

        return string.Join(Environment.NewLine, lines);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
