using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;

namespace Sekisho.Response;

/// <summary>Problems of this stage's routes. Slugs are append-only.</summary>
internal static class ResponseProblems
{
    /// <summary>The response is not in a state in which this can be done.</summary>
    public static readonly ProblemType WrongState = new("response-state", StatusCodes.Status409Conflict);

    /// <summary>What was sent cannot be taken back.</summary>
    public static readonly ProblemType CannotUndo = new("response-cannot-undo", StatusCodes.Status409Conflict);

    /// <summary>The second approval has to come from somebody else.</summary>
    public static readonly ProblemType SamePerson = new("response-same-person", StatusCodes.Status409Conflict);

    /// <summary>What is held is the caller's own doing.</summary>
    public static readonly ProblemType OwnDoing = new("response-own-doing", StatusCodes.Status409Conflict);

    /// <summary>No recipient and no webhook.</summary>
    public static readonly ProblemType NobodyToNotify = new("notification-nobody", StatusCodes.Status409Conflict);

    /// <summary>Rules or a script without a signature, where only signed ones are taken.</summary>
    public static readonly ProblemType Unsigned = new("response-unsigned", StatusCodes.Status422UnprocessableEntity);

    /// <summary>Changed after it was signed.</summary>
    public static readonly ProblemType Tampered = new("response-tampered", StatusCodes.Status422UnprocessableEntity);

    /// <summary>Signed with a key that nobody here trusts.</summary>
    public static readonly ProblemType UnknownSigner = new("response-unknown-signer", StatusCodes.Status422UnprocessableEntity);

    /// <summary>A file that is not newer than one that was imported.</summary>
    public static readonly ProblemType Older = new("response-rules-older", StatusCodes.Status409Conflict);

    /// <summary>The field's own rules are damaged.</summary>
    public static readonly ProblemType RulesUnreadable = new("response-rules-unreadable", StatusCodes.Status409Conflict);

    /// <summary>More scripts than a field, or versions than a script, can have.</summary>
    public static readonly ProblemType TooManyScripts = new("response-script-too-many", StatusCodes.Status409Conflict);

    /// <summary>The version was neither played over past detections nor on trial.</summary>
    public static readonly ProblemType Untried = new("response-script-untried", StatusCodes.Status409Conflict);

    /// <summary>No version of the script is active or on trial.</summary>
    public static readonly ProblemType ScriptNotInForce = new("response-script-not-in-force", StatusCodes.Status409Conflict);

    /// <summary>Too many requests with one link, or with none that is good.</summary>
    public static readonly ProblemType TooManyLinks = new("acknowledge-too-many", StatusCodes.Status429TooManyRequests);

    /// <summary>The caller is not among those who may lock the field down.</summary>
    public static readonly ProblemType NotInPlan = new("emergency-not-in-plan", StatusCodes.Status403Forbidden);

    /// <summary>Nothing that the step names is locked any more.</summary>
    public static readonly ProblemType NothingToRelease = new("emergency-nothing-to-release", StatusCodes.Status409Conflict);

    /// <summary>The incident is not in a state in which this can be done.</summary>
    public static readonly ProblemType IncidentState = new("incident-state", StatusCodes.Status409Conflict);

    /// <summary>Responses still hold devices of the incident, and nobody decided on them; the faults say which.</summary>
    public static readonly ProblemType IncidentHeld = new("incident-held", StatusCodes.Status409Conflict);

    /// <summary>Another step of the recovery comes first.</summary>
    public static readonly ProblemType StepOrder = new("incident-step-order", StatusCodes.Status409Conflict);

    /// <summary>No more comments fit.</summary>
    public static readonly ProblemType IncidentFull = new("incident-full", StatusCodes.Status409Conflict);

    /// <summary>Another receiver reports back by the same name.</summary>
    public static readonly ProblemType SocReporterTaken = new("soc-reporter-taken", StatusCodes.Status409Conflict);

    /// <summary>No receiver reports back by the caller's name.</summary>
    public static readonly ProblemType SocNoReporter = new("soc-no-reporter", StatusCodes.Status403Forbidden);

    /// <summary>The receiver is off, or not connected.</summary>
    public static readonly ProblemType SocNotSending = new("soc-not-sending", StatusCodes.Status409Conflict);

    /// <summary>More receivers than a field can have.</summary>
    public static readonly ProblemType SocTooMany = new("soc-too-many", StatusCodes.Status409Conflict);

    /// <summary>More webhooks than a field can have.</summary>
    public static readonly ProblemType WebhookTooMany = new("webhook-too-many", StatusCodes.Status409Conflict);

    public static readonly IReadOnlyList<ProblemType> All =
    [
        WrongState, CannotUndo, SamePerson, OwnDoing, NobodyToNotify, TooManyLinks, NotInPlan, NothingToRelease, IncidentState, IncidentHeld, StepOrder, IncidentFull,
        Unsigned, Tampered, UnknownSigner, Older, RulesUnreadable, TooManyScripts, Untried, ScriptNotInForce,
        SocReporterTaken, SocNoReporter, SocNotSending, SocTooMany, WebhookTooMany,
    ];
}
