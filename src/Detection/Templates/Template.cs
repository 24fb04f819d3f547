using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Templates;

/// <summary>A named, versioned set of conditions and responses, made for a use scene. Immutable.</summary>
internal sealed record Template
{
    public required string Id { get; init; }

    public required int Version { get; init; }

    public required Bilingual Title { get; init; }

    public required Bilingual Description { get; init; }

    public required IReadOnlyList<TemplateCondition> Conditions { get; init; }

    public required IReadOnlyList<ResponseBinding> Responses { get; init; }

    /// <summary>Kinds of devices whose findings weigh more.</summary>
    public IReadOnlyList<TemplateRole> Roles { get; init; } = [];

    /// <summary>The file it was read from, without a signature.</summary>
    public string Source { get; init; } = "";

    /// <summary>By how many levels findings about a device are raised, and the role that does it.</summary>
    public TemplateRole? RoleOf(string? kind) => kind is null ? null : Roles.FirstOrDefault(r => r.Kinds.Contains(kind));
}

/// <summary>A role that makes findings about devices weigh more.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Kinds">Kinds of devices that have it, as administrators name them.</param>
/// <param name="Raise">By how many levels, 1 to 3.</param>
internal sealed record TemplateRole(string Name, IReadOnlyList<string> Kinds, int Raise);

/// <summary>What a template says of one stage of a condition; null leaves what the condition says.</summary>
internal sealed record TemplateStage(string Name, string? Risk, string? Level, string? Threat);

/// <summary>One condition of a template.</summary>
internal sealed record TemplateCondition
{
    /// <summary>Unique in the template.</summary>
    public required string Key { get; init; }

    public required ConditionKind Kind { get; init; }

    public required string Scope { get; init; }

    public string? Mode { get; init; }

    /// <summary>Judge of a threshold condition; null for kinds that judge by themselves.</summary>
    public string? Judge { get; init; }

    public required string Risk { get; init; }

    public string? Threat { get; init; }

    public required string Level { get; init; }

    public required Bilingual Label { get; init; }

    /// <summary>Parameters of the kind, of the judge, and those that every condition has.</summary>
    public required IReadOnlyList<TemplateParameter> Parameters { get; init; }

    /// <summary>By name; a stage that is not there is as the condition itself.</summary>
    public IReadOnlyList<TemplateStage> Stages { get; init; } = [];

    /// <summary>When it is judged; empty for always.</summary>
    public IReadOnlyList<WeeklyWindow> Schedule { get; init; } = [];

    /// <summary>Stands for what the lanes keep for themselves.</summary>
    public static TemplateCondition Kept(string name) => new()
    {
        Key = name,
        Kind = new ConditionKind(name, [], false, [], _ => throw new NotSupportedException("The lanes make it themselves.")),
        Scope = Scopes.Device,
        Risk = Risks.Takeover,
        Level = Levels.Information,
        Label = new Bilingual(name, name),
        Parameters = [],
    };

    /// <summary>What the template says of a stage; null without one.</summary>
    public TemplateStage? Stage(int index) => index < Kind.Stages.Count ? Stages.FirstOrDefault(s => s.Name == Kind.Stages[index]) ?? new TemplateStage(Kind.Stages[index], null, null, null) : null;

    /// <summary>The schedule with a field's own hours, where it has one window.</summary>
    public IReadOnlyList<WeeklyWindow> WindowsWith(IReadOnlyDictionary<string, ParameterValue> values) =>
        Schedule.Count == 1 && values.TryGetValue("scheduleFrom", out var from) && values.TryGetValue("scheduleTo", out var to)
            ? [Schedule[0] with { From = TimeOnly.MinValue.AddMinutes(from.Number), To = TimeOnly.MinValue.AddMinutes(to.Number) }]
            : Schedule;
}

/// <summary>A parameter with the bounds and the default that the template gives it.</summary>
internal sealed record TemplateParameter(ParameterSpec Spec, ParameterValue Default, double Least, double Most);
