using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Lifecycle;

/// <summary>
/// Which state may follow which. Pure.
/// <code>
/// registered ─bind─▶ active ◀─decided─▶ pending
///     │                │                   │
///     └────────────────┴──locked out───────┘──▶ suspended, abnormal, stray ──released──▶ what it was fit for
/// every state but retired ──▶ retired (for good)
/// </code>
/// </summary>
internal static class LifecycleRules
{
    /// <summary>Why a device in this state is refused; null when it is not. A pending binding refuses the newer sender only, never the incumbent.</summary>
    public static string? Refusal(string state) => LifecycleStates.IsLockedOut(state) || state == LifecycleStates.Retired ? RefusalReasons.Suspended : null;

    /// <summary>True when a device may go from one state to the other (staying is no transition).</summary>
    public static bool Allows(string from, string to) => (from, to) switch
    {
        _ when from == to => false,
        (LifecycleStates.Retired, _) => false,
        (_, LifecycleStates.Retired) => true,
        (_, LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray) => true,
        (LifecycleStates.Registered, LifecycleStates.Active) => true,
        (LifecycleStates.Active, LifecycleStates.Pending) => true,
        (LifecycleStates.Pending, LifecycleStates.Active) => true,
        (LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray, LifecycleStates.Registered or LifecycleStates.Active or LifecycleStates.Pending) => true,
        _ => false,
    };

    /// <summary>Where a release leads.</summary>
    /// <param name="bound">The device authenticated before.</param>
    /// <param name="conflict">A confirmed conflict of two senders still waits for a decision.</param>
    public static string AfterRelease(bool bound, bool conflict) =>
        !bound ? LifecycleStates.Registered : conflict ? LifecycleStates.Pending : LifecycleStates.Active;
}
