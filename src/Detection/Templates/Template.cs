using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Templates;

/// <summary>A text in both languages.</summary>
internal sealed record Bilingual(string Ja, string En)
{
    public string In(string language) => language == "ja" ? Ja : En;
}

/// <summary>A named, versioned set of conditions and responses, made for a use scene. Immutable.</summary>
internal sealed record Template
{
    public required string Id { get; init; }

    public required int Version { get; init; }

    public required Bilingual Title { get; init; }

    public required Bilingual Description { get; init; }

    public required IReadOnlyList<TemplateCondition> Conditions { get; init; }

    public required IReadOnlyList<ResponseBinding> Responses { get; init; }
}

/// <summary>One condition of a template.</summary>
internal sealed record TemplateCondition
{
    /// <summary>Unique in the template.</summary>
    public required string Key { get; init; }

    public required ConditionKind Kind { get; init; }

    public required string Scope { get; init; }

    public string? Mode { get; init; }

    public required string Risk { get; init; }

    public required string Level { get; init; }

    public required Bilingual Label { get; init; }

    public required IReadOnlyList<TemplateParameter> Parameters { get; init; }

    public required Judgement Judgement { get; init; }

    public WeeklyWindow? Schedule { get; init; }
}

/// <summary>A parameter with the bounds and the default that the template gives it.</summary>
internal sealed record TemplateParameter(ParameterSpec Spec, double Default, double Least, double Most);
