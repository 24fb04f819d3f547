using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;

namespace Sekisho.Domain.Localization;

/// <summary>
/// Every text a person reads, by key and language. Each stage embeds Texts/NAME.ja.json and Texts/NAME.en.json: flat objects of key to text
/// with {name} placeholders. Any thread; immutable.
/// </summary>
public sealed class Texts
{
    /// <summary>The languages every key exists in.</summary>
    public static readonly IReadOnlyList<string> Languages = ["ja", "en"];

    private readonly FrozenDictionary<string, FrozenDictionary<string, string>> _byLanguage;

    /// <summary>Reads the embedded resources of the assemblies.</summary>
    /// <exception cref="InvalidOperationException">A key stands in two files of one language.</exception>
    public Texts(IEnumerable<Assembly> assemblies)
    {
        var all = Languages.ToDictionary(l => l, _ => new Dictionary<string, string>());
        foreach (var assembly in assemblies.Distinct())
        {
            foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith("Texts/", StringComparison.Ordinal)))
            {
                var language = name.Split('.')[^2];
                using var stream = assembly.GetManifestResourceStream(name)!;
                foreach (var (key, text) in JsonSerializer.Deserialize<Dictionary<string, string>>(stream)!)
                {
                    if (!all[language].TryAdd(key, text))
                    {
                        throw new InvalidOperationException($"Text '{key}' ({language}) stands twice; the second time in {assembly.GetName().Name}.");
                    }
                }
            }
        }

        _byLanguage = all.ToFrozenDictionary(p => p.Key, p => p.Value.ToFrozenDictionary());
    }

    /// <summary>All keys of one language.</summary>
    public IReadOnlyCollection<string> Keys(string language) => _byLanguage[language].Keys;

    /// <summary>A stable name in words: the text PREFIX.NAME, or the name itself where there is none.</summary>
    public string Name(string prefix, string name, string language) => Find($"{prefix}.{name}", language) ?? name;

    /// <summary>The text as it stands; null when there is none.</summary>
    public string? Find(string key, string language) => Table(language).GetValueOrDefault(key);

    /// <summary>The text with {name} replaced by values; the key itself when there is none (a test keeps that from happening).</summary>
    public string Get(string key, string language, params ReadOnlySpan<(string Name, string Value)> values)
    {
        if (Find(key, language) is not { } text)
        {
            return key;
        }

        foreach (var (name, value) in values)
        {
            text = text.Replace("{" + name + "}", value, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>The same, where a value that is the key of a text stands for that text.</summary>
    public string Fill(string key, string language, IEnumerable<(string Name, string Value)> values) => Get(key, language, [.. values.Select(v => (v.Name, Find(v.Value, language) ?? v.Value))]);

    private FrozenDictionary<string, string> Table(string language) => _byLanguage.TryGetValue(language, out var found) ? found : _byLanguage["en"];
}
