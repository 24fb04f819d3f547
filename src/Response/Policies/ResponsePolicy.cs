using Sekisho.Domain.Detection;

namespace Sekisho.Response.Policies;

/// <summary>An action that is due for a finding, and who has to agree first.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="Approval">One of <see cref="Approvals"/>.</param>
/// <param name="After">How long after the finding; more than zero only when no person has it in hand by then.</param>
internal sealed record DueAction(string Action, string Approval, TimeSpan After = default)
{
    /// <summary>Owner of what rules order.</summary>
    public const string Policy = "policy";

    /// <summary>Name of the script to run, for the action that runs one; else null.</summary>
    public string? Script { get; init; }

    /// <summary>Who orders it: <see cref="Policy"/>, or a script with its version.</summary>
    public string Owner { get; init; } = Policy;

    /// <summary>Why, in the words of the script; null without.</summary>
    public string? Reason { get; init; }
}

/// <summary>Stable names of approval policies.</summary>
internal static class Approvals
{
    public const string Automatic = "automatic";
    public const string OnePerson = "one-person";
    public const string TwoPersons = "two-persons";

    /// <summary>All of them, the mildest first.</summary>
    public static readonly IReadOnlyList<string> All = [Automatic, OnePerson, TwoPersons];

    /// <summary>The stricter of two.</summary>
    public static string Stricter(string one, string other) => Needed(one) >= Needed(other) ? one : other;

    /// <summary>How many different people have to agree. An unknown policy is the strictest: what nobody understands must not run by itself.</summary>
    public static int Needed(string approval) => approval switch
    {
        Automatic => 0,
        OnePerson => 1,
        _ => 2,
    };
}

/// <summary>Decides which actions a finding is answered with. Pure.</summary>
internal static class ResponsePolicy
{
    /// <summary>
    /// One entry per action (and script), in the order of the bindings. Where several bindings name the same action the most specific one decides on
    /// the approval (a condition before a threat, that before a risk, a risk before "*", a higher minimum level before a lower one); of equals the strictest.
    /// </summary>
    public static IReadOnlyList<DueAction> Due(Finding finding, IReadOnlyList<ResponseBinding> bindings) =>
        [.. bindings
            .Where(b => b.AppliesTo(finding))
            .GroupBy(b => (b.Action, b.Script))
            .Select(g => g
                .OrderByDescending(b => b.Condition is not null)
                .ThenByDescending(b => b.Threat is not null)
                .ThenByDescending(b => b.Risk != "*")
                .ThenByDescending(b => Levels.Rank(b.MinimumLevel))
                .ThenByDescending(b => Approvals.Needed(b.Approval))
                .First())
            .Select(b => new DueAction(b.Action, b.Approval, b.After) { Script = b.Script })];
}
