using System.Collections.Frozen;
using Sekisho.Api.Settings;

namespace Sekisho.Detection.Templates;

/// <summary>The templates that came with the program and those put beside them. Any thread; immutable.</summary>
internal sealed class TemplateCatalog
{
    private readonly FrozenDictionary<string, Template> _byId;

    private TemplateCatalog(IEnumerable<Template> templates, Template gateway)
    {
        _byId = templates.ToFrozenDictionary(t => t.Id);
        Gateway = gateway;
    }

    /// <summary>What is always in force, for the gateway as a whole.</summary>
    public Template Gateway { get; }

    public IEnumerable<Template> All => _byId.Values.OrderBy(t => t.Id, StringComparer.Ordinal);

    public Template? Find(string id) => _byId.GetValueOrDefault(id);

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
