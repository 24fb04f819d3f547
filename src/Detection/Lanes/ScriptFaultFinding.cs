using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Findings;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Lanes;

/// <summary>Makes the finding that tells a field that its script fails, or was switched off. Pure.</summary>
internal static class ScriptFaultFinding
{
    /// <summary>Name that such findings have as their condition.</summary>
    public const string Condition = "script-fault";

    /// <summary>The first fault of a script in force.</summary>
    public const string Fails = "fails";

    /// <summary>It was switched off.</summary>
    public const string Off = "off";

    /// <summary>Whose.</summary>
    public static SubjectId Subject(string fieldId) => new(Scopes.Field, fieldId, fieldId);

    /// <summary>Recognises those of a script, so that a new version ends them.</summary>
    public static ulong Identity(string scriptId) => StableHash.Of(scriptId, Condition);

    public static RaisedFinding Of(ScriptNews news, in Signal signal, string correlationId)
    {
        var change = news.Script.Change;
        var stage = news.IsOff ? Off : Fails;
        var text = string.Create(CultureInfo.InvariantCulture, $"{change.FieldId}\n{change.ScriptId}\n{change.Version}\n{stage}\n{signal.Position}\n{signal.DeviceId}");
        var finding = new Finding
        {
            Id = "f" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..31],
            FieldId = change.FieldId,
            DeviceId = null,
            Scope = Scopes.Field,
            ScopeKey = change.FieldId,
            Condition = Condition,
            ConditionKey = change.ScriptId,
            TemplateId = "script." + change.ScriptId,
            TemplateVersion = change.Version,
            Risk = Risks.UnauthorisedAccess,
            Threat = Threats.OperationMistake,
            Level = news.IsOff ? Levels.Important : Levels.Warning,
            Effect = Effects.Act,
            Stage = stage,
            RaisedAt = DateTimeOffset.FromUnixTimeMilliseconds(signal.At),
            Position = signal.Position,
            CorrelationId = correlationId,
            Evidence = new Evidence
            {
                Metric = "faults",
                Unit = "count",
                Measured = news.Script.Health.Faults,
                ExpectedHigh = 0,
                Origin = "script",
                Events = [signal.Position],
                Counterfactual = new Counterfactual("faults", "at-most", 0, "count"),
                Facts = new Dictionary<string, string>
                {
                    ["script"] = change.ScriptId,
                    ["version"] = change.Version.ToString(CultureInfo.InvariantCulture),
                    ["by"] = change.By,
                    ["fault"] = news.Message,
                },
            },
        };
        return new RaisedFinding(finding, Subject(change.FieldId), Identity(change.ScriptId));
    }
}
