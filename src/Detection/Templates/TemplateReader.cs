using System.Globalization;
using System.Text.RegularExpressions;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;
using YamlDotNet.RepresentationModel;

namespace Sekisho.Detection.Templates;

/// <summary>Turns a template file into a template, or into all of its faults. Any thread.</summary>
internal sealed partial class TemplateReader(IReadOnlyList<ConditionKind> kinds)
{
    private static readonly string[] ScopeNames = [Scopes.Device, Scopes.User, Scopes.Source, Scopes.Field];
    private static readonly string[] DayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    private static readonly string[] Approvals = ["automatic", "one-person", "two-persons"];

    /// <summary>Reads one file.</summary>
    /// <param name="name">Name shown in faults.</param>
    /// <param name="text">The YAML.</param>
    /// <param name="faults">Receives every fault as "name:line: what".</param>
    /// <returns>Null when there were faults.</returns>
    public Template? Read(string name, string text, List<string> faults)
    {
        var file = new YamlFile(name);
        var template = file.Root(text) is { } root ? Read(file, root) : null;
        faults.AddRange(file.Faults);
        return file.Faults.Count == 0 ? template : null;
    }

    private Template? Read(YamlFile file, YamlMappingNode root)
    {
        file.Mapping(root, "id", "version", "title", "description", "conditions", "responses");
        var id = Identifier(file, file.Required(root, "id"));
        var version = file.Whole(file.Required(root, "version"), 1, 1_000_000);
        var title = file.Bilingual(file.Required(root, "title"));
        var description = file.Bilingual(file.Required(root, "description"));
        var conditions = new List<TemplateCondition>();
        foreach (var node in file.List(file.Required(root, "conditions")))
        {
            if (Condition(file, node) is { } condition)
            {
                if (conditions.Exists(c => c.Key == condition.Key))
                {
                    file.Fault(node, $"the key '{condition.Key}' stands twice.");
                }

                conditions.Add(condition);
            }
        }

        var responses = file.List(YamlFile.Optional(root, "responses")).Select(n => Response(file, n, conditions)).OfType<ResponseBinding>().ToList();
        return file.Faults.Count > 0
            ? null
            : new Template { Id = id!, Version = version!.Value, Title = title!, Description = description!, Conditions = conditions, Responses = responses };
    }

    private TemplateCondition? Condition(YamlFile file, YamlNode node)
    {
        if (file.Mapping(node, "key", "kind", "scope", "mode", "risk", "level", "label", "parameters", "schedule", "raiseAfter", "clearAfter", "repeatAfter") is not { } map)
        {
            return null;
        }

        var before = file.Faults.Count;
        var key = Identifier(file, file.Required(map, "key"));
        var scope = file.Choice(file.Required(map, "scope"), ScopeNames);
        var risk = file.Choice(file.Required(map, "risk"), [.. Risks.All]);
        var level = file.Choice(file.Required(map, "level"), [.. Levels.All]);
        var label = file.Bilingual(file.Required(map, "label"));
        var mode = YamlFile.Optional(map, "mode") is { } modeNode ? file.Text(modeNode) : null;
        var raise = YamlFile.Optional(map, "raiseAfter") is { } raiseNode ? file.Whole(raiseNode, 1, 1000) : 1;
        var clear = YamlFile.Optional(map, "clearAfter") is { } clearNode ? file.Whole(clearNode, 1, 1000) : 1;
        var repeat = YamlFile.Optional(map, "repeatAfter") is { } repeatNode ? Value(file, repeatNode, new ParameterSpec("repeatAfter", ParameterType.Duration, 60, 365 * 86_400)) : 0;
        var schedule = YamlFile.Optional(map, "schedule") is { } scheduleNode ? Schedule(file, scheduleNode) : null;
        var kindNode = file.Required(map, "kind");
        var kind = file.Choice(kindNode, [.. kinds.Select(k => k.Name)]) is { } kindName ? kinds.First(k => k.Name == kindName) : null;
        var parameters = new List<TemplateParameter>();
        if (kind is not null)
        {
            if (scope is not null && !kind.AllowedScopes.Contains(scope))
            {
                file.Fault(kindNode!, $"'{kind.Name}' cannot watch '{scope}'; it can watch {string.Join(", ", kind.AllowedScopes)}.");
            }

            if (mode is not null && !kind.TakesMode)
            {
                file.Fault(YamlFile.Optional(map, "mode")!, $"'{kind.Name}' takes no mode.");
            }

            parameters.AddRange(Parameters(file, map, kind));
        }

        return file.Faults.Count > before ? null : new TemplateCondition
        {
            Key = key!,
            Kind = kind!,
            Scope = scope!,
            Mode = mode,
            Risk = risk!,
            Level = level!,
            Label = label!,
            Parameters = parameters,
            Judgement = new Judgement(raise!.Value, clear!.Value, (long)(repeat!.Value * 1000)),
            Schedule = schedule,
        };
    }

    private static IEnumerable<TemplateParameter> Parameters(YamlFile file, YamlMappingNode condition, ConditionKind kind)
    {
        var given = YamlFile.Optional(condition, "parameters");
        var map = given is null ? new YamlMappingNode() : file.Mapping(given, [.. kind.Parameters.Select(p => p.Name)]) ?? new YamlMappingNode();
        foreach (var spec in kind.Parameters)
        {
            var node = YamlFile.Optional(map, spec.Name);
            if (node is null)
            {
                if (spec.Default is { } standard)
                {
                    yield return new TemplateParameter(spec, standard, spec.Least, spec.Most);
                }
                else
                {
                    file.Fault(given ?? condition, $"the parameter '{spec.Name}' of '{kind.Name}' is missing.");
                }
            }
            else if (node is YamlScalarNode)
            {
                yield return new TemplateParameter(spec, Value(file, node, spec) ?? 0, spec.Least, spec.Most);
            }
            else if (file.Mapping(node, "default", "least", "most") is { } bounds)
            {
                var least = YamlFile.Optional(bounds, "least") is { } low ? Value(file, low, spec) : spec.Least;
                var most = YamlFile.Optional(bounds, "most") is { } high ? Value(file, high, spec) : spec.Most;
                var standard = Value(file, file.Required(bounds, "default"), spec with { Least = least ?? spec.Least, Most = most ?? spec.Most });
                yield return new TemplateParameter(spec, standard ?? 0, least ?? spec.Least, most ?? spec.Most);
            }
        }
    }

    private static double? Value(YamlFile file, YamlNode? node, ParameterSpec spec)
    {
        if (file.Text(node) is not { } text)
        {
            return null;
        }

        if (ParameterValue.TryRead(spec.Type, text, out var value) && value >= spec.Least && value <= spec.Most)
        {
            return value;
        }

        var form = spec.Type == ParameterType.Duration ? "a duration ([d.]hh:mm:ss)" : "a whole number";
        file.Fault(node!, $"'{text}' is not allowed for '{spec.Name}'; {form} from {ParameterValue.Write(spec.Type, spec.Least)} to {ParameterValue.Write(spec.Type, spec.Most)} is.");
        return null;
    }

    private static WeeklyWindow? Schedule(YamlFile file, YamlNode node)
    {
        if (file.Mapping(node, "days", "from", "to") is not { } map)
        {
            return null;
        }

        var days = YamlFile.Optional(map, "days") is { } listed
            ? file.List(listed).Select(d => file.Choice(d, DayNames)).OfType<string>().Select(d => (DayOfWeek)Array.IndexOf(DayNames, d)).Distinct().ToList()
            : [.. Enum.GetValues<DayOfWeek>()];
        if (YamlFile.Optional(map, "days") is YamlSequenceNode { Children.Count: 0 } none)
        {
            file.Fault(none, "at least one day is expected; leave 'days' out for all of them.");
        }

        var from = Time(file, file.Required(map, "from"));
        var to = Time(file, file.Required(map, "to"));
        return from is null || to is null ? null : new WeeklyWindow(days, from.Value, to.Value);
    }

    private static TimeOnly? Time(YamlFile file, YamlNode? node)
    {
        if (file.Text(node) is not { } text)
        {
            return null;
        }

        if (TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return time;
        }

        file.Fault(node!, $"'{text}' is no time of day; write it as \"HH:mm\", for example \"22:00\".");
        return null;
    }

    private static ResponseBinding? Response(YamlFile file, YamlNode node, List<TemplateCondition> conditions)
    {
        if (file.Mapping(node, "risk", "level", "action", "condition", "approval") is not { } map)
        {
            return null;
        }

        var risk = file.Choice(file.Required(map, "risk"), ["*", .. Risks.All]);
        var level = file.Choice(file.Required(map, "level"), [.. Levels.All]);
        var action = Identifier(file, file.Required(map, "action"));
        var approval = file.Choice(file.Required(map, "approval"), Approvals);
        var condition = YamlFile.Optional(map, "condition") is { } named ? file.Choice(named, [.. conditions.Select(c => c.Key)]) : null;
        return risk is null || level is null || action is null || approval is null ? null : new ResponseBinding(risk, level, action, condition, approval);
    }

    private static string? Identifier(YamlFile file, YamlNode? node)
    {
        var text = file.Text(node);
        if (text is not null && !Name().IsMatch(text))
        {
            file.Fault(node!, $"'{text}' is not allowed; lower-case letters, digits and hyphens, 2 to 40 of them, are.");
            return null;
        }

        return text;
    }

    [GeneratedRegex(@"^[a-z][a-z0-9-]{1,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
