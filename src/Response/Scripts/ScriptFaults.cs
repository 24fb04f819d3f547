using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Actions.RunScript;

namespace Sekisho.Response.Scripts;

/// <summary>Says why a script is not taken.</summary>
internal static class ScriptFaults
{
    /// <summary>The text without its signature, and whose that is (null for none).</summary>
    /// <returns>Why it is not taken; null when it is.</returns>
    public static Problem? Body(string text, IFileSignatures signatures, out string body, out string? signer) => signatures.Verify(text, out body, out signer) switch
    {
        SignatureVerdict.Tampered => Problem.Of(ResponseProblems.Tampered),
        SignatureVerdict.UnknownSigner => Problem.Of(ResponseProblems.UnknownSigner, ("key", signer!)),
        SignatureVerdict.NotSigned when signatures.AreRequired => Problem.Of(ResponseProblems.Unsigned),
        _ => null,
    };

    /// <summary>What is wrong with a text.</summary>
    public static List<Fault> Of(string body, Texts texts, string language)
    {
        ResponseScript.Open(body, out var wrong)?.Dispose();
        return [.. wrong.Select(w => new Fault(w.Place, w.In(texts, language)))];
    }
}
