using System.Security.Cryptography;

namespace Sekisho.Storage.Keys;

/// <summary>
/// The 256-bit key that all others derive from (HKDF-SHA256, one per purpose). It lives outside the data folder: from the environment
/// (SEKISHO_MASTER_KEY, base64), from a file (SEKISHO_MASTER_KEY_FILE), from systemd credentials (sekisho-master-key), or else from
/// DATA.key beside the data folder, which is made at first start.
/// </summary>
public sealed class MasterKey
{
    /// <summary>Bytes of the key.</summary>
    public const int Size = 32;

    private readonly byte[] _key;

    /// <summary>Wraps a key.</summary>
    /// <exception cref="StorageException">It has not <see cref="Size"/> bytes.</exception>
    public MasterKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Size)
        {
            throw new StorageException($"The master key must have {Size} bytes (base64 of them), this one has {key.Length}. Give the key that was made at first start.");
        }

        _key = key.ToArray();
    }

    /// <summary>Finds the key, or makes one when the data folder is new.</summary>
    /// <param name="dataFolder">The data folder; the default key file stands beside it.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <param name="mayCreate">True when there is no data yet that another key would be needed for.</param>
    /// <returns>The key, and the file that was made for it (null when it existed).</returns>
    /// <exception cref="StorageException">No key and none may be made, or it cannot be read.</exception>
    public static (MasterKey Key, string? Created) Find(string dataFolder, Func<string, string?> environment, bool mayCreate)
    {
        if (environment("SEKISHO_MASTER_KEY") is { Length: > 0 } inline)
        {
            return (Parse(inline, "the environment variable SEKISHO_MASTER_KEY"), null);
        }

        var file = environment("SEKISHO_MASTER_KEY_FILE");
        if (string.IsNullOrEmpty(file) && environment("CREDENTIALS_DIRECTORY") is { Length: > 0 } credentials
            && File.Exists(Path.Combine(credentials, "sekisho-master-key")))
        {
            file = Path.Combine(credentials, "sekisho-master-key");
        }

        file = string.IsNullOrEmpty(file) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataFolder)) + ".key" : file;
        if (File.Exists(file))
        {
            return (Parse(File.ReadAllText(file), file), null);
        }

        if (!mayCreate)
        {
            throw new StorageException($"The data in {dataFolder} is encrypted and its master key is missing: {file} does not exist. Put the key back, or name it with SEKISHO_MASTER_KEY_FILE.");
        }

        var key = RandomNumberGenerator.GetBytes(Size);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        DurableFile.Create(file, System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"));
        return (new MasterKey(key), file);
    }

    /// <summary>A key for one purpose.</summary>
    /// <param name="purpose">Stable name; changing it makes everything protected under it unreadable.</param>
    public byte[] Derive(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, Size, info: System.Text.Encoding.UTF8.GetBytes("sekisho:" + purpose));

    private static MasterKey Parse(string text, string where)
    {
        var bytes = new byte[Size + 1];
        return Convert.TryFromBase64String(text.Trim(), bytes, out var count) && count == Size
            ? new MasterKey(bytes.AsSpan(0, count))
            : throw new StorageException($"The master key in {where} is not base64 of {Size} bytes. Give the key that was made at first start.");
    }
}
