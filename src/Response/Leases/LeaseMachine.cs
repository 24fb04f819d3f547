using Sekisho.Response.Policies;

namespace Sekisho.Response.Leases;

/// <summary>Why a person's wish was not followed.</summary>
internal enum LeaseRefusal
{
    None,
    WrongState,
    CannotUndo,
    SamePerson,

    /// <summary>What is held is the same person's own doing.</summary>
    OwnDoing,
}

/// <summary>
/// The states of a lease and every way between them. Pure: a lease, what happened, the time, and out comes the next lease (null when it
/// does not apply any more, because somebody else was faster).
/// </summary>
internal static class LeaseMachine
{
    /// <summary>Takes a due lease, or one whose claim ran out, for a try. A lease that crashed its node every time ends as failed.</summary>
    public static Lease? Claim(Lease lease, string node, string? before, bool canUndo, DateTimeOffset now, LeaseSettings settings)
    {
        if (lease.State is not (LeaseStates.Due or LeaseStates.Running) || lease.NextTryAt > now)
        {
            return null;
        }

        if (lease.Attempts >= settings.MostTries)
        {
            return lease.UndoAskedAt is not null && canUndo ? MakeSure(lease, now) : End(lease, LeaseStates.Failed, now, LeaseCauses.TriesUsedUp);
        }

        return lease with
        {
            State = LeaseStates.Running,
            Attempts = lease.Attempts + 1,
            StartedAt = lease.StartedAt ?? now,
            NextTryAt = now + Claimed(settings),
            ClaimedBy = node,
            Details = lease.Details with { Before = lease.Details.Before ?? before, Actor = Gateway },
        };
    }

    /// <summary>A later step of a ladder whose time has come: it is not done when somebody has the finding in hand, waits for people where they have to agree, and is else due as any other.</summary>
    /// <returns>Null when it is no planned step, or its time has not come.</returns>
    public static Lease? StepComes(Lease lease, bool handled, DateTimeOffset now, LeaseSettings settings)
    {
        if (lease.State != LeaseStates.Planned || lease.NextTryAt > now)
        {
            return null;
        }

        var ready = lease with { State = LeaseStates.Due, Details = lease.Details with { Actor = Gateway } };
        return handled ? End(ready, LeaseStates.Refused, now, LeaseCauses.HandledInTime)
            : lease.Details.Approvals.Count < Approvals.Needed(lease.Approval) ? Waiting(ready, now, settings)
            : ready;
    }

    /// <summary>It waits for people, and for so long only.</summary>
    public static Lease Waiting(Lease lease, DateTimeOffset now, LeaseSettings settings) =>
        lease with { State = LeaseStates.WaitingApproval, NextTryAt = now + settings.ApprovalLasts };

    /// <summary>Nobody agreed in time: it is not done.</summary>
    public static Lease? ApprovalRanOut(Lease lease, DateTimeOffset now) =>
        lease.State != LeaseStates.WaitingApproval || lease.NextTryAt is not { } until || until > now
            ? null
            : End(lease, LeaseStates.Expired, now, LeaseCauses.ApprovalRanOut) with { Details = lease.Details with { Actor = Gateway, Cause = LeaseCauses.ApprovalRanOut } };

    /// <summary>A lock-out that never ends by itself is still in force: people are told again.</summary>
    public static Lease? Remind(Lease lease, DateTimeOffset now, LeaseSettings settings) =>
        lease is not { State: LeaseStates.Done, ExpiresAt: null, UndoAskedAt: null } || lease.NextTryAt is not { } due || due > now
            ? null
            : lease with { NextTryAt = now + settings.ReviewAfter, Details = lease.Details with { Reminders = lease.Details.Reminders + 1, Actor = Gateway } };

    /// <summary>The action is done.</summary>
    public static Lease? Done(Lease lease, bool canUndo, bool locksOut, bool holds, string? cause, DateTimeOffset now, LeaseSettings settings, bool stays = false, DateTimeOffset? until = null)
    {
        if (lease.State != LeaseStates.Running)
        {
            return null;
        }

        var expires = stays ? null : until ?? Expiry.Of(canUndo, locksOut, lease.Risk, now, settings.RestrictionLasts);

        // Whoever had locked the device or the SIM before is the one to think of it.
        var isOurs = canUndo && locksOut && cause is null;
        var done = End(lease, LeaseStates.Done, now, cause) with
        {
            ExpiresAt = expires,
            NextTryAt = expires ?? (isOurs ? now + settings.ReviewAfter : null),
            Holds = holds,
            Held = holds,

            // The one that was tried for its group is what was done; the others were covered by it.
            GroupKey = null,
            Details = lease.Details with { Cause = cause, LastError = null, Actor = Gateway },
        };

        // A person took it back while it was being done: its undo is due at once.
        if (lease.UndoAskedAt is not null)
        {
            return canUndo
                ? done with { NextTryAt = now, Attempts = 0 }
                : done with { UndoAskedAt = null, NextTryAt = null, Details = done.Details with { Cause = LeaseCauses.TakenBackTooLate } };
        }

        // Taken back while it was being done: it came into force for nothing.
        return lease.Details.Retracted is { } reason ? Retract(done, canUndo, reason, now) ?? done : done;
    }

    /// <summary>
    /// The finding is taken back. What has not been done is not done any more; a restriction that rests on the finding alone ends. A lock-out that
    /// never ends by itself, and whatever a person agreed to, stays until a person ends it, and says so.
    /// </summary>
    /// <returns>Null when that changes nothing.</returns>
    public static Lease? Retract(Lease lease, bool canUndo, string reason, DateTimeOffset now)
    {
        var marked = lease with { Details = lease.Details with { Retracted = reason } };
        return lease.State switch
        {
            LeaseStates.Due when canUndo && lease.StartedAt is not null => MakeSure(marked with { Details = marked.Details with { Actor = Gateway, Cause = LeaseCauses.FindingRetracted, Reason = null } }, now),
            LeaseStates.WaitingApproval or LeaseStates.Planned or LeaseStates.Due => End(marked, LeaseStates.Refused, now, LeaseCauses.FindingRetracted) with
            {
                GroupKey = null,
                Details = marked.Details with { Cause = LeaseCauses.FindingRetracted, Actor = Gateway },
            },
            LeaseStates.Running => IsWaiting(lease) && lease.ClaimedBy is null ? marked with { NextTryAt = now } : marked,
            LeaseStates.Done when canUndo && lease.UndoAskedAt is null => lease.ExpiresAt is null || lease.Details.Approvals.Count > 0
                ? marked with { Details = marked.Details with { Cause = LeaseCauses.KeptForPerson } }
                : marked with
                {
                    UndoAskedAt = now,
                    NextTryAt = now,
                    Attempts = 0,
                    Details = marked.Details with { Actor = Gateway, Cause = LeaseCauses.FindingRetracted, Reason = null },
                },
            _ => null,
        };
    }

    /// <summary>It is under way and waits for somebody else.</summary>
    public static bool IsWaiting(Lease lease) => lease is { State: LeaseStates.Running, Details.Cause: LeaseCauses.WaitsForDevice };

    /// <summary>The try found that it has to wait for somebody else; it does not count as one.</summary>
    public static Lease? Waits(Lease lease, string cause, DateTimeOffset until) => lease.State != LeaseStates.Running ? null : lease with
    {
        Attempts = lease.Attempts - 1,
        NextTryAt = until,
        ClaimedBy = null,
        Details = lease.Details with { Cause = cause, LastError = null },
    };

    /// <summary>A lease that waited in a group was done with the others by one try.</summary>
    public static Lease? Covered(Lease lease, string cause, DateTimeOffset now) =>
        lease.State is LeaseStates.Due or LeaseStates.Running ? End(lease, LeaseStates.Done, now, cause) with { StartedAt = lease.StartedAt ?? now } : null;

    /// <summary>The action cannot be done at all.</summary>
    public static Lease? RefusedBecause(Lease lease, string cause, string? error, DateTimeOffset now)
    {
        var refused = End(lease, LeaseStates.Refused, now, cause);
        return lease.State != LeaseStates.Running ? null : error is null ? refused : refused with { Details = refused.Details with { LastError = error } };
    }

    /// <summary>A person takes an order back, whatever became of it: what is not done is not done any more, what is being done, in force or might be in force is undone.</summary>
    public static Lease? TakenBack(Lease lease, bool canUndo, string by, string reason, DateTimeOffset now) => lease.State switch
    {
        LeaseStates.Due when canUndo && lease.StartedAt is not null => MakeSure(lease with { Details = lease.Details with { Actor = by, Reason = reason, Cause = null } }, now),
        LeaseStates.WaitingApproval or LeaseStates.Planned or LeaseStates.Due =>
            End(lease, LeaseStates.Refused, now, null) with { GroupKey = null, Details = lease.Details with { Actor = by, Reason = reason } },
        LeaseStates.Running => lease with { UndoAskedAt = now, Details = lease.Details with { Actor = by, Reason = reason } },
        LeaseStates.Done or LeaseStates.Failed => AskUndo(lease, canUndo, by, reason, now).Next,
        _ => null,
    };

    /// <summary>A try failed: again later, or failed for good. What was taken back meanwhile is undone all the same: a try that failed may have come into force.</summary>
    public static Lease? TryFailed(Lease lease, string error, string? progress, bool canUndo, DateTimeOffset now, LeaseSettings settings)
    {
        if (lease.State != LeaseStates.Running)
        {
            return null;
        }

        var next = lease with { Details = lease.Details with { LastError = error, Progress = progress ?? lease.Details.Progress, Actor = Gateway } };
        if (IsWaiting(lease))
        {
            // The device has its order: whatever is to become of it, the look at it is tried again.
            return next with { Attempts = lease.Attempts - 1, ClaimedBy = null, NextTryAt = now + settings.FirstRetry };
        }

        if (lease.Details is { Retracted: not null, TellsRetraction: false } || lease.UndoAskedAt is not null)
        {
            var cause = lease.UndoAskedAt is null ? LeaseCauses.FindingRetracted : null;
            return canUndo ? MakeSure(next with { Details = next.Details with { Cause = cause } }, now) : End(next, LeaseStates.Refused, now, cause);
        }

        return lease.Attempts >= settings.MostTries
            ? End(next, LeaseStates.Failed, now, LeaseCauses.TriesUsedUp)
            : next with
            {
                State = LeaseStates.Due,
                ClaimedBy = null,
                NextTryAt = now + Backoff.After(lease.Attempts, settings.FirstRetry, settings.LongestRetry),
            };
    }

    /// <summary>A member of a group shares the fate of the one that was tried for all of them, and what this try achieved; what that one had achieved before may not be the member's.</summary>
    public static Lease? TryFailedFor(Lease member, Lease tried, string? progress, DateTimeOffset now)
    {
        if (member.State != LeaseStates.Due)
        {
            return null;
        }

        var next = member with
        {
            Attempts = tried.Attempts,
            NextTryAt = tried.NextTryAt,
            Details = member.Details with { LastError = tried.Details.LastError, Progress = progress ?? member.Details.Progress, Actor = Gateway },
        };
        return tried.State == LeaseStates.Failed ? End(next, LeaseStates.Failed, now, tried.Details.Cause) : next;
    }

    /// <summary>The try found that it has to wait, for its group or for its next part; it does not count as a failed one.</summary>
    public static Lease? Joined(Lease lease, string? group, DateTimeOffset until, string? progress, DateTimeOffset now)
    {
        if (lease.State != LeaseStates.Running)
        {
            return null;
        }

        // Whatever becomes of it: who was told by this try is known from now on.
        lease = progress is null ? lease : lease with { Details = lease.Details with { Progress = progress } };
        if (lease.Details is { Retracted: not null, TellsRetraction: false })
        {
            return End(lease, LeaseStates.Refused, now, LeaseCauses.FindingRetracted) with { GroupKey = null };
        }

        // Somebody took it in hand while the next one was being told.
        if (lease.Details.Acknowledged is { } by)
        {
            return Acknowledged(lease with { State = LeaseStates.Due }, by.By, by.At);
        }

        return lease with
        {
            State = LeaseStates.Due,
            Attempts = progress is null ? lease.Attempts - 1 : 0,
            NextTryAt = until,
            GroupKey = group,
            ClaimedBy = null,
            Details = lease.Details with { LastError = progress is null ? lease.Details.LastError : null },
        };
    }

    /// <summary>A member of a group waits with the one that was tried for all of them.</summary>
    public static Lease? JoinedFor(Lease member, string? group, DateTimeOffset until, string? progress) => member.State != LeaseStates.Due ? null : member with
    {
        Attempts = 0,
        NextTryAt = until,
        GroupKey = group,
        Details = member.Details with { Progress = progress ?? member.Details.Progress, LastError = null },
    };

    /// <summary>Somebody has taken in hand what people are called for: nobody else is called.</summary>
    public static Lease? Acknowledged(Lease lease, string by, DateTimeOffset now)
    {
        var marked = lease with { Details = lease.Details with { Acknowledged = lease.Details.Acknowledged ?? new LeaseAcknowledgement(by, now) } };
        return lease.State switch
        {
            LeaseStates.WaitingApproval or LeaseStates.Planned or LeaseStates.Due => End(marked, LeaseStates.Done, now, LeaseCauses.Acknowledged) with
            {
                GroupKey = null,
                Details = marked.Details with { Actor = by, Cause = LeaseCauses.Acknowledged, LastError = null },
            },
            LeaseStates.Running when lease.Details.Acknowledged is null => marked,
            _ => null,
        };
    }

    /// <summary>One person agrees, in time. The last one needed makes it due.</summary>
    public static (Lease? Next, LeaseRefusal Refusal) Approve(Lease lease, string by, string reason, DateTimeOffset now)
    {
        if (lease.State != LeaseStates.WaitingApproval || lease.NextTryAt <= now)
        {
            return (null, LeaseRefusal.WrongState);
        }

        if (lease.Details.Approvals.Any(a => string.Equals(a.By, by, StringComparison.OrdinalIgnoreCase)))
        {
            return (null, LeaseRefusal.SamePerson);
        }

        var enough = lease.Details.Approvals.Count + 1 >= Approvals.Needed(lease.Approval);
        return (lease with
        {
            State = enough ? LeaseStates.Due : LeaseStates.WaitingApproval,
            NextTryAt = enough ? now : lease.NextTryAt,
            Details = lease.Details with { Actor = by, Reason = reason, Cause = enough ? null : lease.Details.Cause, Approvals = [.. lease.Details.Approvals, new LeaseApproval(by, now, reason)] },
        }, LeaseRefusal.None);
    }

    /// <summary>A person says no.</summary>
    public static (Lease? Next, LeaseRefusal Refusal) Refuse(Lease lease, string by, string reason, DateTimeOffset now) =>
        lease.State != LeaseStates.WaitingApproval
            ? (null, LeaseRefusal.WrongState)
            : (End(lease, LeaseStates.Refused, now, null) with { Details = lease.Details with { Actor = by, Reason = reason } }, LeaseRefusal.None);

    /// <summary>
    /// It was not done, and a person may have removed what was in the way: all tries were used up, or something was not set. Nobody overrules
    /// a person's refusal, and what is gone stays gone.
    /// </summary>
    public static bool CanRetry(Lease lease) =>
        lease.State == LeaseStates.Failed
        || lease is { State: LeaseStates.Done, UndoAskedAt: null, Details.Cause: LeaseCauses.DeviceSilent }
        || (lease.State == LeaseStates.Refused && lease.Details.Cause is { } cause && LeaseCauses.ThatPeopleRemove.Contains(cause));

    /// <summary>A person wants it tried again, with all tries. What an earlier try achieved, and how things stood before it, is kept.</summary>
    public static (Lease? Next, LeaseRefusal Refusal) Retry(Lease lease, string by, string reason, DateTimeOffset now) => !CanRetry(lease)
        ? (null, LeaseRefusal.WrongState)
        : (lease with
        {
            State = LeaseStates.Due,
            NextTryAt = now,
            Attempts = 0,
            EndedAt = null,
            GroupKey = null,
            Details = lease.Details with { Actor = by, Reason = reason, Cause = null, Retries = lease.Details.Retries + 1 },
        }, LeaseRefusal.None);

    /// <summary>It is done; or all its tries failed, and none of them can say that nothing came of it.</summary>
    public static bool MayBeInForce(Lease lease) => lease is { State: LeaseStates.Done } or { State: LeaseStates.Failed, Details.Cause: LeaseCauses.TriesUsedUp };

    /// <summary>A person wants it undone.</summary>
    public static (Lease? Next, LeaseRefusal Refusal) AskUndo(Lease lease, bool canUndo, string by, string reason, DateTimeOffset now, string? choice = null)
    {
        // What waits can be called off, also where it could not be undone.
        if (IsWaiting(lease) && lease.UndoAskedAt is null)
        {
            return (lease with { UndoAskedAt = now, NextTryAt = lease.ClaimedBy is null ? now : lease.NextTryAt, Details = lease.Details with { Actor = by, Reason = reason } }, LeaseRefusal.None);
        }

        if (!canUndo)
        {
            return (null, LeaseRefusal.CannotUndo);
        }

        if (!MayBeInForce(lease))
        {
            return (null, LeaseRefusal.WrongState);
        }

        var asked = lease with
        {
            UndoAskedAt = now,
            NextTryAt = now,
            Attempts = 0,
            Details = lease.Details with { Actor = by, Reason = reason, Cause = null, Choice = choice ?? lease.Details.Choice },
        };
        return (lease.State == LeaseStates.Done ? asked : MakeSure(asked, now), LeaseRefusal.None);
    }

    /// <summary>A person refuses what is in force; from then on it is ended as an undo is.</summary>
    public static (Lease? Next, LeaseRefusal Refusal) Decline(Lease lease, string by, string reason, DateTimeOffset now)
    {
        var (next, refusal) = lease.UndoAskedAt is null ? AskUndo(lease, lease.State == LeaseStates.Done, by, reason, now) : (null, LeaseRefusal.WrongState);
        return (next is null ? null : next with { Details = next.Details with { Declines = true } }, refusal);
    }

    /// <summary>Takes a lease whose undo was asked for, or that ran out, for a try of the undo.</summary>
    public static Lease? ClaimUndo(Lease lease, string node, DateTimeOffset now, LeaseSettings settings)
    {
        if (lease.State != LeaseStates.Done || lease.NextTryAt is not { } due || due > now || (lease.UndoAskedAt is null && lease.ExpiresAt is null))
        {
            return null;
        }

        return lease with
        {
            Attempts = lease.UndoAskedAt is null ? 1 : lease.Attempts + 1,
            UndoAskedAt = lease.UndoAskedAt ?? now,
            NextTryAt = now + Claimed(settings),
            ClaimedBy = node,
            Holds = false,
            Details = lease.UndoAskedAt is null ? lease.Details with { Actor = Gateway, Cause = LeaseCauses.RanOut } : lease.Details,
        };
    }

    /// <summary>The undo is done. By a person: undone; by the clock: expired.</summary>
    public static Lease? UndoDone(Lease lease, string? cause, DateTimeOffset now)
    {
        if (lease.State != LeaseStates.Done)
        {
            return null;
        }

        var ranOut = lease.Details.Cause == LeaseCauses.RanOut;
        return (ranOut, cause) switch
        {
            // An order that a device had to follow: whether it did is known at its time.
            (true, LeaseCauses.SecretNotRenewed) => End(lease, LeaseStates.Failed, now, cause) with { UndoAskedAt = null, ExpiresAt = null },
            (true, LeaseCauses.SecretRenewed) => End(lease, LeaseStates.Done, now, cause) with { UndoAskedAt = null, ExpiresAt = null },
            _ => End(lease, ranOut ? LeaseStates.Expired : lease.Details.Declines ? LeaseStates.Refused : LeaseStates.Undone, now, cause ?? lease.Details.Cause) with { Held = false },
        };
    }

    /// <summary>The device has followed the order: nothing is left to undo itself.</summary>
    public static Lease? Followed(Lease lease, string cause, DateTimeOffset now) =>
        lease is not { State: LeaseStates.Done, UndoAskedAt: null, ExpiresAt: not null } ? null : End(lease, LeaseStates.Done, now, cause) with { ExpiresAt = null };

    /// <summary>The undo is under way and waits for somebody else; it does not count as a try.</summary>
    public static Lease? UndoWaits(Lease lease, DateTimeOffset until) => lease.State != LeaseStates.Done ? null : lease with
    {
        Attempts = lease.Attempts - 1,
        ClaimedBy = null,
        NextTryAt = until,
        Details = lease.Details with { LastError = null },
    };

    /// <summary>A try of the undo failed. It is tried for ever: a restriction that nobody wants any more must end.</summary>
    public static Lease? UndoFailed(Lease lease, string error, DateTimeOffset now, LeaseSettings settings) =>
        lease.State != LeaseStates.Done ? null : lease with
        {
            ClaimedBy = null,
            NextTryAt = now + Backoff.After(lease.Attempts, settings.FirstRetry, settings.LongestRetry),
            Details = lease.Details with { LastError = error },
        };

    /// <summary>Somebody let the device in without asking for the undo, or took it away: the lease is over.</summary>
    public static Lease? EndedElsewhere(Lease lease, string cause, DateTimeOffset now) =>
        lease.State != LeaseStates.Done || lease.UndoAskedAt is not null
            ? null
            : End(lease, LeaseStates.Undone, now, cause) with { Holds = false, Held = false };

    private const string Gateway = "gateway";

    // Undoing what never came into force changes nothing; leaving in force what was thought to have failed would have no end.
    private static Lease MakeSure(Lease lease, DateTimeOffset now) => lease with
    {
        State = LeaseStates.Done,
        EndedAt = lease.EndedAt ?? now,
        UndoAskedAt = lease.UndoAskedAt ?? now,
        NextTryAt = now,
        Attempts = 0,
        GroupKey = null,
        ClaimedBy = null,
        Held = true,
    };

    // A try is cut off at its time limit; twice that leaves room to record it before another node may take the lease.
    private static TimeSpan Claimed(LeaseSettings settings) => settings.TryTimeout * 2;

    private static Lease End(Lease lease, string state, DateTimeOffset now, string? cause) => lease with
    {
        State = state,
        EndedAt = now,
        NextTryAt = null,
        ClaimedBy = null,
        Details = lease.Details with { Cause = cause },
    };
}
