namespace Sekisho.Response.Actions.RunScript;

/// <summary>A version of a response script as it was taken.</summary>
/// <param name="Version">From 1.</param>
/// <param name="At">When.</param>
/// <param name="By">Who brought it.</param>
/// <param name="Why">Why, for people.</param>
/// <param name="Text">The file with its signature.</param>
/// <param name="Signer">Short name of the key that signed it.</param>
internal sealed record ScriptVersion(int Version, DateTimeOffset At, string By, string? Why, string Text, string Signer);

/// <summary>Something that was decided about a version.</summary>
/// <param name="Number">From 1, in order.</param>
/// <param name="Version">Which version.</param>
/// <param name="State">One of <see cref="ScriptStates"/>.</param>
/// <param name="At">When.</param>
/// <param name="By">Who.</param>
/// <param name="Why">Why, for people.</param>
/// <param name="WithoutTrial">Why it was put in force untried; null when it was tried.</param>
internal sealed record ScriptTurn(long Number, int Version, string State, DateTimeOffset At, string By, string? Why, string? WithoutTrial);

/// <summary>Stable names of the states of a version.</summary>
internal static class ScriptStates
{
    /// <summary>Taken in; nothing of it runs.</summary>
    public const string Draft = "draft";

    /// <summary>Still a draft, but played over past detections.</summary>
    public const string Tried = "tried";

    /// <summary>Runs on live detections; what it would order is recorded, and not done.</summary>
    public const string Trial = "trial";

    /// <summary>Its orders are followed.</summary>
    public const string Active = "active";

    /// <summary>Runs no more.</summary>
    public const string Stopped = "stopped";
}

/// <summary>All that is known of one script. Immutable.</summary>
/// <param name="Name">Its name in the field.</param>
/// <param name="Versions">Newest first.</param>
/// <param name="Turns">Newest first.</param>
internal sealed record ScriptBook(string Name, IReadOnlyList<ScriptVersion> Versions, IReadOnlyList<ScriptTurn> Turns)
{
    /// <summary>The version whose orders are followed; null when there is none.</summary>
    public ScriptVersion? Active => In(ScriptStates.Active);

    /// <summary>The version that is tried on live detections; null when there is none.</summary>
    public ScriptVersion? Trial => In(ScriptStates.Trial);

    /// <summary>The version that a dry run takes unless told otherwise.</summary>
    public ScriptVersion? Usual => Active ?? Trial ?? Newest;

    /// <summary>The newest version; null when there is none.</summary>
    public ScriptVersion? Newest => Versions is [var newest, ..] ? newest : null;

    /// <summary>State of a version.</summary>
    /// <remarks>A dry run changes nothing of where a version stands.</remarks>
    public string StateOf(int version) => Turns.FirstOrDefault(t => t.Version == version && t.State != ScriptStates.Tried)?.State ?? ScriptStates.Draft;

    /// <summary>Whether this very version was played over past detections, or was in force before.</summary>
    public bool IsTried(int version) => Turns.Any(t => t.Version == version && t.State is ScriptStates.Tried or ScriptStates.Active);

    /// <summary>A version; null when there is none.</summary>
    public ScriptVersion? Find(int version) => Versions.FirstOrDefault(v => v.Version == version);

    private ScriptVersion? In(string state) => Versions.FirstOrDefault(v => StateOf(v.Version) == state);
}

/// <summary>One run on a live detection.</summary>
/// <param name="Name">Name of the script.</param>
/// <param name="Version">Its version.</param>
/// <param name="FindingId">The detection.</param>
/// <param name="At">When it ran.</param>
/// <param name="Trial">True when its orders were recorded only.</param>
/// <param name="Orders">What it ordered, or would have.</param>
/// <param name="Log">What it wrote down.</param>
/// <param name="Fault">Why it failed; null when it did not.</param>
/// <param name="Instructions">Instructions it used.</param>
internal sealed record ScriptRunRecord(
    string Name, int Version, string FindingId, DateTimeOffset At, bool Trial, IReadOnlyList<ScriptOrder> Orders, IReadOnlyList<string> Log, string? Fault, long Instructions);

/// <summary>One order of a script, as people see it.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="AfterSeconds">So long after the run, when nobody has the detection in hand by then.</param>
/// <param name="Approval">"automatic", "one-person" or "two-persons", as the script says.</param>
/// <param name="Reason">Why.</param>
internal sealed record ScriptOrder(string Action, long AfterSeconds, string Approval, string? Reason)
{
    public static ScriptOrder Of(Policies.DueAction due) => new(due.Action, (long)due.After.TotalSeconds, due.Approval, due.Reason);
}
