namespace Sekisho.Detection.Templates;

/// <summary>Where templates are.</summary>
internal sealed class TemplateSettings
{
    /// <summary>Folder with NAME/template.yaml; empty for the folder "templates" beside the program.</summary>
    public string Folder { get; set; } = "";

    public string FolderInForce => Folder.Length > 0 ? Folder : Path.Combine(AppContext.BaseDirectory, "templates");
}
