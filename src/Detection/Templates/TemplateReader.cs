using System.Globalization;
using System.Text.RegularExpressions;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using YamlDotNet.RepresentationModel;

namespace Sekisho.Detection.Templates;

/// <summary>Turns a template file into a template, or into all of its faults. Any thread.</summary>
internal sealed partial class TemplateReader(IReadOnlyList<ConditionKind> kinds)
{
    private static readonly TimeSpan LongestAfter = TimeSpan.FromDays(7);

    private const double LastMinute = (24 * 60) - 1;
    private static readonly ParameterSpec Effect = ParameterSpec.Choice("effect", Effects.Act, [.. Effects.All]);
    private static readonly Texts Texts = new([typeof(TemplateReader).Assembly]);
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
        return file.Faults.Count == 0 ? template! with { Source = text } : null;
    }

    private Template? Read(YamlFile file, YamlMappingNode root)
    {
        file.Mapping(root, "id", "version", "title", "description", "roles", "conditions", "responses");
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

        var roles = file.List(YamlFile.Optional(root, "roles")).Select(n => Role(file, n)).OfType<TemplateRole>().ToList();
        var responses = file.List(YamlFile.Optional(root, "responses")).Select(n => Response(file, n, conditions)).OfType<ResponseBinding>().ToList();
        return file.Faults.Count > 0
            ? null
            : new Template { Id = id!, Version = version!.Value, Title = title!, Description = description!, Conditions = conditions, Responses = responses, Roles = roles };
    }

    private TemplateCondition? Condition(YamlFile file, YamlNode node)
    {
        if (file.Mapping(node, "key", "kind", "judge", "scope", "mode", "risk", "threat", "level", "effect", "label", "parameters", "stages", "schedule", "raiseAfter", "clearAfter", "repeatAfter", "lastsFor") is not { } map)
        {
            return null;
        }

        var before = file.Faults.Count;
        var key = Identifier(file, file.Required(map, "key"));
        var scope = file.Choice(file.Required(map, "scope"), Scopes.All);
        var risk = file.Choice(file.Required(map, "risk"), Risks.All);
        var threat = Optional(map, "threat", n => file.Choice(n, Threats.All));
        var level = file.Choice(file.Required(map, "level"), Levels.All);
        var label = file.Bilingual(file.Required(map, "label"));
        var mode = Optional(map, "mode", file.Text);
        var schedule = Windows(file, YamlFile.Optional(map, "schedule"));
        var parameters = new List<TemplateParameter>();
        var (kind, judge, stages) = (Kind(file, map, scope, mode), (string?)null, new List<TemplateStage>());
        if (kind is not null)
        {
            judge = Judge(file, map, kind);
            stages.AddRange(file.List(YamlFile.Optional(map, "stages")).Select(n => Stage(file, n, kind)).OfType<TemplateStage>());
            var given = YamlFile.Optional(map, "parameters");
            var specs = kind.ParametersWith(judge);
            var values = given is null ? new YamlMappingNode() : file.Mapping(given, [.. specs.Select(p => p.Name)]) ?? new YamlMappingNode();
            parameters.AddRange(Parameters(file, values, given ?? map, kind.Name, specs));
        }

        parameters.AddRange(Parameters(file, map, map, "every condition", [Effect, .. Judgement.Specs]));
        if (schedule.Count == 1)
        {
            parameters.Add(Hours("scheduleFrom", schedule[0].From));
            parameters.Add(Hours("scheduleTo", schedule[0].To));
        }

        return file.Faults.Count > before ? null : new TemplateCondition
        {
            Key = key!,
            Kind = kind!,
            Judge = judge,
            Scope = scope!,
            Mode = mode,
            Risk = risk!,
            Threat = threat,
            Level = level!,
            Label = label!,
            Parameters = parameters,
            Stages = stages,
            Schedule = schedule,
        };
    }

    private ConditionKind? Kind(YamlFile file, YamlMappingNode map, string? scope, string? mode)
    {
        var node = file.Required(map, "kind");
        if (file.Choice(node, [.. kinds.Select(k => k.Name)]) is not { } name)
        {
            return null;
        }

        var kind = kinds.First(k => k.Name == name);
        if (scope is not null && !kind.AllowedScopes.Contains(scope))
        {
            file.Fault(node!, $"'{kind.Name}' cannot watch '{scope}'; it can watch {string.Join(", ", kind.AllowedScopes)}.");
        }

        if (mode is not null && !kind.TakesMode)
        {
            file.Fault(YamlFile.Optional(map, "mode")!, $"'{kind.Name}' takes no mode.");
        }

        return kind;
    }

    private static string? Judge(YamlFile file, YamlMappingNode map, ConditionKind kind)
    {
        var node = YamlFile.Optional(map, "judge");
        if (node is not null && kind.Judges.Count == 0)
        {
            file.Fault(node, $"'{kind.Name}' takes no judge.");
            return null;
        }

        var standard = kind.Judges.Count == 0 ? null : kind.Judges[0].Name;
        return node is null ? standard : file.Choice(node, [.. kind.Judges.Select(j => j.Name)]) ?? standard;
    }

    private static TemplateStage? Stage(YamlFile file, YamlNode node, ConditionKind kind)
    {
        if (file.Mapping(node, "name", "risk", "level", "threat") is not { } map)
        {
            return null;
        }

        if (kind.Stages.Count == 0)
        {
            file.Fault(node, $"'{kind.Name}' has no stages.");
            return null;
        }

        var name = file.Choice(file.Required(map, "name"), kind.Stages);
        var risk = Optional(map, "risk", n => file.Choice(n, Risks.All));
        var level = Optional(map, "level", n => file.Choice(n, Levels.All));
        var threat = Optional(map, "threat", n => file.Choice(n, Threats.All));
        return name is null ? null : new TemplateStage(name, risk, level, threat);
    }

    private static TemplateRole? Role(YamlFile file, YamlNode node)
    {
        if (file.Mapping(node, "name", "kinds", "raise") is not { } map)
        {
            return null;
        }

        var name = Identifier(file, file.Required(map, "name"));
        var of = file.List(file.Required(map, "kinds")).Select(file.Text).OfType<string>().ToList();
        var raise = file.Whole(file.Required(map, "raise"), 1, Levels.All.Count - 1);
        return name is null || raise is null ? null : new TemplateRole(name, of, raise.Value);
    }

    private static TemplateParameter Hours(string name, TimeOnly time) =>
        new(new ParameterSpec(name, ParameterType.TimeOfDay, 0, LastMinute), time.ToTimeSpan().TotalMinutes, 0, LastMinute);

    private static IEnumerable<TemplateParameter> Parameters(YamlFile file, YamlMappingNode map, YamlNode place, string owner, IReadOnlyList<ParameterSpec> specs)
    {
        foreach (var spec in specs)
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
                    file.Fault(place, $"the parameter '{spec.Name}' of '{owner}' is missing.");
                }
            }
            else if (node is YamlMappingNode)
            {
                if (file.Mapping(node, "default", "least", "most") is { } bounds)
                {
                    var least = Bound(file, bounds, "least", spec) ?? spec.Least;
                    var most = Bound(file, bounds, "most", spec) ?? spec.Most;
                    if (Value(file, file.Required(bounds, "default"), spec with { Least = least, Most = most }) is { } value)
                    {
                        yield return new TemplateParameter(spec, value, least, most);
                    }
                }
            }
            else if (Value(file, node, spec) is { } value)
            {
                yield return new TemplateParameter(spec, value, spec.Least, spec.Most);
            }
        }
    }

    private static double? Bound(YamlFile file, YamlMappingNode bounds, string name, ParameterSpec spec)
    {
        if (YamlFile.Optional(bounds, name) is not { } node)
        {
            return null;
        }

        if (spec.Type is not (ParameterType.Count or ParameterType.Duration or ParameterType.Bytes or ParameterType.Percent or ParameterType.Number or ParameterType.TimeOfDay))
        {
            file.Fault(node, $"'{spec.Name}' is no number, so it has no bounds.");
            return null;
        }

        return Value(file, node, spec)?.Number;
    }

    private static ParameterValue? Value(YamlFile file, YamlNode? node, ParameterSpec spec)
    {
        if (node is null)
        {
            return null;
        }

        if (node is YamlSequenceNode && spec.Type is ParameterType.Texts or ParameterType.Networks)
        {
            var list = file.List(node).Select(file.Text).OfType<string>().ToList();
            if (ParameterText.ReadList(spec, list, spec.Least, spec.Most) is { } read)
            {
                return read;
            }

            file.Fault(node, $"this list is not allowed for '{spec.Name}'; {(spec.Type == ParameterType.Networks ? "networks in CIDR form" : "texts")} are, {spec.Least} to {spec.Most} of them.");
            return null;
        }

        // The empty pointer means the whole message.
        var text = spec.Type == ParameterType.Pointer && node is YamlScalarNode { Value: "" } ? "" : file.Text(node);
        if (text is null)
        {
            return null;
        }

        if (ParameterText.Read(spec, text, spec.Least, spec.Most) is { } value)
        {
            return value;
        }

        file.Fault(node, spec.Check?.Invoke(text) is { } fault ? $"'{spec.Name}': {Said(fault, "en")} / {Said(fault, "ja")}" : $"'{text}' is not allowed for '{spec.Name}'; {Form(spec)} is.");
        return null;
    }

    private static string Said(ParameterFault fault, string language) => Texts.Get("detection.fault." + fault.Key, language, [.. fault.Values]);

    private static string Form(ParameterSpec spec)
    {
        var range = $"from {ParameterText.Write(spec, spec.Least)} to {ParameterText.Write(spec, spec.Most)}";
        return spec.Type switch
        {
            ParameterType.Duration => $"a duration ([d.]hh:mm:ss) {range}",
            ParameterType.TimeOfDay => "a time of day (\"HH:mm\")",
            ParameterType.Number => $"a number {range}",
            ParameterType.Choice => $"one of {string.Join(", ", spec.Choices)}",
            ParameterType.Text => $"a line of {spec.Least} to {spec.Most} characters",
            ParameterType.Pointer => "a JSON pointer",
            ParameterType.Document => $"a JSON document of at most {spec.Most} characters",
            ParameterType.Texts => "a list of texts",
            ParameterType.Networks => "a list of networks in CIDR form",
            _ => $"a whole number {range}",
        };
    }

    private static T? Optional<T>(YamlMappingNode map, string key, Func<YamlNode, T?> read)
        where T : class => YamlFile.Optional(map, key) is { } node ? read(node) : null;

    private static List<WeeklyWindow> Windows(YamlFile file, YamlNode? node) => node switch
    {
        null => [],
        YamlSequenceNode => [.. file.List(node).Select(n => Schedule(file, n)).OfType<WeeklyWindow>()],
        _ => Schedule(file, node) is { } one ? [one] : [],
    };

    private static WeeklyWindow? Schedule(YamlFile file, YamlNode node)
    {
        if (file.Mapping(node, "days", "from", "to", "holidays") is not { } map)
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
        var holidays = Optional(map, "holidays", n => file.Choice(n, HolidayRules.All)) ?? HolidayRules.Ignored;
        return from is null || to is null ? null : new WeeklyWindow(days, from.Value, to.Value) { Holidays = holidays };
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
        if (file.Mapping(node, "risk", "level", "action", "condition", "approval", "threat", "after") is not { } map)
        {
            return null;
        }

        var risk = file.Choice(file.Required(map, "risk"), ["*", .. Risks.All]);
        var level = file.Choice(file.Required(map, "level"), [.. Levels.All]);
        var action = Identifier(file, file.Required(map, "action"));
        var approval = file.Choice(file.Required(map, "approval"), Approvals);
        var condition = YamlFile.Optional(map, "condition") is { } named ? file.Choice(named, [.. conditions.Select(c => c.Key)]) : null;
        var threat = YamlFile.Optional(map, "threat") is { } kind ? file.Choice(kind, [.. Threats.All]) : null;
        var after = After(file, YamlFile.Optional(map, "after"));
        return risk is null || level is null || action is null || approval is null
            ? null
            : new ResponseBinding(risk, level, action, condition, approval) { Threat = threat, After = after };
    }

    private static TimeSpan After(YamlFile file, YamlNode? node)
    {
        if (node is null || file.Text(node) is not { } text)
        {
            return TimeSpan.Zero;
        }

        if (TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var after) && after >= TimeSpan.Zero && after <= LongestAfter)
        {
            return after;
        }

        file.Fault(node, $"'{text}' is no time from 00:00:00 to 7.00:00:00; write it as [d.]hh:mm:ss, for example \"00:10:00\".");
        return TimeSpan.Zero;
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
