using System.Globalization;
using Sekisho.Detection.Conditions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Sekisho.Detection.Templates;

/// <summary>Reads a YAML file strictly and gathers all faults with file and line. One thread at a time.</summary>
internal sealed class YamlFile(string name)
{
    private const int MostCharacters = 1 << 20;
    private const int MostLevels = 16;

    public List<string> Faults { get; } = [];

    /// <summary>The document's mapping; null (and a fault) when the text is no YAML or something else.</summary>
    public YamlMappingNode? Root(string text)
    {
        if (text.Length > MostCharacters)
        {
            Faults.Add($"{name}: the file is larger than {MostCharacters} characters.");
            return null;
        }

        var stream = new YamlStream();
        try
        {
            if (!IsTame(text))
            {
                return null;
            }

            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            Faults.Add($"{name}:{e.Start.Line}: this is no YAML: {e.Message}");
            return null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or OverflowException)
        {
            // The parser lets some malformed escapes and tags surface as these; the file is just as unreadable.
            Faults.Add($"{name}: this is no YAML: {e.Message}");
            return null;
        }

        if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root)
        {
            return root;
        }

        Faults.Add($"{name}: one document with a mapping is expected.");
        return null;
    }

    // The document's tree is built and compared by recursion: what is too deep would end the program, and aliases would multiply without end.
    private bool IsTame(string text)
    {
        var parser = new Parser(new StringReader(text));
        for (var level = 0; parser.MoveNext(); level += parser.Current!.NestingIncrease)
        {
            if (level > MostLevels)
            {
                Faults.Add($"{name}:{parser.Current!.Start.Line}: this is deeper than {MostLevels} levels.");
                return false;
            }

            if (parser.Current is AnchorAlias)
            {
                Faults.Add($"{name}:{parser.Current.Start.Line}: aliases are not taken here; write it out.");
                return false;
            }
        }

        return true;
    }

    public void Fault(YamlNode node, string message) => Faults.Add($"{name}:{node.Start.Line}: {message}");

    /// <summary>The node as a mapping whose keys are all known; a fault for each that is not.</summary>
    public YamlMappingNode? Mapping(YamlNode node, params ReadOnlySpan<string> known)
    {
        if (node is not YamlMappingNode mapping)
        {
            Fault(node, "a mapping is expected here.");
            return null;
        }

        foreach (var key in mapping.Children.Keys)
        {
            if (key is not YamlScalarNode { Value: { } text } || !known.Contains(text))
            {
                Fault(key, $"'{key}' is not known here; allowed are {string.Join(", ", known.ToArray())}.");
            }
        }

        return mapping;
    }

    public YamlNode? Required(YamlMappingNode mapping, string key)
    {
        if (mapping.Children.TryGetValue(new YamlScalarNode(key), out var node))
        {
            return node;
        }

        Fault(mapping, $"'{key}' is missing.");
        return null;
    }

    public static YamlNode? Optional(YamlMappingNode mapping, string key) => mapping.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;

    public string? Text(YamlNode? node)
    {
        if (node is YamlScalarNode { Value.Length: > 0 } scalar)
        {
            return scalar.Value;
        }

        if (node is not null)
        {
            Fault(node, "a text is expected here.");
        }

        return null;
    }

    public string? Choice(YamlNode? node, IReadOnlyCollection<string> allowed)
    {
        var text = Text(node);
        if (text is not null && !allowed.Contains(text))
        {
            Fault(node!, $"'{text}' is not allowed; allowed are {string.Join(", ", allowed)}.");
            return null;
        }

        return text;
    }

    public int? Whole(YamlNode? node, int least, int most)
    {
        if (Text(node) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        Fault(node!, $"'{text}' is not allowed; a whole number from {least} to {most} is.");
        return null;
    }

    public Bilingual? Bilingual(YamlNode? node)
    {
        if (node is null || Mapping(node, "ja", "en") is not { } mapping)
        {
            return null;
        }

        return (Text(Required(mapping, "ja")), Text(Required(mapping, "en"))) is ({ } ja, { } en) ? new Bilingual(ja, en) : null;
    }

    public IReadOnlyList<YamlNode> List(YamlNode? node)
    {
        if (node is YamlSequenceNode list)
        {
            return [.. list.Children];
        }

        if (node is not null)
        {
            Fault(node, "a list is expected here.");
        }

        return [];
    }
}
