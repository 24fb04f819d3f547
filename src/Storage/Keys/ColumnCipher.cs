using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Storage.Keys;

/// <summary>
/// Encrypts columns and blocks for one purpose with AES-256-GCM. Any thread.
/// <code>
/// byte 0      version, 1
/// bytes 1-12  nonce, random
/// bytes 13-28 tag
/// bytes 29-   ciphertext, as long as the plaintext
/// </code>
/// </summary>
public sealed class ColumnCipher : IDisposable
{
    /// <summary>Bytes added to the plaintext.</summary>
    public const int Overhead = 1 + NonceSize + TagSize;

    private const byte Version = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private readonly ThreadLocal<AesGcm> _cipher;

    /// <summary>A cipher under the key derived for the purpose.</summary>
    public ColumnCipher(MasterKey master, string purpose)
    {
        ArgumentNullException.ThrowIfNull(master);
        var key = master.Derive(purpose);
        _cipher = new ThreadLocal<AesGcm>(() => new AesGcm(key, TagSize), trackAllValues: true);
    }

    /// <summary>Encrypts; the context must be given again to decrypt, so that a value cannot be moved to another row.</summary>
    public byte[] Protect(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        var result = new byte[Overhead + plain.Length];
        Protect(plain, context, result);
        return result;
    }

    /// <summary>Encrypts into a buffer of the caller, for hot paths that reuse it.</summary>
    /// <param name="plain">What to encrypt.</param>
    /// <param name="context">As above.</param>
    /// <param name="destination">Exactly <see cref="Overhead"/> bytes longer than <paramref name="plain"/>, not overlapping it.</param>
    public void Protect(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context, Span<byte> destination)
    {
        destination[0] = Version;
        RandomNumberGenerator.Fill(destination.Slice(1, NonceSize));
        _cipher.Value!.Encrypt(destination.Slice(1, NonceSize), plain, destination[Overhead..], destination.Slice(1 + NonceSize, TagSize), context);
    }

    /// <summary>Encrypts a text.</summary>
    public byte[] Protect(string plain, string context) => Protect(Encoding.UTF8.GetBytes(plain), Encoding.UTF8.GetBytes(context));

    /// <summary>Decrypts.</summary>
    /// <exception cref="StorageException">Wrong key, wrong context, or changed bytes.</exception>
    public byte[] Unprotect(ReadOnlySpan<byte> data, ReadOnlySpan<byte> context)
    {
        if (data.Length < Overhead || data[0] != Version)
        {
            throw new StorageException("An encrypted value is cut short or of an unknown version: the data was changed outside Sekisho. Restore it from a backup.");
        }

        var plain = new byte[data.Length - Overhead];
        try
        {
            _cipher.Value!.Decrypt(data.Slice(1, NonceSize), data[Overhead..], data.Slice(1 + NonceSize, TagSize), plain, context);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new StorageException("An encrypted value does not fit the master key: it was written with another key or changed outside Sekisho. Start with the key that belongs to this data.", e);
        }

        return plain;
    }

    /// <summary>Decrypts a text.</summary>
    /// <exception cref="StorageException">Wrong key, wrong context, or changed bytes.</exception>
    public string UnprotectText(ReadOnlySpan<byte> data, string context) => Encoding.UTF8.GetString(Unprotect(data, Encoding.UTF8.GetBytes(context)));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var cipher in _cipher.Values)
        {
            cipher.Dispose();
        }

        _cipher.Dispose();
    }
}

/// <summary>Keyed hash (HMAC-SHA256) for exact look-up of values that are not stored in clear. Any thread.</summary>
public sealed class KeyedHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 32;

    private readonly byte[] _key;

    /// <summary>A hash under the key derived for the purpose.</summary>
    public KeyedHash(MasterKey master, string purpose)
    {
        ArgumentNullException.ThrowIfNull(master);
        _key = master.Derive(purpose);
    }

    /// <summary>Hash of a text.</summary>
    public byte[] Of(string value) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(value));

    /// <summary>Hash of bytes into <paramref name="destination"/> (<see cref="Size"/> bytes), without allocation.</summary>
    public void Of(ReadOnlySpan<byte> value, Span<byte> destination) => HMACSHA256.HashData(_key, value, destination);
}
