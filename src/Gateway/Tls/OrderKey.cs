using System.Security.Cryptography;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Gateway.Tls;

/// <summary>
/// The key that orders to enforcers on the network are signed with: order.key in the data folder, encrypted under the master key, made when it is first
/// needed. Enforcers pin its public part, so a key that is lost means that each of them is enrolled anew. Any thread.
/// </summary>
internal sealed class OrderKey : IDisposable
{
    private static readonly byte[] s_context = "order.key"u8.ToArray();
    private readonly Lock _signing = new(); // guards the key: one signature at a time
    private readonly ECDsa _key;

    private OrderKey(ECDsa key) => (_key, PublicPem) = (key, key.ExportSubjectPublicKeyInfoPem());

    public string PublicPem { get; }

    /// <summary>Loads the key from the data folder, or makes it.</summary>
    /// <exception cref="StorageException">The file holds no key, or belongs to another master key.</exception>
    public static OrderKey Open(string dataFolder, MasterKey master)
    {
        var file = Path.Combine(dataFolder, "order.key");
        using var cipher = new ColumnCipher(master, "order-key");
        if (!File.Exists(file))
        {
            var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            DurableFile.Create(file, cipher.Protect(made.ExportPkcs8PrivateKey(), s_context));
            return new OrderKey(made);
        }

        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(cipher.Unprotect(File.ReadAllBytes(file), s_context), out _);
            return new OrderKey(key);
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new StorageException($"{file} holds no key. Restore it from a backup, or remove it to have a new one made (every sensor that enforces must then be enrolled anew).", e);
        }
    }

    public byte[] Sign(byte[] order)
    {
        lock (_signing)
        {
            return _key.SignData(order, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    public void Dispose() => _key.Dispose();
}
