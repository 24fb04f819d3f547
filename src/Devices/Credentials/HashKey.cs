using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Sekisho.Storage.Keys;

namespace Sekisho.Devices.Credentials;

/// <summary>A keyed hash as a key of a table: 32 bytes by value, so that looking one up allocates nothing.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct HashKey : IEquatable<HashKey>
{
    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    public static HashKey From(ReadOnlySpan<byte> hash) => MemoryMarshal.Read<HashKey>(hash);

    public byte[] ToArray()
    {
        var bytes = new byte[KeyedHash.Size];
        MemoryMarshal.Write(bytes, in this);
        return bytes;
    }

    public bool Equals(HashKey other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    public override bool Equals(object? obj) => obj is HashKey other && Equals(other);

    // A keyed hash is evenly spread and nobody outside can aim it.
    public override int GetHashCode() => (int)_a;

    /// <summary>Compares without telling by its time how much was equal.</summary>
    public bool FixedTimeEquals(in HashKey other) => CryptographicOperations.FixedTimeEquals(
        MemoryMarshal.AsBytes(new ReadOnlySpan<HashKey>(in this)), MemoryMarshal.AsBytes(new ReadOnlySpan<HashKey>(in other)));
}
