using System.Text;
using Sekisho.Storage.Keys;

namespace Sekisho.Devices.Credentials;

/// <summary>Keyed hashes of what a device proves itself with; each kind under a key of its own. Any thread.</summary>
internal sealed class CredentialHashes(MasterKey key)
{
    private readonly KeyedHash _uniqueId = new(key, "device-unique-id");
    private readonly KeyedHash _secret = new(key, "device-secret");
    private readonly KeyedHash _token = new(key, "device-token");

    public HashKey UniqueId(string canonical) => HashKey.From(_uniqueId.Of(canonical));

    public HashKey Secret(string secret) => HashKey.From(_secret.Of(secret));

    /// <summary>Hash of a token without allocation; false when the text cannot be a token.</summary>
    public bool TryToken(ReadOnlySpan<char> token, out HashKey hash)
    {
        hash = default;
        Span<byte> bytes = stackalloc byte[NewCredential.SecretLength];
        if (token.Length != bytes.Length || Encoding.ASCII.GetBytes(token, bytes) != bytes.Length)
        {
            return false;
        }

        Span<byte> result = stackalloc byte[KeyedHash.Size];
        _token.Of(bytes, result);
        hash = HashKey.From(result);
        return true;
    }
}
