namespace Sekisho.Operations.SignIn;

/// <summary>One signed-in person at one place. Any thread: only the time of use and the epoch change.</summary>
internal sealed class Session(byte[] tokenHash, string accountId, long epoch, DateTimeOffset createdAt, DateTimeOffset usedAt, DateTimeOffset endsAt)
{
    private long _usedAt = usedAt.ToUnixTimeMilliseconds();
    private long _savedAt = usedAt.ToUnixTimeMilliseconds();
    private long _epoch = epoch;

    /// <summary>Keyed hash of its token.</summary>
    public byte[] TokenHash { get; } = tokenHash;

    public string AccountId { get; } = accountId;

    public DateTimeOffset CreatedAt { get; } = createdAt;

    /// <summary>Ends then, used or not.</summary>
    public DateTimeOffset EndsAt { get; } = endsAt;

    /// <summary>Epoch of the account that it belongs to.</summary>
    public long Epoch
    {
        get => Interlocked.Read(ref _epoch);
        set => Interlocked.Exchange(ref _epoch, value);
    }

    public DateTimeOffset UsedAt => DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Read(ref _usedAt));

    /// <summary>Notes a use; kept in memory until <see cref="TakeUnsaved"/>.</summary>
    public void Use(DateTimeOffset now) => Interlocked.Exchange(ref _usedAt, now.ToUnixTimeMilliseconds());

    /// <summary>Time of the last use when it is not stored yet, else null.</summary>
    public long? TakeUnsaved()
    {
        var used = Interlocked.Read(ref _usedAt);
        return Interlocked.Exchange(ref _savedAt, used) == used ? null : used;
    }
}
