using System.Globalization;
using Sekisho.Domain.Localization;

namespace Sekisho.Domain.Detection;

/// <summary>Which texts say what a finding claims. Pure.</summary>
public static class FindingTexts
{
    /// <summary>Name of the fact that says which judge a threshold condition has.</summary>
    public const string JudgeFact = "judge";

    private const double MostSeconds = 1e9; // 31 years; beyond that it is no length of time

    /// <summary>Name of the fact that says which command to a device was held.</summary>
    public const string CommandFact = "command";

    /// <summary>
    /// Key of the sentence: finding.CONDITION.STAGE.sentence for a stage, finding.CONDITION.JUDGE.sentence or else finding.judge.JUDGE.sentence for
    /// a threshold condition, finding.CONDITION.sentence for the others; null when there is none.
    /// </summary>
    public static string? SentenceKey(Finding finding, Texts texts, string language)
    {
        ArgumentNullException.ThrowIfNull(finding);
        ArgumentNullException.ThrowIfNull(texts);
        var judge = finding.Evidence.Facts.GetValueOrDefault(JudgeFact);
        var keys = texts.Keys(language);
        string?[] candidates =
        [
            finding.Stage is null ? null : $"finding.{finding.Condition}.{finding.Stage}.sentence",
            judge is null ? null : $"finding.{finding.Condition}.{judge}.sentence",
            judge is null ? null : $"finding.judge.{judge}.sentence",
            $"finding.{finding.Condition}.sentence",
        ];
        return Array.Find(candidates, key => key is not null && keys.Contains(key));
    }

    /// <summary>Label of a parameter: the own one of the kind of condition, or the one that all kinds share; its name where there is neither.</summary>
    public static string Parameter(Texts texts, string condition, string parameter, string language)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return texts.Find($"condition.{condition}.{parameter}", language) ?? texts.Name("condition.any", parameter, language);
    }

    /// <summary>Value of a parameter: its label says the unit, so that only times are written as such.</summary>
    public static string Setting(Texts texts, double value, string unit, string language) => Quantity(texts, value, unit is "s" or "time-of-day" ? unit : "", language);

    /// <summary>
    /// A number with its unit, as people write it: whole seconds as a length of time, minutes of a day as a time of day. A number that is neither is written as it is; scripts may measure anything.
    /// </summary>
    public static string Quantity(Texts texts, double value, string unit, string language)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var number = value.ToString(Math.Abs(value) < 1e15 ? "0.###" : "0.###E+0", CultureInfo.InvariantCulture);
        return unit switch
        {
            "s" when Math.Abs(value) < MostSeconds && value == Math.Truncate(value) => TimeSpan.FromSeconds(value).ToString("c", CultureInfo.InvariantCulture),
            "minutes" or "time-of-day" when value is >= 0 and < 24 * 60 => TimeOnly.MinValue.AddMinutes(value).ToString("HH:mm", CultureInfo.InvariantCulture),
            "" => number,
            _ when texts.Find($"unit.{unit}", language) is not null => texts.Get($"unit.{unit}", language, ("value", number)),
            _ => $"{number} {unit}",
        };
    }
}
