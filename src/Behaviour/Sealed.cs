using System.Buffers.Binary;
using Sekisho.Storage.Keys;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour;

/// <summary>Encrypts and hashes what identifies sensors and devices on the wire: names, codes, MACs, addresses. Any thread.</summary>
internal sealed class Sealed(MasterKey key) : IDisposable
{
    private const int KeySize = 16;

    private readonly ColumnCipher _cipher = new(key, "behaviour");
    private readonly KeyedHash _code = new(key, "sensor-code");
    private readonly KeyedHash _device = new(key, "sensor-device");

    /// <summary>Encrypts a column of a row; it decrypts as that column of that row only.</summary>
    public byte[] Protect(string column, string row, ReadOnlySpan<byte> plain) => _cipher.Protect(plain, System.Text.Encoding.UTF8.GetBytes(column + ":" + row));

    public byte[] Protect(string column, string row, string text) => _cipher.Protect(text, column + ":" + row);

    public byte[] Read(string column, string row, byte[] data) => _cipher.Unprotect(data, System.Text.Encoding.UTF8.GetBytes(column + ":" + row));

    public string ReadText(string column, string row, byte[] data) => _cipher.UnprotectText(data, column + ":" + row);

    public byte[] Code(string code) => _code.Of(code);

    /// <summary>What a device is known by in tables and routes: says nothing of its MAC or address to who lacks the master key.</summary>
    public byte[] Device(ulong mac, NetAddress behindRouter)
    {
        Span<byte> bytes = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, mac);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], behindRouter.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], behindRouter.Low);
        Span<byte> hash = stackalloc byte[KeyedHash.Size];
        _device.Of(bytes, hash);
        return hash[..KeySize].ToArray();
    }

    public void Dispose() => _cipher.Dispose();
}
