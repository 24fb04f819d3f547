using Sekisho.Domain.Localization;

namespace Sekisho.Domain.Detection;

/// <summary>Which texts say what a finding claims. Pure.</summary>
public static class FindingTexts
{
    /// <summary>Name of the fact that says which judge a threshold condition has.</summary>
    public const string JudgeFact = "judge";

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
}
