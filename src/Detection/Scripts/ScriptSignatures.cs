using Sekisho.Detection.Templates;
using Sekisho.Domain.Signatures;

namespace Sekisho.Detection.Scripts;

/// <summary>The keys of templates and scripts, for other stages whose files are signed in the same way. Any thread.</summary>
internal sealed class ScriptSignatures(TemplateSigner keys, ScriptSettings settings) : IFileSignatures
{
    public string KeyId => keys.KeyId;

    public bool AreRequired => settings.RequireSignature;

    public string Sign(string text) => keys.Sign(text);

    public SignatureVerdict Verify(string text, out string body, out string? signer) => keys.Verify(text, out body, out signer);
}
