using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>What an exception would have allowed, had it been in force: decided by the same code that tries exceptions in the lanes.</summary>
internal sealed record ExceptionPreview
{
    /// <summary>How far back it looks.</summary>
    public required int Days { get; init; }

    /// <summary>Findings looked at.</summary>
    public required int Looked { get; init; }

    /// <summary>False when there were more than it looks at; then it is about the newest.</summary>
    public required bool Complete { get; init; }

    /// <summary>How many would not have been told.</summary>
    public required int Removed { get; init; }

    /// <summary>How many of them responses followed.</summary>
    public required int RemovedActing { get; init; }

    /// <summary>How many of them people closed as an incident: these would have been missed.</summary>
    public required int RemovedIncidents { get; init; }

    /// <summary>How many of them people closed as a false alarm.</summary>
    public required int RemovedFalseAlarms { get; init; }

    /// <summary>The same by condition.</summary>
    public required IReadOnlyDictionary<string, int> RemovedByCondition { get; init; }

    /// <summary>Identifiers of the newest of them, at most 1000.</summary>
    public required IReadOnlyList<string> RemovedIds { get; init; }

    /// <summary>How many devices (or other subjects) these findings are about.</summary>
    public required int SubjectsRemoved { get; init; }

    /// <summary>Devices of the field that it is about today; null where that depends on what is claimed or where a device is.</summary>
    public required int? DevicesInScope { get; init; }

    /// <summary>The first of these, at most 100.</summary>
    public required IReadOnlyList<string> DeviceIdsInScope { get; init; }

    /// <summary>The newest findings that would not have been told, as sentences; at most 10.</summary>
    public required IReadOnlyList<string> Samples { get; init; }

    /// <summary>All of it in a sentence.</summary>
    public required string Sentence { get; init; }
}

/// <summary>Makes previews. Any thread.</summary>
internal sealed class ExceptionPreviews(FindingStore findings, IDeviceDirectory directory, Sentences sentences, TimeProvider time)
{
    public const int StandardDays = 30;

    /// <summary>Findings that a preview looks at.</summary>
    public const int MostLooked = 10_000;

    private const int MostIds = 1000;
    private const int MostDevices = 100;
    private const int MostSamples = 10;

    /// <summary>Of an exception as it would be put in force.</summary>
    public async Task<ExceptionPreview> OfAsync(ExceptionChangedEvent change, int days, string language, CancellationToken cancellation) =>
        Of(change, days, await HistoryAsync(change.FieldId, change.ConditionKey, days, cancellation).ConfigureAwait(false), language);

    /// <summary>The findings of the last days that a preview looks at, newest first: one more than those when there are more.</summary>
    public Task<IReadOnlyList<KeptFinding>> HistoryAsync(string? fieldId, string? conditionKey, int days, CancellationToken cancellation) => findings.ListAsync(
        fieldId, new FindingFilter(null, null, null, null, null, time.GetUtcNow().AddDays(-days), null) { ConditionKey = conditionKey }, null, MostLooked + 1, cancellation);

    public ExceptionPreview Of(ExceptionChangedEvent change, int days, IReadOnlyList<KeptFinding> history, string language)
    {
        // The question is what it covers, not when it ends.
        var book = ExceptionBook.Of([change with { InForce = true, Until = null }]);
        var looked = history.Take(MostLooked).ToList();
        var removed = looked.Where(f => book.Try(ClaimOf(f.Finding), out _) is not null).ToList();
        var scope = ScopeOf(change);
        var preview = new ExceptionPreview
        {
            Days = days,
            Looked = looked.Count,
            Complete = history.Count <= MostLooked,
            Removed = removed.Count,
            RemovedActing = removed.Count(f => f.Finding.Effect == Effects.Act),
            RemovedIncidents = removed.Count(f => f.ClosedAs == Closings.Incident),
            RemovedFalseAlarms = removed.Count(f => f.ClosedAs == Closings.FalseAlarm),
            RemovedByCondition = removed.GroupBy(f => f.Finding.ConditionKey).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count()),
            RemovedIds = [.. removed.Take(MostIds).Select(f => f.Finding.Id)],
            SubjectsRemoved = removed.Select(f => (f.Finding.Scope, f.Finding.ScopeKey)).Distinct().Count(),
            DevicesInScope = scope?.Count,
            DeviceIdsInScope = [.. (scope ?? []).Take(MostDevices)],
            Samples = [.. removed.Take(MostSamples).Select(f => sentences.Of(f.Finding, language))],
            Sentence = "",
        };
        return preview with { Sentence = sentences.Preview(preview, language) };
    }

    private Claim ClaimOf(Finding finding) => new(
        finding.FieldId,
        finding.ConditionKey,
        finding.Scope,
        finding.ScopeKey,
        (finding.DeviceId ?? finding.Evidence.Device) is { } id ? directory.Device(id) : null,
        finding.Evidence.Place,
        finding.Evidence.Claim,
        finding.RaisedAt);

    private List<string>? ScopeOf(ExceptionChangedEvent change)
    {
        if (change.FieldId is null || change.Group?.StartsWith("place:", StringComparison.Ordinal) == true || (change.Subject is not null && change.Scope is not (null or Scopes.Device)))
        {
            return null;
        }

        return [.. directory.DevicesOf(change.FieldId)
            .Where(d => (change.Subject is null || change.Subject == d.DeviceId) && (change.Group is null || ExceptionBook.IsIn(change.Group, d, place: null)))
            .Select(d => d.DeviceId).Order(StringComparer.Ordinal)];
    }
}
