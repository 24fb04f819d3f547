using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Incidents;

/// <summary>
/// Carries on what was recorded of incidents and is not done yet: labels to hand on to the findings, devices to be released. Everything it does may be repeated, so a gateway that was
/// killed goes on where it was. Any thread.
/// </summary>
internal sealed partial class IncidentWorker(IncidentStore store, IncidentDesk desk, IncidentRetention retention, IFindingLabels labels, IncidentSignal signal, TimeProvider clock, ILogger<IncidentWorker> log) : BackgroundService
{
    /// <summary>Findings in one transaction, so that others get their turn in between.</summary>
    private const int Portion = 200;

    private static readonly TimeSpan TidiesEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Does everything that can be done now.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        foreach (var incident in await store.ToLabelAsync(cancellation))
        {
            await LabelAsync(incident, cancellation);
        }

        foreach (var incident in await store.RecoveringAsync(cancellation))
        {
            await desk.ReleaseAsync(incident, isWaitedFor: false, cancellation);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var tidiesAt = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            var next = signal.Next;
            try
            {
                await DrainAsync(stoppingToken);
                if (clock.GetUtcNow() >= tidiesAt)
                {
                    tidiesAt = clock.GetUtcNow() + TidiesEvery;
                    var removed = await retention.TidyAsync(stoppingToken);
                    if (removed > 0)
                    {
                        Removed(removed);
                    }
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // What could not be done stays recorded and is tried again.
                Failed(e);
            }

            try
            {
                await next.WaitAsync(LongestWait, clock, stoppingToken);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                // Time to look again, or to end.
            }
        }
    }

    private async Task LabelAsync(Incident incident, CancellationToken cancellation)
    {
        var (label, said) = (incident.Label, incident.Details.Labelled!);
        while (await store.UnlabelledAsync(incident.Id, label, Portion, cancellation) is { Count: > 0 } findings)
        {
            var note = said.Text.Length == 0 ? null : said.Text;
            await labels.LabelAsync(findings, label == FindingLabel.Acknowledged ? null : label, note, said.By, said.At, said.CorrelationId, cancellation);
            await store.MarkLabelledAsync(findings, label, cancellation);
        }

        await store.ChangeAsync(incident.Id, i => i.Label == label ? new IncidentChange(i with { Label = "" }, []) : null, null, cancellation);
    }

    [LoggerMessage(4081, LogLevel.Information, "{Removed} incidents that were closed long ago are deleted")]
    private partial void Removed(int removed);

    [LoggerMessage(4080, LogLevel.Error, "Work on incidents failed and is tried again")]
    private partial void Failed(Exception fault);
}
