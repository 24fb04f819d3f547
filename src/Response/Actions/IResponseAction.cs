using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;

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

    /// <summary>What it did restricts nobody: it stays until a person undoes it, and holds no device.</summary>
    bool Stays => false;

    /// <summary>It shuts a device out; for theft and takeover such a lease never ends by itself.</summary>
    bool LocksOut { get; }

    /// <summary>It takes something away from a device: the guard counts it, and lets only a share of a field be disturbed in an hour.</summary>
    bool Disturbs { get; }

    /// <summary>What it takes away may be gone for good (data, settings, the device's own operation): two persons agree unless a binding says otherwise.</summary>
    bool Destroys { get; }

    /// <summary>Ways of undoing it that a person may choose between; empty when there is one only.</summary>
    IReadOnlyList<string> UndoChoices => [];

    /// <summary>Every device (or other target) that it takes something away from; the guard counts them all. Memory only.</summary>
    /// <param name="deviceId">The finding's device.</param>
    /// <param name="target">What it works on.</param>
    IReadOnlyCollection<string> Reaches(string? deviceId, string target) => [deviceId ?? target];

    /// <summary>It tells people of the finding, who are told as well when the finding is taken back.</summary>
    bool Tells => !CanUndo;

    /// <summary>Target of the news that the finding was taken back: another one than the finding's where the two must never be told together.</summary>
    string RetractionTarget(string target) => target;

    /// <summary>Only a person may undo it, no API key.</summary>
    bool UndoTakesPerson => false;

    /// <summary>What is in force can be refused as well: that ends it the other way round than its undo (<see cref="LeaseDetails.Declines"/>).</summary>
    bool CanRefuse => false;

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

    /// <summary>Undoes it where that may take its time: what comes back says until when it waits. Most undo at once.</summary>
    async Task<UndoOutcome> BeginUndoAsync(ActionOrder order, CancellationToken cancellation) => new(await UndoAsync(order, cancellation), null);

    /// <summary>False when this account may not undo it, because it is the one whose doing is held.</summary>
    Task<bool> MayUndoAsync(Lease lease, string by, CancellationToken cancellation) => Task.FromResult(true);
}

/// <summary>What came of an undo.</summary>
/// <param name="Cause">Why things stay as they are (one of <see cref="LeaseCauses"/>); null when it really was undone.</param>
/// <param name="WaitsUntil">When to look again; null when it is done.</param>
internal readonly record struct UndoOutcome(string? Cause, DateTimeOffset? WaitsUntil);

/// <summary>One try.</summary>
/// <param name="Lease">As recorded before the try.</param>
/// <param name="Finding">What it answers; null for a test notification.</param>
internal sealed record ActionOrder(Lease Lease, Finding? Finding);

/// <summary>One sentence of a dry run.</summary>
/// <param name="Key">Key of the text, "response.preview.NAME".</param>
/// <param name="Values">What stands in its places; a value that is the key of a text stands for that text.</param>
internal sealed record PreviewLine(string Key, params IReadOnlyList<(string Name, string Value)> Values);

/// <summary>What a script ordered about a finding.</summary>
/// <param name="Finding">The finding.</param>
/// <param name="Orders">The orders, each with the script as its owner.</param>
internal sealed record ScriptedOrders(Finding Finding, IReadOnlyList<DueAction> Orders);

/// <summary>What came of a try.</summary>
internal abstract record ActionOutcome
{
    private ActionOutcome()
    {
    }

    /// <summary>What is recorded in the same transaction as the outcome; null for nothing.</summary>
    public Action<DbTransaction>? Along { get; init; }

    /// <summary>What a script ordered: it becomes responses in the same transaction as the outcome. Null for nothing.</summary>
    public ScriptedOrders? Orders { get; init; }

    /// <summary>What the device said of it, as JSON; null for nothing.</summary>
    public string? Answer { get; init; }

    /// <summary>A fault of a script that people are told of, whatever the outcome is; null for none.</summary>
    public string? Fault { get; init; }

    /// <summary>It is done.</summary>
    /// <param name="Holds">The responses own the lock on the device.</param>
    /// <param name="Cause">Something worth saying about it, one of <see cref="LeaseCauses"/>.</param>
    /// <param name="Covers">Leases that were done by the same try.</param>
    /// <param name="Ticket">The ticket that it led to.</param>
    public sealed record Done(bool Holds = false, string? Cause = null, IReadOnlyList<string>? Covers = null, LeaseTicket? Ticket = null) : ActionOutcome
    {
        /// <summary>When it ends by itself; null for as long as restrictions last.</summary>
        public DateTimeOffset? Until { get; init; }

        /// <summary>Masked addresses of those that it could not reach although it is done.</summary>
        public IReadOnlyList<string> RefusedAddresses { get; init; } = [];
    }

    /// <summary>It is under way and depends on somebody else: that is no failed try.</summary>
    /// <param name="Cause">On whom, one of <see cref="LeaseCauses"/>.</param>
    /// <param name="Until">When to look again.</param>
    public sealed record Wait(string Cause, DateTimeOffset Until) : ActionOutcome;

    /// <summary>It cannot be done as things are; trying again would not help.</summary>
    /// <param name="Cause">One of <see cref="LeaseCauses"/>.</param>
    public sealed record Refused(string Cause) : ActionOutcome
    {
        /// <summary>What exactly was wrong, for people; null when the cause says all.</summary>
        public string? Error { get; init; }
    }

    /// <summary>It did not work; try again later.</summary>
    /// <param name="Error">For people; no addresses, no secrets.</param>
    /// <param name="Progress">What must not be done again.</param>
    public sealed record Retry(string Error, string? Progress = null) : ActionOutcome;

    /// <summary>It is to be done together with others, or goes on later.</summary>
    /// <param name="Group">Key of the group.</param>
    /// <param name="Until">When.</param>
    /// <param name="Progress">What this try achieved and must not be done again; null for nothing.</param>
    /// <param name="With">Leases that this try was made for too, and that go the same way.</param>
    public sealed record Join(string Group, DateTimeOffset Until, string? Progress = null, IReadOnlyList<string>? With = null) : ActionOutcome;
}
