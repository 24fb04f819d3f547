using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Domain.Signatures;

/// <summary>What the signature of a file says.</summary>
public enum SignatureVerdict
{
    /// <summary>There is none.</summary>
    NotSigned,

    /// <summary>A known key signed these bytes.</summary>
    Good,

    /// <summary>The key is not among those given.</summary>
    UnknownSigner,

    /// <summary>The bytes, or the signature, were changed after signing.</summary>
    Tampered,
}

/// <summary>
/// A text file whose last line carries its signature, as a comment of YAML and Lua alike: ECDSA over P-256 with SHA-256 (FIPS 186-5) over the
/// UTF-8 bytes of everything before that line. Any thread; pure.
/// <code>
/// # sekisho-signature v1 KEY SIGNATURE
///
/// KEY        first 16 hex digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER)
/// SIGNATURE  base64, 64 bytes r and s (IEEE P1363)
/// </code>
/// </summary>
public static class SignedFile
{
    private const string Mark = "# sekisho-signature ";
    private const string Version = "v1";

    /// <summary>The file with a signature; one that it had is replaced.</summary>
    public static string Sign(string text, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var (body, _) = Split(text);
        var whole = body.Length == 0 || body.EndsWith('\n') ? body : body + "\n";
        var signature = key.SignData(Encoding.UTF8.GetBytes(whole), HashAlgorithmName.SHA256);
        return $"{whole}{Mark}{Version} {IdentifierOf(key)} {Convert.ToBase64String(signature)}\n";
    }

    /// <summary>Judges a file.</summary>
    /// <param name="text">The file.</param>
    /// <param name="keys">Keys that may have signed it.</param>
    /// <param name="body">The file without its signature.</param>
    /// <param name="signer">Identifier of the key it names; null without a signature.</param>
    public static SignatureVerdict Verify(string text, IEnumerable<ECDsa> keys, out string body, out string? signer)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(keys);
        (body, var line) = Split(text);
        signer = null;
        if (line is null)
        {
            // A mark anywhere else is a signature that something was written behind of.
            return text.Contains(Mark, StringComparison.Ordinal) ? SignatureVerdict.Tampered : SignatureVerdict.NotSigned;
        }

        if (line.Split(' ') is not [Version, var key, var signature] || body.Contains(Mark, StringComparison.Ordinal))
        {
            return SignatureVerdict.Tampered;
        }

        signer = key;
        var bytes = new byte[64];
        if (!Convert.TryFromBase64String(signature, bytes, out var count) || count != bytes.Length)
        {
            return SignatureVerdict.Tampered;
        }

        var known = keys.FirstOrDefault(k => IdentifierOf(k) == key);
        return known is null ? SignatureVerdict.UnknownSigner
            : known.VerifyData(Encoding.UTF8.GetBytes(body), bytes, HashAlgorithmName.SHA256) ? SignatureVerdict.Good
            : SignatureVerdict.Tampered;
    }

    /// <summary>Identifier of a key.</summary>
    public static string IdentifierOf(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];
    }

    /// <summary>The public key in base64 of its SubjectPublicKeyInfo; null when it is none of P-256.</summary>
    public static ECDsa? KeyOf(string base64)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(base64), out _);
            if (key.KeySize == 256)
            {
                return key;
            }
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            // Said by null: the caller names the setting.
        }

        key.Dispose();
        return null;
    }

    private static (string Body, string? Line) Split(string text)
    {
        var at = text.LastIndexOf(Mark, StringComparison.Ordinal);
        if (at < 0 || (at > 0 && text[at - 1] != '\n'))
        {
            return (text, null);
        }

        var line = text[(at + Mark.Length)..].TrimEnd('\r', '\n');
        return line.AsSpan().ContainsAny('\r', '\n') ? (text, null) : (text[..at], line);
    }
}
