using Sekisho.Domain.Detection;

namespace Sekisho.Response.Policies;

/// <summary>How long a response holds. Pure.</summary>
internal static class Expiry
{
    /// <summary>
    /// When the lease ends by itself; null for never. A lock-out for theft or takeover never does: whoever has the device would only
    /// have to wait, so a person releases it. Every other restriction ends, because a forgotten one harms an innocent device for good.
    /// </summary>
    public static DateTimeOffset? Of(bool canUndo, bool locksOut, string risk, DateTimeOffset now, TimeSpan lasts) =>
        !canUndo || (locksOut && risk is (Risks.Theft or Risks.Takeover)) ? null : now + lasts;
}
