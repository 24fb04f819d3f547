namespace Sekisho.Response.Leases;

/// <summary>
/// The clock was ahead and was set back. What was written meanwhile would be due when that time comes again: it is as if it were written now. A pause
/// that is longer than any is over. Pure.
/// </summary>
internal static class ClockSetBack
{
    /// <summary>The clocks of nodes differ by less, and steps of time servers are smaller.</summary>
    public static readonly TimeSpan ClocksDiffer = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_longestLook = TimeSpan.FromHours(1);

    /// <summary>The lease as it is by the right clock.</summary>
    /// <returns>Null when nothing in it is of a time to come.</returns>
    public static Lease? Of(Lease lease, DateTimeOffset now, LeaseSettings settings)
    {
        if (lease.NextTryAt is not { } due)
        {
            return null;
        }

        var written = new[] { lease.CreatedAt, lease.StartedAt ?? lease.CreatedAt, lease.EndedAt ?? lease.CreatedAt }.Max();
        if (written > now + ClocksDiffer)
        {
            DateTimeOffset? Back(DateTimeOffset? time) => time > now ? now : time;
            return lease with
            {
                CreatedAt = lease.CreatedAt > now ? now : lease.CreatedAt,
                StartedAt = Back(lease.StartedAt),
                EndedAt = Back(lease.EndedAt),
                UndoAskedAt = Back(lease.UndoAskedAt),
                ExpiresAt = lease.ExpiresAt - (written - now),
                NextTryAt = due - (written - now) is var shifted && shifted > now ? shifted : now,
            };
        }

        return IsTried(lease) && due > now + LongestPause(settings) ? lease with { NextTryAt = now } : null;
    }

    /// <summary>No pause between two tries is longer.</summary>
    public static TimeSpan LongestPause(LeaseSettings settings) => settings.LongestRetry > s_longestLook ? settings.LongestRetry : s_longestLook;

    // Groups wait for hours of people, and look at the clock themselves.
    private static bool IsTried(Lease lease) =>
        lease.State == LeaseStates.Running || lease.UndoAskedAt is not null || lease is { State: LeaseStates.Due, GroupKey: null };
}
