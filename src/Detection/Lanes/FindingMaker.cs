using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>Makes a finding of what a condition claims. Pure.</summary>
internal static class FindingMaker
{
    public static Finding Make(Subject subject, PlannedCondition condition, in Signal signal, GatewayEvent happened)
    {
        var template = condition.Source.Template;
        var definition = condition.Definition;
        var evidence = condition.Judged.Condition.Explain(Judged.OwnOf(subject.StateOf(condition)), signal);
        var stage = definition.Stage(Judged.StageOf(subject.StateOf(condition)));
        var role = template.RoleOf(signal.Device?.Kind);
        var level = stage?.Level ?? definition.Level;
        var facts = new Dictionary<string, string>(evidence.Facts) { ["revision"] = condition.Source.Revision.ToString(CultureInfo.InvariantCulture) };
        if (definition.Mode is not null)
        {
            facts["mode"] = definition.Mode;
        }

        if (role is not null)
        {
            (facts["role"], facts["levelBefore"]) = (role.Name, level);
        }

        return new Finding
        {
            Id = Identifier(subject.Id, template, definition.Key, signal.Position),
            FieldId = subject.FieldId,
            DeviceId = subject.Id.Scope == Scopes.Device ? subject.Id.Key : null,
            Scope = subject.Id.Scope,
            ScopeKey = subject.Id.Key,
            Condition = definition.Kind.Name,
            ConditionKey = definition.Key,
            TemplateId = template.Id,
            TemplateVersion = template.Version,
            Risk = stage?.Risk ?? definition.Risk,
            Threat = stage?.Threat ?? definition.Threat,
            Level = role is null ? level : Levels.Raise(level, role.Raise),
            Effect = condition.Effect,
            Stage = stage?.Name,
            RaisedAt = DateTimeOffset.FromUnixTimeMilliseconds(signal.At),
            DeviceTime = (happened as MessageEvent)?.DeviceTime,
            Position = signal.Position,
            CorrelationId = subject.CorrelationId,
            Evidence = evidence with { Facts = facts, Device = signal.Device?.DeviceId, Place = signal.Place, Origin = OriginOf(evidence, condition) },
        };
    }

    // A limit that the field set itself comes from a person, not from the template.
    private static string OriginOf(Evidence evidence, PlannedCondition condition) =>
        evidence.Origin == "template" && condition.Source.Values.ContainsKey($"{condition.Definition.Key}.{evidence.Counterfactual.Parameter}") ? "person" : evidence.Origin;

    /// <summary>"f" and the first 31 hex digits of the SHA-256 of scope, field, key, template, version, condition and position, one a line.</summary>
    private static string Identifier(SubjectId subject, Template template, string conditionKey, long position)
    {
        // A device is the same whatever its field, so its field does not take part.
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{subject.Scope}\n{subject.FieldId}\n{subject.Key}\n{template.Id}\n{template.Version}\n{conditionKey}\n{position}");
        return "f" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..31];
    }
}
