namespace Sekisho.Domain.Signatures;

/// <summary>
/// Signs files with the gateway's own key and judges those of others by the trusted keys of the settings. Implemented by Detection (whose templates and
/// scripts are signed so), called by Response for its scripts and rules. Any thread.
/// </summary>
public interface IFileSignatures
{
    /// <summary>Short name of the gateway's own key, as signatures carry it.</summary>
    string KeyId { get; }

    /// <summary>True when only what is signed by a known key is taken (Detection:Scripts:RequireSignature); else the gateway signs for whoever brings it.</summary>
    bool AreRequired { get; }

    /// <summary>The file with the gateway's signature; one that it had is replaced.</summary>
    string Sign(string text);

    /// <summary>Judges a file by the gateway's own key and the trusted ones.</summary>
    /// <param name="text">The file.</param>
    /// <param name="body">The file without its signature.</param>
    /// <param name="signer">Short name of the key it names; null without a signature.</param>
    SignatureVerdict Verify(string text, out string body, out string? signer);
}
