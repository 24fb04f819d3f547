using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Response.Leases;

/// <summary>One action bound to one finding and one target, with what became of it. Immutable; <see cref="LeaseMachine"/> makes the next one.</summary>
internal sealed record Lease
{
    /// <summary>Characters of a reason that a person gives, at most.</summary>
    public const int LongestReason = 500;

    /// <summary>Derived from finding, action and target, so that the same finding never orders the same action twice.</summary>
    public required string Id { get; init; }

    /// <summary>Counts the changes; a change that was decided on an older one is refused by the store.</summary>
    public long Version { get; init; }

    /// <summary>The finding; null for a test notification.</summary>
    public string? FindingId { get; init; }

    public string? FieldId { get; init; }

    public string? DeviceId { get; init; }

    public required string Action { get; init; }

    /// <summary>What the action works on: a device, a list of recipients, the field's webhook. Leases of one target run one after another.</summary>
    public required string Target { get; init; }

    /// <summary>One of <see cref="LeaseStates"/>.</summary>
    public required string State { get; init; }

    public required string Risk { get; init; }

    public required string Level { get; init; }

    public required string Condition { get; init; }

    /// <summary>One of <see cref="Policies.Approvals"/>.</summary>
    public required string Approval { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it reached done, failed, undone, expired or refused.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When a restriction undoes itself; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Tries of the action, after an undo was asked for tries of the undo.</summary>
    public int Attempts { get; init; }

    /// <summary>When the queue next looks at it; null when nothing is to come.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    public DateTimeOffset? UndoAskedAt { get; init; }

    /// <summary>It wants its device locked. Falls before the undo looks for other holders, so that two undos at once cannot both leave it to the other.</summary>
    public bool Holds { get; init; }

    /// <summary>The lock on its device is the responses' own (this one's or one it joined), so the last undo releases it.</summary>
    public bool Held { get; init; }

    /// <summary>Leases that wait to be done together, by one summary.</summary>
    public string? GroupKey { get; init; }

    /// <summary>Node that works on it.</summary>
    public string? ClaimedBy { get; init; }

    public required string CorrelationId { get; init; }

    public required LeaseDetails Details { get; init; }

    /// <summary>When it was ordered or changed last.</summary>
    public DateTimeOffset ChangedAt => Details.ChangedAt ?? EndedAt ?? UndoAskedAt ?? StartedAt ?? CreatedAt;

    /// <summary>"l" and 15 characters of 0-9 and a-z.</summary>
    public static string IdOf(string cause, string action, string target)
    {
        const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{cause}\n{action}\n{target}"));
        var id = new char[16];
        id[0] = 'l';
        for (var i = 1; i < id.Length; i++)
        {
            id[i] = Alphabet[hash[i] % Alphabet.Length];
        }

        return new string(id);
    }
}

/// <summary>The part of a lease that is stored encrypted.</summary>
internal sealed record LeaseDetails
{
    /// <summary>Who ordered it: "policy" or an account.</summary>
    public required string Owner { get; init; }

    /// <summary>Who moved it last: "gateway" or an account.</summary>
    public required string Actor { get; init; }

    /// <summary>Why, in the words of the person who moved it last.</summary>
    public string? Reason { get; init; }

    /// <summary>Why, as a stable name with a text response.cause.NAME; set by the gateway.</summary>
    public string? Cause { get; init; }

    /// <summary>How a person wants it undone, one of the action's choices; null for as the settings say.</summary>
    public string? Choice { get; init; }

    /// <summary>Fault of the last try.</summary>
    public string? LastError { get; init; }

    /// <summary>How things stood before the first try; recorded before it, so that a repeat after a crash knows.</summary>
    public string? Before { get; init; }

    /// <summary>What a try achieved that must not be done again.</summary>
    public string? Progress { get; init; }

    /// <summary>Why the finding was taken back, a stable name with a text finding.retracted.NAME; null while it stands.</summary>
    public string? Retracted { get; init; }

    /// <summary>A notification that tells the retraction, not the finding.</summary>
    public bool TellsRetraction { get; init; }

    /// <summary>A notification that tells something about responses themselves, not about a finding; null for the others.</summary>
    public LeaseNotice? Notice { get; init; }

    /// <summary>How often people were reminded that the lock-out still holds.</summary>
    public int Reminders { get; init; }

    /// <summary>How often a person had it tried again after it failed.</summary>
    public int Retries { get; init; }

    /// <summary>What the device said of it, as JSON of at most 2,048 characters; of a wipe that is the proof. Null for nothing.</summary>
    public string? Answer { get; init; }

    /// <summary>A person refused what is in force: its end is no undo.</summary>
    public bool Declines { get; init; }

    /// <summary>The ticket that it opened or shares; null for none.</summary>
    public LeaseTicket? Ticket { get; init; }

    /// <summary>Masked addresses that the mail server refuses; the others have the mail.</summary>
    public IReadOnlyList<string> RefusedAddresses { get; init; } = [];

    public IReadOnlyList<LeaseApproval> Approvals { get; init; } = [];

    /// <summary>Who took in hand what it called people for; null while nobody has.</summary>
    public LeaseAcknowledgement? Acknowledged { get; init; }

    /// <summary>When it was changed last, always later than before; null when it never was.</summary>
    public DateTimeOffset? ChangedAt { get; init; }
}

/// <summary>A ticket at a desk outside.</summary>
/// <param name="Number">How the desk calls it.</param>
/// <param name="Link">Its address; null when the desk gave none.</param>
internal sealed record LeaseTicket(string Number, string? Link);
/// <summary>One person took it in hand.</summary>
internal sealed record LeaseAcknowledgement(string By, DateTimeOffset At);

/// <summary>What a notice says: texts response.notice.NAME.subject and .text with values in their places.</summary>
internal sealed record LeaseNotice(string Name, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Places that are filled with texts in the reader's language, by the keys of those.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();

    /// <summary>What is listed one by one.</summary>
    public IReadOnlyList<NoticeLine> Lines { get; init; } = [];

    /// <summary>Addresses that are told besides those of the settings, such as those that were removed from them.</summary>
    public IReadOnlyList<string> AlsoTo { get; init; } = [];
}

/// <summary>One line of a notice.</summary>
/// <param name="At">When it happened.</param>
/// <param name="Key">Key of its text.</param>
/// <param name="Values">What stands in its places.</param>
internal sealed record NoticeLine(DateTimeOffset At, string Key, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Places that are filled with texts in the reader's language, by the keys of those.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();
}

/// <summary>One person's yes.</summary>
internal sealed record LeaseApproval(string By, DateTimeOffset At, string Reason);

/// <summary>Stable names of the states of a lease.</summary>
internal static class LeaseStates
{
    public const string WaitingApproval = "waiting-approval";
    public const string Due = "due";

    /// <summary>A later step of a ladder: comes at its time, unless a person has taken the finding in hand by then.</summary>
    public const string Planned = "planned";
    public const string Running = "running";

    /// <summary>Done and, where it can be undone, in force.</summary>
    public const string Done = "done";

    public const string Failed = "failed";
    public const string Undone = "undone";
    public const string Expired = "expired";
    public const string Refused = "refused";

    public static readonly IReadOnlyList<string> All = [WaitingApproval, Planned, Due, Running, Done, Failed, Undone, Expired, Refused];
}

/// <summary>Stable names of the gateway's reasons; each has a text response.cause.NAME.</summary>
internal static class LeaseCauses
{
    public const string UnknownAction = "unknown-action";
    public const string NoDevice = "no-device";
    public const string DeviceGone = "device-gone";
    public const string FindingGone = "finding-gone";
    public const string NoRecipients = "no-recipients";
    public const string NoMailServer = "no-mail-server";
    public const string PasswordInClear = "password-in-clear";
    public const string NoWebhook = "no-webhook";
    public const string NoWebhookWants = "no-webhook-wants";
    public const string AddressNotAllowed = "address-not-allowed";
    public const string AlreadyLocked = "already-locked";
    public const string StillHeld = "still-held";
    public const string LockedByOthers = "locked-by-others";
    public const string ReleasedElsewhere = "released-elsewhere";
    public const string TicketGone = "ticket-gone";
    public const string TicketNumberUnknown = "ticket-number-unknown";
    public const string TicketShared = "ticket-shared";
    public const string TicketStaysOpen = "ticket-stays-open";
    public const string TicketStillShared = "ticket-still-shared";
    public const string CommandGone = "command-gone";
    public const string CommandSettled = "command-settled";
    public const string CommandStaysHeld = "command-stays-held";
    public const string DeviceFailed = "device-failed";
    public const string DeviceRefused = "device-refused";
    public const string DeviceSilent = "device-silent";
    public const string OrderDamaged = "order-damaged";
    public const string NoCommand = "no-command";
    public const string TakenBack = "taken-back";
    public const string TakenBackTooLate = "taken-back-too-late";
    public const string WaitsForDevice = "waits-for-device";
    public const string TriesUsedUp = "tries-used-up";
    public const string InSummary = "in-summary";
    public const string SomeRefused = "some-refused";
    public const string RanOut = "ran-out";
    public const string FindingRetracted = "finding-retracted";
    public const string KeptForPerson = "kept-for-person";
    public const string NoSim = "no-sim";
    public const string NoSimProvider = "no-sim-provider";
    public const string SimNotOffered = "sim-not-offered";
    public const string SimUnknown = "sim-unknown";
    public const string SimForbidden = "sim-forbidden";
    public const string SimTerminated = "sim-terminated";
    public const string SimCarriesMany = "sim-carries-many";
    public const string SimOffAlready = "sim-off-already";
    public const string SimStillHeld = "sim-still-held";
    public const string SimStaysOff = "sim-stays-off";
    public const string SimChangedElsewhere = "sim-changed-elsewhere";
    public const string BlastRadius = "blast-radius";
    public const string OthersDoing = "others-doing";
    public const string ApprovalRanOut = "approval-ran-out";
    public const string HandledInTime = "handled-in-time";
    public const string NoNetworkLink = "no-network-link";
    public const string NoTicketDesk = "no-ticket-desk";
    public const string TicketAnswerUnreadable = "ticket-answer-unreadable";
    public const string NothingReachable = "nothing-reachable";
    public const string NetworkProtected = "network-protected";
    public const string QuarantineHeld = "quarantine-held";
    public const string SecretOrdered = "secret-ordered";
    public const string SecretRenewed = "secret-renewed";
    public const string SecretNotRenewed = "secret-not-renewed";
    public const string SecretShared = "secret-shared";
    public const string WaitsForSummary = "waits-for-summary";
    public const string QuietHours = "quiet-hours";
    public const string OutsideHours = "outside-hours";
    public const string ToldAlready = "told-already";
    public const string CallGoesOn = "call-goes-on";
    public const string NoOnCall = "no-on-call";
    public const string BelowOnCall = "below-on-call";
    public const string Acknowledged = "acknowledged";
    public const string NobodyAcknowledged = "nobody-acknowledged";
    public const string NobodyReached = "nobody-reached";
    public const string NoScript = "no-script";
    public const string ScriptNotActive = "script-not-active";
    public const string ScriptFault = "script-fault";
    public const string ScriptUnreadable = "script-unreadable";
    public const string ScriptOnTrial = "script-on-trial";
    public const string ScriptOrderedNothing = "script-ordered-nothing";

    /// <summary>Obstacles in settings, which a person can remove; then the response can be tried again.</summary>
    public static readonly IReadOnlyList<string> ThatPeopleRemove =
    [
        NoRecipients, NoMailServer, PasswordInClear, NoWebhook, NoTicketDesk, AddressNotAllowed, NoSim, SimNotOffered, SimUnknown, SimForbidden, SimCarriesMany, NoNetworkLink, NetworkProtected,
        NoOnCall, ScriptNotActive, ScriptFault, ScriptUnreadable, DeviceFailed, DeviceRefused, DeviceSilent, OrderDamaged, SecretShared, TicketAnswerUnreadable,
    ];

    public static readonly IReadOnlyList<string> All =
    [
        UnknownAction, NoDevice, DeviceGone, FindingGone, NoRecipients, NoMailServer, PasswordInClear, NoWebhook, AddressNotAllowed, AlreadyLocked, StillHeld,
        LockedByOthers, ReleasedElsewhere, TriesUsedUp, InSummary, SomeRefused, RanOut, FindingRetracted, KeptForPerson, BlastRadius, OthersDoing, ApprovalRanOut, HandledInTime,
        NoNetworkLink, NothingReachable, NetworkProtected, QuarantineHeld, SecretOrdered, SecretRenewed, SecretNotRenewed, SecretShared,
        CommandGone, CommandSettled, CommandStaysHeld, DeviceFailed, DeviceRefused, DeviceSilent, OrderDamaged, NoCommand, TakenBack, TakenBackTooLate, WaitsForDevice,
        NoWebhookWants, NoTicketDesk, TicketAnswerUnreadable, TicketGone, TicketNumberUnknown, TicketShared, TicketStaysOpen, TicketStillShared,
        NoScript, ScriptNotActive, ScriptFault, ScriptUnreadable, ScriptOnTrial, ScriptOrderedNothing,
        WaitsForSummary, QuietHours, OutsideHours, ToldAlready, CallGoesOn, NoOnCall, BelowOnCall, Acknowledged, NobodyAcknowledged, NobodyReached,
        NoSim, NoSimProvider, SimNotOffered, SimUnknown, SimForbidden, SimTerminated, SimCarriesMany, SimOffAlready, SimStillHeld, SimStaysOff, SimChangedElsewhere,
    ];
}
