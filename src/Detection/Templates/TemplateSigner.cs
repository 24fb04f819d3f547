using System.Security.Cryptography;
using Sekisho.Domain.Signatures;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Templates;

/// <summary>
/// Signs template files with the gateway's own key, which derives from the master key, and judges those of others by the trusted keys of the
/// settings. Any thread.
/// </summary>
internal sealed class TemplateSigner(MasterKey master, TemplateSettings settings)
{
    /// <summary>The gateway's public key, base64 of its SubjectPublicKeyInfo: another gateway trusts it as Detection:Templates:TrustedKeys.</summary>
    public string PublicKey
    {
        get
        {
            using var key = Own();
            return Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
        }
    }

    /// <summary>Short name of that key, as signatures carry it.</summary>
    public string KeyId
    {
        get
        {
            using var key = Own();
            return SignedFile.IdentifierOf(key);
        }
    }

    public string Sign(string text)
    {
        using var key = Own();
        return SignedFile.Sign(text, key);
    }

    public SignatureVerdict Verify(string text, out string body, out string? signer)
    {
        List<ECDsa> keys = [Own(), .. settings.TrustedKeys.Select(SignedFile.KeyOf).OfType<ECDsa>()];
        try
        {
            return SignedFile.Verify(text, keys, out body, out signer);
        }
        finally
        {
            keys.ForEach(k => k.Dispose());
        }
    }

    private ECDsa Own()
    {
        // Below 2^255 it is below the order of the curve, as a private key must be.
        var secret = master.Derive("template-signature");
        secret[0] &= 0x7F;
        return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = secret });
    }
}
