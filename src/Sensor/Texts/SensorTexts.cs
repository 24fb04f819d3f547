using System.Collections.Frozen;
using System.Text.Json;

namespace Sekisho.Sensor.Texts;

/// <summary>What the sensor tells people, by key, in Japanese and English. The sensor is small and knows nothing of the gateway's projects, so it reads its two files itself. Any thread.</summary>
internal static class SensorTexts
{
    private static readonly string[] s_localeVariables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    private static readonly FrozenDictionary<string, string> s_english = Read("en");
    private static readonly FrozenDictionary<string, string> s_japanese = Read("ja");

    /// <summary>The language of the terminal: "ja" or "en".</summary>
    /// <remarks>By the variables of POSIX, as the sensor runs without ICU.</remarks>
    public static string Language
    {
        get
        {
            var locale = s_localeVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(v => !string.IsNullOrEmpty(v));
            return locale?.StartsWith("ja", StringComparison.Ordinal) == true ? "ja" : "en";
        }
    }

    /// <summary>The text with {name} replaced by values; English for a language that is not known.</summary>
    public static string Get(string key, string language, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var text = (language == "ja" ? s_japanese : s_english)[key];
        foreach (var (name, value) in values)
        {
            text = text.Replace("{" + name + "}", value, StringComparison.Ordinal);
        }

        return text;
    }

    private static FrozenDictionary<string, string> Read(string language)
    {
        using var stream = typeof(SensorTexts).Assembly.GetManifestResourceStream($"Texts/sensor.{language}.json")!;
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.EnumerateObject().ToFrozenDictionary(p => p.Name, p => p.Value.GetString()!);
    }
}
