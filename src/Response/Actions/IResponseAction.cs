using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions;

/// <summary>
/// One kind of response. A new one is a class in a folder of its own, a line in ResponseFeature and its tests. A try may come twice (the
/// gateway was killed between action and record), so both directions are idempotent. Any thread; one at a time per target.
/// </summary>
internal interface IResponseAction
{
    /// <summary>Stable name, as bindings write it.</summary>
    string Name { get; }

    bool CanUndo { get; }

    /// <summary>It shuts a device out; for theft and takeover such a lease never ends by itself.</summary>
    bool LocksOut { get; }

    /// <summary>It takes something away from a device: the guard counts it, and lets only a share of a field be disturbed in an hour.</summary>
    bool Disturbs { get; }

    /// <summary>What it takes away may be gone for good (data, settings, the device's own operation): two persons agree unless a binding says otherwise.</summary>
    bool Destroys { get; }

    /// <summary>Ways of undoing it that a person may choose between; empty when there is one only.</summary>
    IReadOnlyList<string> UndoChoices => [];

    /// <summary>What it works on for this finding, or why it cannot work on it (one of <see cref="LeaseCauses"/>). Called in a lane: memory only.</summary>
    (string? Target, string? Refusal) TargetOf(Finding finding);

    /// <summary>How things stand before the first try, to be recorded before it; null when the action needs no such thing.</summary>
    string? Before(Lease lease);

    /// <summary>What would happen, for a person who has to decide ("this SIM carries 3 devices"): keys of texts with their values, without doing anything. Empty when the target says all.</summary>
    Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation);

    /// <summary>Does it. What throws is tried again.</summary>
    Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation);

    /// <summary>Undoes it. What throws is tried again.</summary>
    /// <returns>Why things stay as they are (one of <see cref="LeaseCauses"/>); null when it really was undone.</returns>
    Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation);
}

/// <summary>One try.</summary>
/// <param name="Lease">As recorded before the try.</param>
/// <param name="Finding">What it answers; null for a test notification.</param>
internal sealed record ActionOrder(Lease Lease, Finding? Finding);

/// <summary>One sentence of a dry run.</summary>
/// <param name="Key">Key of the text, "response.preview.NAME".</param>
/// <param name="Values">What stands in its places.</param>
internal sealed record PreviewLine(string Key, params IReadOnlyList<(string Name, string Value)> Values);

/// <summary>What came of a try.</summary>
internal abstract record ActionOutcome
{
    private ActionOutcome()
    {
    }

    /// <summary>It is done.</summary>
    /// <param name="Holds">The responses own the lock on the device.</param>
    /// <param name="Cause">Something worth saying about it, one of <see cref="LeaseCauses"/>.</param>
    /// <param name="Covers">Leases that were done by the same try.</param>
    /// <param name="Until">When it ends by itself, where that is not the usual time of a restriction.</param>
    public sealed record Done(bool Holds = false, string? Cause = null, IReadOnlyList<string>? Covers = null, DateTimeOffset? Until = null) : ActionOutcome;

    /// <summary>It cannot be done as things are; trying again would not help.</summary>
    /// <param name="Cause">One of <see cref="LeaseCauses"/>.</param>
    public sealed record Refused(string Cause) : ActionOutcome;

    /// <summary>It did not work; try again later.</summary>
    /// <param name="Error">For people; no addresses, no secrets.</param>
    /// <param name="Progress">What must not be done again.</param>
    public sealed record Retry(string Error, string? Progress = null) : ActionOutcome;

    /// <summary>It is to be done together with others.</summary>
    /// <param name="Group">Key of the group.</param>
    /// <param name="Until">When.</param>
    public sealed record Join(string Group, DateTimeOffset Until) : ActionOutcome;
}
