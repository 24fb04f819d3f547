using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Operations.Accounts;
using Sekisho.Operations.Keys;
using Sekisho.Operations.Metrics;
using Sekisho.Operations.OperatorAudit;
using Sekisho.Operations.Otlp;
using Sekisho.Operations.SignIn;

namespace Sekisho.Operations;

/// <summary>Loads who may manage the gateway before anything listens, and keeps sessions tidy while it runs.</summary>
internal sealed partial class OperationsStart(
    AccountBook accounts, SessionBook sessions, KeyBook keys, OperatorAuditLog audit, FirstStart first, Telemetry telemetry, TimeProvider clock, ILogger<OperationsStart> logger) : BackgroundService
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(60);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await accounts.LoadAsync(cancellationToken).ConfigureAwait(false);
        await sessions.LoadAsync(cancellationToken).ConfigureAwait(false);
        await keys.LoadAsync(cancellationToken).ConfigureAwait(false);
        await audit.OpenAsync(cancellationToken).ConfigureAwait(false);
        first.Open();
        telemetry.Start();
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await sessions.SweepAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SweepEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await sessions.SweepAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is System.Data.Common.DbException or TimeoutException)
            {
                // Times of use stay in memory and are stored with the next sweep; sessions end on time without it.
                SweepFailed(logger, e);
            }
        }
    }

    [LoggerMessage(6000, LogLevel.Warning, "Times of use of sessions could not be stored")]
    private static partial void SweepFailed(ILogger logger, Exception fault);
}

/// <summary>What watches the gateway: made with the host, so that nothing is missed. Any thread.</summary>
internal sealed class Telemetry(Collector collector, StageGauges gauges, OtlpExport otlp)
{
    /// <summary>Where a scrape is answered from.</summary>
    public Collector Collector { get; } = collector;

    /// <summary>Gauges of the stages; alive as long as the host.</summary>
    public StageGauges Gauges { get; } = gauges;

    public void Start() => otlp.Start();
}
