using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Incidents;

/// <summary>Reads everything there is about one incident. Any thread.</summary>
internal sealed class IncidentFiles(IncidentStore store, IncidentLeases leases, IncidentDesk desk, IFindings findings, IDeviceDirectory directory, Texts texts, TimeProvider clock)
{
    private const int MostLines = 1_000;
    private const int MostLeases = 200;
    private const int MostDevices = 200;
    private const int MostReasons = 20;

    /// <summary>Words of a language for an incident of a field.</summary>
    public IncidentWords Words(string? fieldId, string language) => new(texts, directory, language, fieldId is null ? null : directory.Field(fieldId));

    public async Task<IReadOnlyList<IncidentView>> ViewsAsync(IReadOnlyList<Incident> incidents, IncidentWords words, CancellationToken cancellation)
    {
        var counts = await store.DeviceCountsAsync([.. incidents.Select(i => i.Id)], cancellation);
        return [.. incidents.Select(i => IncidentView.Of(i, counts.GetValueOrDefault(i.Id).Devices, counts.GetValueOrDefault(i.Id).One, words, clock.GetUtcNow()))];
    }

    public async Task<IncidentFullView> FullAsync(Incident incident, IncidentWords words, CancellationToken cancellation) => (await ReadAsync(incident, words, cancellation)).View;

    /// <summary>The report: the same, with the reasons to believe it, who agreed to what, and what is still open.</summary>
    public async Task<IncidentReport> ReportAsync(Incident incident, IncidentWords words, CancellationToken cancellation)
    {
        var (view, responses) = await ReadAsync(incident, words, cancellation);
        var field = incident.FieldId is { } id ? directory.Field(id) : null;
        var reasons = new List<ReportReason>();
        foreach (var condition in view.Incident.Conditions.Take(MostReasons))
        {
            var sentences = new List<string>();
            foreach (var finding in new[] { condition.First, condition.Last }.Distinct(StringComparer.Ordinal))
            {
                if (await findings.FindAsync(finding, cancellation) is { } found)
                {
                    sentences.Add(FindingSentence.Of(found, field, found.DeviceId is { } device ? directory.Device(device) : null, texts, words.Language));
                    sentences.Add(IncidentReport.Basis(found, words));
                }
            }

            reasons.Add(new ReportReason(words.Condition(condition), condition.Key, condition.Level, condition.Count, condition.Retracted, condition.FirstAt, condition.LastAt, [.. sentences.Distinct()]));
        }

        return new IncidentReport(
            view, field?.Name, field?.ContactPoint, clock.GetUtcNow(), words.Language, reasons, [.. responses.Select(l => ReportResponse.Of(l, words))], IncidentReport.Open(view, responses, words));
    }

    private async Task<(IncidentFullView View, IReadOnlyList<Lease> Responses)> ReadAsync(Incident incident, IncidentWords words, CancellationToken cancellation)
    {
        var view = (await ViewsAsync([incident], words, cancellation))[0];
        var entries = await store.EntriesAsync(incident.Id, MostLines, cancellation);
        var responses = await leases.ListAsync(incident, MostLeases, cancellation);
        var counts = await leases.CountAsync(incident, cancellation);
        var standings = await desk.StandingsAsync(incident, MostDevices, cancellation);
        var timeline = IncidentTimeline.Of(incident, entries, responses, words);
        IReadOnlyList<OfferLink> offers = incident.ClosedAs != Closings.FalseAlarm ? [] :
            [.. incident.Details.Conditions.DistinctBy(c => c.Key).Where(c => c.Key != "*")
                .Select(c => new OfferLink(c.Key, c.Last, $"{(incident.FieldId is { } field ? $"/api/v1/fields/{field}" : "/ops/v1")}/detections/{c.Last}/offers"))];
        return (
            new IncidentFullView(
                view, [.. standings.Select(s => DeviceView.Of(s, words))], timeline, incident.Entries > entries.Count || counts.Sum(c => c.Count) > responses.Count, counts, offers),
            responses);
    }
}
