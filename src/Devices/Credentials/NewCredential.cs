using System.Buffers.Text;
using System.Security.Cryptography;

namespace Sekisho.Devices.Credentials;

/// <summary>Makes identifiers and secrets from the system's random source.</summary>
internal static class NewCredential
{
    /// <summary>Characters of a secret or token: base64url of 256 bits.</summary>
    public const int SecretLength = 43;

    private const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>A prefix and 15 characters of 0-9 and a-z (77 bits).</summary>
    public static string Id(char prefix) => prefix + RandomNumberGenerator.GetString(Alphabet, 15);

    public static string Secret()
    {
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }
}
