using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.Thresholds;

/// <summary>The learner behind the judge "learnt".</summary>
internal static class Learners
{
    public static ILearner Of(ConditionInput input) => new RangeLearner(input.Number("alarms"));
}
