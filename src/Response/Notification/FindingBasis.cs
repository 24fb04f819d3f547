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
            ({ } low, { } high) => texts.Get("incident.report.between", language, ("low", Quantity(low)), ("high", Quantity(high))),
            ({ } low, null) => texts.Get("incident.report.at-least", language, ("low", Quantity(low))),
            (null, { } high) => texts.Get("incident.report.at-most", language, ("high", Quantity(high))),
            _ => texts.Get("incident.report.nothing-expected", language),
        };
        var basis = texts.Get(
            "incident.report.basis", language, ("measured", Quantity(evidence.Measured)), ("expected", expected),
            ("origin", texts.Name("incident.origin", evidence.Origin, language)), ("events", evidence.Events.Count.ToString("#,0", CultureInfo.InvariantCulture)));
        var quiet = evidence.Counterfactual;
        return quiet.Comparison is "at-least" or "at-most"
            ? basis + texts.Get("incident.report.quiet-" + quiet.Comparison, language, ("parameter", FindingTexts.Parameter(texts, finding.Condition, quiet.Parameter, language)), ("value", FindingTexts.Setting(texts, quiet.Value, quiet.Unit, language)))
            : basis;

        string Quantity(double value) => FindingTexts.Quantity(texts, value, evidence.Unit, language);
    }
}
