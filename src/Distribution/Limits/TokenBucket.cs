namespace Sekisho.Distribution.Limits;

/// <summary>
/// A token bucket. Pure arithmetic over seconds; its owner locks. A request larger than the bucket passes when the bucket is full and leaves a
/// debt, so that nothing allowed by its size is refused for ever.
/// </summary>
internal struct TokenBucket
{
    private double _level;
    private double _at;
    private bool _begun;

    /// <summary>Seconds until <paramref name="count"/> tokens may be taken; 0 when now.</summary>
    public double Wait(double count, double perSecond, double burst, double now)
    {
        if (!_begun)
        {
            (_level, _at, _begun) = (burst, now, true);
        }

        _level = Math.Min(burst, _level + (Math.Max(0, now - _at) * perSecond));
        _at = Math.Max(_at, now);
        var missing = Math.Min(count, burst) - _level;
        return missing <= 0 ? 0 : missing / perSecond;
    }

    /// <summary>Takes tokens after <see cref="Wait"/> said 0.</summary>
    public void Take(double count) => _level -= count;
}
