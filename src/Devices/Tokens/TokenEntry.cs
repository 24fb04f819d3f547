using Sekisho.Devices.Credentials;

namespace Sekisho.Devices.Tokens;

/// <summary>One live or expired token.</summary>
internal sealed class TokenEntry(TokenHolder holder, HashKey hash, int epoch, DateTimeOffset issuedAt, DateTimeOffset expiresAt, long place)
{
    private int _used;

    public TokenHolder Holder { get; } = holder;

    public HashKey Hash { get; } = hash;

    public int Epoch { get; } = epoch;

    public DateTimeOffset IssuedAt { get; } = issuedAt;

    public DateTimeOffset ExpiresAt { get; } = expiresAt;

    /// <summary>Order of issue within the device.</summary>
    public long Place { get; } = place;

    /// <summary>True once the device sent something with it since the start of the gateway.</summary>
    public bool Used
    {
        get => Volatile.Read(ref _used) != 0;
        set => Volatile.Write(ref _used, value ? 1 : 0);
    }
}

/// <summary>The tokens of a device: the newest, and the one before it while the newest was never used (its answer may have been lost).</summary>
internal sealed record TokenPair(TokenEntry Present, TokenEntry? Previous);
