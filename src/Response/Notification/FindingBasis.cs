using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification;

/// <summary>What a finding rests on, for people. Pure.</summary>
internal static class FindingBasis
{
    /// <summary>Measured against expected, where the limit came from, and what would have kept it quiet.</summary>
    public static string Of(Finding finding, Texts texts, string language)
    {
        var evidence = finding.Evidence;
        var expected = (evidence.ExpectedLow, evidence.ExpectedHigh) switch
        {
            ({ } low, { } high) => texts.Get("incident.report.between", language, ("low", Number(low)), ("high", Number(high))),
            ({ } low, null) => texts.Get("incident.report.at-least", language, ("low", Number(low))),
            (null, { } high) => texts.Get("incident.report.at-most", language, ("high", Number(high))),
            _ => texts.Get("incident.report.nothing-expected", language),
        };
        var origin = "incident.origin." + evidence.Origin;
        var basis = texts.Get(
            "incident.report.basis", language, ("measured", $"{Number(evidence.Measured)} {evidence.Unit}".TrimEnd()), ("expected", expected),
            ("origin", texts.Keys(language).Contains(origin) ? texts.Get(origin, language) : evidence.Origin), ("events", evidence.Events.Count.ToString("#,0", CultureInfo.InvariantCulture)));
        var quiet = evidence.Counterfactual;
        return quiet.Comparison is "at-least" or "at-most"
            ? basis + texts.Get("incident.report.quiet-" + quiet.Comparison, language, ("parameter", quiet.Parameter), ("value", $"{Number(quiet.Value)} {quiet.Unit}".TrimEnd()))
            : basis;
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
