namespace Sekisho.Response.Emergency;

/// <summary>One lock-down of a field or a part of it.</summary>
/// <param name="Id">"e" and 15 characters of 0-9 and a-z.</param>
/// <param name="FieldId">The field.</param>
/// <param name="Version">Counts the changes.</param>
/// <param name="StartedAt">When it was ordered.</param>
/// <param name="EndedAt">When the last device was released, or at once for a rehearsal; null while it is in force.</param>
/// <param name="Details">What is stored encrypted.</param>
internal sealed record Lockdown(string Id, string FieldId, long Version, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, LockdownDetails Details);

/// <summary>The part of a lock-down that is stored encrypted.</summary>
/// <param name="By">Who ordered it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Scope">What was locked.</param>
/// <param name="IsRehearsal">Nothing was locked; it was tried whether everybody knows what to do.</param>
/// <param name="Devices">The devices, each with a response of its own.</param>
/// <param name="Steps">Releases, oldest first.</param>
internal sealed record LockdownDetails(string By, string Reason, LockdownScope Scope, bool IsRehearsal, IReadOnlyList<string> Devices, IReadOnlyList<ReleaseStep> Steps)
{
    /// <summary>Devices that no step has released yet.</summary>
    public IReadOnlyList<string> Locked => [.. Devices.Except(Steps.SelectMany(s => s.Devices), StringComparer.Ordinal)];
}

/// <summary>What a lock-down covers: the whole field, or what fits all that is given.</summary>
/// <param name="Kind">Devices of this kind only; null for all.</param>
/// <param name="ParentId">Devices behind this gateway unit, the unit included; null for all.</param>
internal sealed record LockdownScope(string? Kind, string? ParentId)
{
    public override string ToString() => (Kind, ParentId) switch
    {
        (null, null) => "*",
        (not null, null) => Kind,
        (null, not null) => ParentId,
        _ => $"{Kind}, {ParentId}",
    };
}

/// <summary>One step of a release.</summary>
internal sealed record ReleaseStep(DateTimeOffset At, string By, string Reason, IReadOnlyList<string> Devices);

/// <summary>Who may lock a field down and release it, set beforehand.</summary>
/// <param name="Accounts">Names of accounts; they need a role in the field that may respond as well. Empty: every administrator of the field.</param>
internal sealed record EmergencyPlan(IReadOnlyList<string> Accounts);
