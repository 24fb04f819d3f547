using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Actions;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Rules;

/// <summary>A field's own rules as an administrator sends them.</summary>
/// <param name="Rules">The rules, at most 100; null to go back to those of the template.</param>
/// <param name="Reason">Why, 1 to 500 characters.</param>
internal sealed record RulesRequest(IReadOnlyList<RuleRequest?>? Rules, string? Reason);

/// <summary>Rules to try out.</summary>
/// <param name="Rules">The rules, at most 100.</param>
/// <param name="Days">Over so many past days, 1 to 92.</param>
internal sealed record DryRunRequest(IReadOnlyList<RuleRequest?>? Rules, int? Days);

/// <summary>One rule: "for this kind of threat, from this level on, do this".</summary>
/// <param name="Risk">One of the five risks, or "*".</param>
/// <param name="Level">Lowest level.</param>
/// <param name="Action">Name of an action.</param>
/// <param name="Condition">Only for this condition key.</param>
/// <param name="Threat">Only for this class of threat.</param>
/// <param name="Approval">"automatic", "one-person" or "two-persons"; when absent automatic, and two persons for what may destroy something.</param>
/// <param name="AfterSeconds">A later step: so long after the detection, when nobody has it in hand by then; at most seven days.</param>
/// <param name="Script">Name of the response script, for "run-script".</param>
internal sealed record RuleRequest(string? Risk, string? Level, string? Action, string? Condition, string? Threat, string? Approval, long? AfterSeconds, string? Script = null)
{
    private const int Most = 100;
    private const long LongestAfter = 7 * 24 * 3600;
    private const int LongestCondition = 100;

    /// <summary>The rules, or what is wrong with them.</summary>
    /// <param name="rules">The rules as they came.</param>
    /// <param name="actions">The actions that there are.</param>
    /// <param name="scripts">Names of the field's response scripts.</param>
    /// <param name="texts">Texts of faults.</param>
    /// <param name="language">Language of faults.</param>
    public static (IReadOnlyList<ResponseBinding> Rules, IReadOnlyList<Fault> Faults) Read(
        IReadOnlyList<RuleRequest?> rules, IReadOnlyDictionary<string, IResponseAction> actions, IReadOnlyCollection<string> scripts, Texts texts, string language)
    {
        var faults = new List<Fault>();
        if (rules.Count > Most)
        {
            return ([], [new Fault("/rules", texts.Get("response.fault.too-many-rules", language, ("most", $"{Most}")))]);
        }

        var read = new List<ResponseBinding>();
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i] ?? new RuleRequest(null, null, null, null, null, null, null);
            var place = $"/rules/{i}";
            OneOf(place + "/risk", rule.Risk, ["*", .. Risks.All]);
            OneOf(place + "/level", rule.Level, Levels.All);
            OneOf(place + "/action", rule.Action, [.. actions.Keys.Order(StringComparer.Ordinal)]);
            if (rule.Threat is not null)
            {
                OneOf(place + "/threat", rule.Threat, Threats.All);
            }

            var destroys = rule.Action is not null && actions.GetValueOrDefault(rule.Action) is { Destroys: true };
            if (rule.Approval is not null)
            {
                OneOf(place + "/approval", rule.Approval, destroys ? [.. Approvals.All.Where(a => a != Approvals.Automatic)] : Approvals.All);
            }

            if (rule.Condition is { } condition && (condition.Length is 0 or > LongestCondition || condition.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-')))
            {
                faults.Add(new Fault(place + "/condition", texts.Get("response.fault.condition", language)));
            }

            var runsScript = rule.Action == RunScriptAction.ActionName;
            if (runsScript ? rule.Script is null || !scripts.Contains(rule.Script) : rule.Script is not null)
            {
                faults.Add(new Fault(
                    place + "/script",
                    texts.Get(runsScript ? "response.fault.script" : "response.fault.no-script", language, ("allowed", scripts.Count == 0 ? "-" : string.Join(", ", scripts.Order(StringComparer.Ordinal))), ("action", RunScriptAction.ActionName))));
            }

            if (rule.AfterSeconds is < 0 or > LongestAfter)
            {
                faults.Add(new Fault(place + "/afterSeconds", texts.Get("response.fault.after-seconds", language, ("most", $"{LongestAfter}"))));
            }

            read.Add(new ResponseBinding(rule.Risk ?? "", rule.Level ?? "", rule.Action ?? "", rule.Condition, rule.Approval ?? (destroys ? Approvals.TwoPersons : Approvals.Automatic))
            {
                Threat = rule.Threat,
                Script = rule.Script,
                After = TimeSpan.FromSeconds(Math.Clamp(rule.AfterSeconds ?? 0, 0, LongestAfter)),
            });
        }

        return (read, faults);

        void OneOf(string place, string? value, IReadOnlyList<string> allowed)
        {
            if (value is null || !allowed.Contains(value))
            {
                faults.Add(new Fault(place, texts.Get("response.fault.one-of", language, ("allowed", string.Join(", ", allowed)))));
            }
        }
    }
}
