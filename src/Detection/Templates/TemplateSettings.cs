using System.ComponentModel.DataAnnotations;
using Sekisho.Domain.Signatures;

namespace Sekisho.Detection.Templates;

/// <summary>Where templates are, and whose are taken.</summary>
internal sealed class TemplateSettings : IValidatableObject
{
    /// <summary>Folder with NAME/template.yaml; empty for the folder "templates" beside the program.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Public keys whose template files may be imported, beside this gateway's own: base64 as GET /api/v1/template-key shows it.</summary>
    public IReadOnlyList<string> TrustedKeys { get; set; } = [];

    /// <summary>True to import template files without a signature as well.</summary>
    public bool AcceptUnsigned { get; set; }

    public string FolderInForce => Folder.Length > 0 ? Folder : Path.Combine(AppContext.BaseDirectory, "templates");

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        TrustedKeys.Where(k => SignedFile.KeyOf(k) is null).Select(k => new ValidationResult($"'{k}' is no public key; give the base64 that GET /api/v1/template-key of the other gateway shows.", [nameof(TrustedKeys)]));
}
