namespace Sekisho.Devices.Tokens;

/// <summary>
/// What the check of tokens knows of a device. Marks of use are written by any thread without a lock: each is one plain volatile write and
/// the last one wins, which is all the rule on two senders asks for. <see cref="Tokens"/>, <see cref="Refusal"/> and <see cref="Watched"/>
/// are changed in the device's turn only.
/// </summary>
internal sealed class TokenHolder(string deviceId, string fieldId)
{
    private string? _refusal;
    private string? _watched;
    private string? _lastSource;
    private long _lastUse;
    private long _usedElsewhere;
    private long _ownIssues;
    private long _otherIssues;
    private TokenPair? _tokens;

    public string DeviceId { get; } = deviceId;

    public string FieldId { get; } = fieldId;

    /// <summary>Why the device is refused; null when it is not.</summary>
    public string? Refusal
    {
        get => Volatile.Read(ref _refusal);
        set => Volatile.Write(ref _refusal, value);
    }

    /// <summary>Null when it has none.</summary>
    public TokenPair? Tokens
    {
        get => Volatile.Read(ref _tokens);
        set => Volatile.Write(ref _tokens, value);
    }

    /// <summary>Address of a newer sender that waits; null when none does.</summary>
    public string? Watched => Volatile.Read(ref _watched);

    /// <summary>Where a token was last used or issued; null when never.</summary>
    public string? LastSource => Volatile.Read(ref _lastSource);

    /// <summary>When; the earliest time when never.</summary>
    public DateTimeOffset LastUse => Time(ref _lastUse);

    /// <summary>When the incumbent last showed itself from elsewhere than the watched sender; the earliest time when never since the watch began.</summary>
    public DateTimeOffset UsedElsewhere => Time(ref _usedElsewhere);

    /// <summary>Marks a use. True when the incumbent showed itself for the first time since the watch began.</summary>
    public bool Note(DateTimeOffset now, string source)
    {
        Volatile.Write(ref _lastUse, now.UtcTicks);
        Volatile.Write(ref _lastSource, source);
        return Watched is { } watched && !Sources.Same(watched, source) && Interlocked.Exchange(ref _usedElsewhere, now.UtcTicks) == 0;
    }

    /// <summary>Forgets the first sight, so that the next use reports it again.</summary>
    public void ReportAgain() => Volatile.Write(ref _usedElsewhere, 0);

    /// <summary>Watches for uses from elsewhere than this source, or ends the watch (null).</summary>
    public void Watch(string? source)
    {
        if (source is null || Watched is null)
        {
            Volatile.Write(ref _usedElsewhere, 0);
        }

        Volatile.Write(ref _watched, source);
    }

    /// <summary>Takes from the device's budget of tokens. Its own source has one for itself, so that nobody elsewhere can use it up.</summary>
    public TimeSpan TakeIssue(DateTimeOffset now, string source, int perMinute) =>
        Sources.Same(LastSource, source) ? Bucket.Take(ref _ownIssues, now, perMinute) : Bucket.Take(ref _otherIssues, now, perMinute);

    private static DateTimeOffset Time(ref long ticks) => new(Volatile.Read(ref ticks), TimeSpan.Zero);
}
