using System.Collections.Frozen;
using System.Collections.Immutable;
using Sekisho.Api.Settings;

namespace Sekisho.Detection.Templates;

/// <summary>The templates that came with the program, those put beside them, and those that the store adds: imported ones and earlier versions. Any thread.</summary>
internal sealed class TemplateCatalog
{
    private readonly FrozenDictionary<string, Template> _files;
    private ImmutableDictionary<(string Id, int Version), Template> _stored = ImmutableDictionary<(string, int), Template>.Empty;

    private TemplateCatalog(IEnumerable<Template> templates, Template gateway)
    {
        _files = templates.ToFrozenDictionary(t => t.Id);
        Gateway = gateway;
    }

    /// <summary>What is always in force, for the gateway as a whole.</summary>
    public Template Gateway { get; }

    /// <summary>The newest version of each, by identifier.</summary>
    public IEnumerable<Template> All => Versions().GroupBy(t => t.Id).Select(g => g.MaxBy(t => t.Version)!).OrderBy(t => t.Id, StringComparer.Ordinal);

    /// <summary>The newest version; null when there is none.</summary>
    public Template? Find(string id) => Versions().Where(t => t.Id == id).MaxBy(t => t.Version);

    /// <summary>One version; a file in the folder takes the place of a stored one.</summary>
    public Template? Find(string id, int version) =>
        _files.GetValueOrDefault(id) is { } file && file.Version == version ? file : Volatile.Read(ref _stored).GetValueOrDefault((id, version));

    /// <summary>The versions of a template, oldest first.</summary>
    public IReadOnlyList<int> VersionsOf(string id) => [.. Versions().Where(t => t.Id == id).Select(t => t.Version).Distinct().Order()];

    /// <summary>Takes in a version that the store holds.</summary>
    public void Add(Template stored) => ImmutableInterlocked.AddOrUpdate(ref _stored, (stored.Id, stored.Version), stored, (_, _) => stored);

    private IEnumerable<Template> Versions() => _files.Values.Concat(Volatile.Read(ref _stored).Values.Where(t => _files.GetValueOrDefault(t.Id)?.Version != t.Version));

    /// <summary>Reads FOLDER/*/template.yaml and the built-in gateway template.</summary>
    /// <exception cref="SettingsException">Files have faults; the message lists all of all files.</exception>
    public static TemplateCatalog Load(string folder, TemplateReader reader)
    {
        var faults = new List<string>();
        var templates = new List<Template>();
        if (!Directory.Exists(folder))
        {
            faults.Add($"Detection:Templates:Folder = '{folder}': there is no such folder. Give the folder that holds NAME/template.yaml.");
        }
        else
        {
            foreach (var file in Directory.GetFiles(folder, "template.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                if (Text(file, Path.GetRelativePath(folder, file), faults) is { } text && reader.Read(Path.GetRelativePath(folder, file), text, faults) is { } template)
                {
                    if (templates.Exists(t => t.Id == template.Id))
                    {
                        faults.Add($"{Path.GetRelativePath(folder, file)}: the template id '{template.Id}' stands in two files.");
                    }

                    templates.Add(template);
                }
            }
        }

        using var builtIn = new StreamReader(typeof(TemplateCatalog).Assembly.GetManifestResourceStream("Templates/gateway.yaml")!);
        var gateway = reader.Read("gateway.yaml", builtIn.ReadToEnd(), faults);
        return faults.Count == 0 ? new TemplateCatalog(templates, gateway!) : throw new SettingsException(faults);
    }

    private static string? Text(string file, string name, List<string> faults)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add($"{name}: the file cannot be read: {e.Message}");
            return null;
        }
    }
}
