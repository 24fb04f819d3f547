namespace Sekisho.Detection.Thresholds;

/// <summary>What a member of a small set is to its subject.</summary>
internal enum Membership : byte
{
    /// <summary>Seen before.</summary>
    Known,

    /// <summary>Not seen before, in the time in which the set is learnt.</summary>
    Learning,

    /// <summary>Not seen before.</summary>
    New,

    /// <summary>Not seen before, but the subject finds new ones so often that it says nothing.</summary>
    Roaming,
}

/// <summary>
/// The few networks (gateways, agents, neighbours) that one subject uses: at most <see cref="Most"/>, with count, first and last sight; the one
/// unseen for longest makes room. A member is known once it was seen clean. Deterministic, constant memory, one lane at a time.
/// <code>
/// cell 0  clean sights   cell 1  time of the first   cell 2  members   cell 3  new ones after learning, halved each 30 days
/// cell 4  time of that halving   then per member: key, first sight, last sight, count
/// </code>
/// </summary>
internal static class KnownSet
{
    /// <summary>Most members kept.</summary>
    public const int Most = 16;

    /// <summary>Length of the state.</summary>
    public const int Cells = Header + (Most * Width);

    /// <summary>Milliseconds for which the set is learnt.</summary>
    public const long LearnFor = 2 * Day;

    /// <summary>Sights for which the set is learnt.</summary>
    public const int LearnSights = 20;

    /// <summary>Milliseconds after which few sights are enough.</summary>
    public const long LearnRareFor = 7 * Day;

    /// <summary>Sights of a subject that is seldom heard.</summary>
    public const int LearnRareSights = 5;

    /// <summary>So many new ones in about a month make a subject a roaming one.</summary>
    public const int RoamingAfter = 8;

    private const int Header = 5;
    private const int Width = 4;
    private const long Day = 86_400_000;

    /// <summary>What the member is; does not change the state.</summary>
    public static Membership Of(ReadOnlySpan<long> state, long key, long at)
    {
        if (Find(state, key) >= 0)
        {
            return Membership.Known;
        }

        var age = at - state[1];
        if (!(state[0] >= LearnSights && age >= LearnFor) && !(state[0] >= LearnRareSights && age >= LearnRareFor))
        {
            return Membership.Learning;
        }

        return state[3] >= RoamingAfter ? Membership.Roaming : Membership.New;
    }

    /// <summary>How many are kept.</summary>
    public static long Members(ReadOnlySpan<long> state) => state[2];

    /// <summary>Takes one sight, and says what the member was before it.</summary>
    /// <param name="state">The subject's state.</param>
    /// <param name="key">Stable hash of the member.</param>
    /// <param name="at">Event time, Unix milliseconds.</param>
    /// <param name="isClean">False when it must not become known by this; that it came is counted all the same.</param>
    public static Membership Observe(Span<long> state, long key, long at, bool isClean)
    {
        var membership = Of(state, key, at);
        if (membership is Membership.New or Membership.Roaming)
        {
            state[3]++;
        }

        if (at - state[4] >= 30 * Day)
        {
            (state[3], state[4]) = (state[3] / 2, at);
        }

        if (!isClean)
        {
            return membership;
        }

        if (state[0]++ == 0)
        {
            (state[1], state[4]) = (at, at);
        }

        var slot = Find(state, key);
        if (slot < 0)
        {
            slot = Free(state);
            (state[slot], state[slot + 1], state[slot + 2], state[slot + 3]) = (key, at, at, 0);
        }

        state[slot + 2] = Math.Max(state[slot + 2], at);
        state[slot + 3]++;
        return membership;
    }

    private static int Find(ReadOnlySpan<long> state, long key)
    {
        for (var slot = Header; slot < Header + ((int)state[2] * Width); slot += Width)
        {
            if (state[slot] == key)
            {
                return slot;
            }
        }

        return -1;
    }

    private static int Free(Span<long> state)
    {
        if (state[2] < Most)
        {
            return Header + ((int)state[2]++ * Width);
        }

        var oldest = Header;
        for (var slot = Header + Width; slot < Cells; slot += Width)
        {
            oldest = state[slot + 2] < state[oldest + 2] ? slot : oldest;
        }

        return oldest;
    }
}
