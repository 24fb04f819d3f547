using System.Text.Json.Serialization;

namespace Sekisho.Verification.Rows;

/// <summary>Stable names of what a case is.</summary>
public static class Cases
{
    /// <summary>A row of the table.</summary>
    public const string Row = "row";

    /// <summary>The harmless twin of a cause of false alarms: nobody may be alarmed.</summary>
    public const string Benign = "benign";

    /// <summary>The attack that looks like it: it must be found.</summary>
    public const string Attack = "attack";
}

/// <summary>Stable names of results.</summary>
public static class Results
{
    /// <summary>As expected.</summary>
    public const string Pass = "pass";

    /// <summary>Not as expected.</summary>
    public const string Fail = "fail";

    /// <summary>What it needs is not built yet.</summary>
    public const string NotBuilt = "not-built";
}

/// <summary>What became of one case in one field.</summary>
/// <param name="Id">Row ("V12") or cause ("F1").</param>
/// <param name="Field">Kind of field: the template's name.</param>
/// <param name="Case">One of <see cref="Cases"/>.</param>
/// <param name="Result">One of <see cref="Results"/>.</param>
/// <param name="Evidence">What was seen, for people.</param>
/// <param name="Alerts">Every detection in the case's field, oldest first.</param>
public sealed record RowResult(string Id, string Field, string Case, string Result, string Evidence, IReadOnlyList<Alert> Alerts)
{
    /// <summary>Which of several plays of one cause, from 1.</summary>
    [JsonIgnore]
    public int Number { get; init; } = 1;
}

/// <summary>A detection as the API shows it.</summary>
/// <param name="Condition">Kind of condition.</param>
/// <param name="Key">Its key in the template.</param>
/// <param name="Stage">Stage it reached; null without stages.</param>
/// <param name="Risk">Assumed risk.</param>
/// <param name="Level">Level.</param>
/// <param name="Effect">What may follow: only "act" alarms anybody.</param>
/// <param name="DeviceId">Device; null for wider scopes.</param>
/// <param name="RaisedAt">When, in the gateway's time.</param>
/// <param name="Sentence">What it says.</param>
/// <param name="Retracted">Why it was taken back; null when it was not.</param>
public sealed record Alert(
    string Condition, string Key, string? Stage, string Risk, string Level, string Effect, string? DeviceId, DateTimeOffset RaisedAt, string Sentence, string? Retracted)
{
    /// <summary>True when somebody is alarmed by it; information alarms nobody.</summary>
    [JsonIgnore]
    public bool Alarms => Effect == "act" && Level != "information";
}
