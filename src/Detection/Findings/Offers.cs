using System.Globalization;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings;

/// <summary>An exception that would have kept a finding quiet, ready to be saved with a reason.</summary>
/// <param name="Draft">What to post to "exceptions".</param>
/// <param name="Sentence">The same for people.</param>
/// <param name="Preview">What else it would have allowed.</param>
internal sealed record ExceptionOffer(ExceptionDraft Draft, string Sentence, ExceptionPreview Preview);

/// <summary>A limit that would have kept findings quiet.</summary>
/// <param name="Parameter">"CONDITION.PARAMETER".</param>
/// <param name="Present">The value in force, as people write it.</param>
/// <param name="Suggested">The value that keeps them quiet.</param>
/// <param name="For">"this" finding, or all "false-alarms" of the condition.</param>
/// <param name="Findings">Findings of the condition in the last days that hang on this parameter.</param>
/// <param name="Removed">How many of them would not have been raised.</param>
/// <param name="RemovedIncidents">How many of those people closed as an incident.</param>
/// <param name="RemovedFalseAlarms">How many of those people closed as a false alarm.</param>
/// <param name="Sentence">All of it in a sentence.</param>
internal sealed record LimitOffer(string Parameter, string Present, string Suggested, string For, int Findings, int Removed, int RemovedIncidents, int RemovedFalseAlarms, string Sentence);

/// <summary>What would have kept a finding quiet: the narrowest first.</summary>
internal sealed record OfferList(IReadOnlyList<ExceptionOffer> Exceptions, IReadOnlyList<LimitOffer> Limits);

/// <summary>Makes of a finding what a person may do so that its like is not told again. Any thread.</summary>
internal sealed class Offers(ExceptionPreviews previews, FieldPlans plans, TemplateCatalog catalog, IDeviceDirectory directory, Sentences sentences, Texts texts, TimeProvider time)
{
    private const int MuteDays = 7;
    private const int AcceptDays = 180;

    public async Task<OfferList> OfAsync(Finding finding, string language, CancellationToken cancellation)
    {
        const int Days = ExceptionPreviews.StandardDays;
        var history = await previews.HistoryAsync(finding.FieldId, finding.ConditionKey, Days, cancellation).ConfigureAwait(false);
        var exceptions = Drafts(finding).Select(draft =>
        {
            var change = draft.Change(finding.FieldId, "x", "", time.GetUtcNow(), "");
            return new ExceptionOffer(draft, sentences.Exception(change, language), previews.Of(change, Days, history, language));
        });
        return new OfferList([.. exceptions], Limits(finding, history, Days, language));
    }

    private IEnumerable<ExceptionDraft> Drafts(Finding finding)
    {
        var now = time.GetUtcNow();
        var narrow = new ExceptionDraft(ExceptionKinds.Learn, finding.ConditionKey, finding.Scope, finding.ScopeKey, null, null, null, null);
        if (finding.Evidence.Claim is { } claim)
        {
            yield return narrow with { Value = claim };
            if (finding.DeviceId is { } id && directory.Device(id) is { Kind: { Length: > 0 } kind })
            {
                yield return narrow with { Subject = null, Group = "kind:" + kind, Value = claim };
            }

            yield return narrow with { Subject = null, Value = claim };
        }

        yield return narrow with { Kind = ExceptionKinds.Mute, Until = now.AddDays(MuteDays) };
        yield return narrow with { Kind = ExceptionKinds.Accept, Until = now.AddDays(AcceptDays) };
    }

    private List<LimitOffer> Limits(Finding finding, IReadOnlyList<KeptFinding> history, int days, string language)
    {
        var offers = new List<LimitOffer>();
        var template = finding.FieldId is { } fieldId ? plans.Find(fieldId) : new FieldTemplate(catalog.Gateway, 1, FieldTemplate.NoValues);
        var quiet = finding.Evidence.Counterfactual;
        if (quiet.Comparison is not ("at-least" or "at-most") || finding.FieldId is null || template?.Template.Conditions.FirstOrDefault(c => c.Key == finding.ConditionKey) is not { } condition
            || condition.Parameters.FirstOrDefault(p => p.Spec.Name == quiet.Parameter) is not { } parameter || !IsNumber(parameter.Spec.Type))
        {
            return offers;
        }

        var like = history.Where(f => f.Finding.Evidence.Counterfactual is var other && other.Parameter == quiet.Parameter && other.Comparison == quiet.Comparison).ToList();
        var wrong = like.Where(f => f.ClosedAs == Closings.FalseAlarm).Select(f => f.Finding.Evidence.Counterfactual.Value).ToList();
        var atLeast = quiet.Comparison == "at-least";
        var all = wrong.Append(quiet.Value).ToList();
        foreach (var (reach, value) in new[] { ("this", quiet.Value), ("false-alarms", atLeast ? all.Max() : all.Min()) })
        {
            // A person writes whole numbers for these; rounded to the side that still keeps them quiet.
            var written = parameter.Spec.Type == ParameterType.Number ? value : atLeast ? Math.Ceiling(value) : Math.Floor(value);
            if (written < parameter.Least || written > parameter.Most || (offers.Count > 0 && wrong.Count < 2))
            {
                continue;
            }

            var removed = like.Where(f => atLeast ? f.Finding.Evidence.Counterfactual.Value <= written : f.Finding.Evidence.Counterfactual.Value >= written).ToList();
            var key = $"{condition.Key}.{parameter.Spec.Name}";
            var present = ParameterText.Write(parameter.Spec, template.Values.GetValueOrDefault(key, parameter.Default));
            var suggested = ParameterText.Write(parameter.Spec, written);
            var (incidents, falseAlarms) = (removed.Count(f => f.ClosedAs == Closings.Incident), removed.Count(f => f.ClosedAs == Closings.FalseAlarm));
            var sentence = texts.Get(
                incidents > 0 ? "detection.offer.limit.incidents" : "detection.offer.limit",
                language,
                ("parameter", FindingTexts.Parameter(texts, finding.Condition, parameter.Spec.Name, language)),
                ("present", present),
                ("suggested", suggested),
                ("days", Whole(days)),
                ("findings", Whole(like.Count)),
                ("removed", Whole(removed.Count)),
                ("falseAlarms", Whole(falseAlarms)),
                ("incidents", Whole(incidents)));
            offers.Add(new LimitOffer(key, present, suggested, reach, like.Count, removed.Count, incidents, falseAlarms, sentence));
        }

        return offers;
    }

    private static bool IsNumber(ParameterType type) => type is ParameterType.Count or ParameterType.Duration or ParameterType.Bytes or ParameterType.Percent or ParameterType.Number;

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);
}
