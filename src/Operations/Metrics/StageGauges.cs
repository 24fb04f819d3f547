using System.Diagnostics.Metrics;
using Sekisho.Operations.Health;

namespace Sekisho.Operations.Metrics;

/// <summary>What waits in each stage, as gauges. One meter per host, because the stages belong to the host.</summary>
internal sealed class StageGauges : IDisposable
{
    private readonly Meter _meter = new("Sekisho");

    public StageGauges(StageBook stages)
    {
        _meter.CreateObservableGauge("sekisho_stage_waiting", () => Of(stages, s => s.Waiting), description: "Pieces of work waiting in a stage.");
        _meter.CreateObservableGauge("sekisho_stage_lag_seconds", () => Of(stages, s => s.LagSeconds), "s", "Age of the oldest piece of work waiting in a stage.");
        _meter.CreateObservableGauge("sekisho_stage_healthy", () => Of(stages, s => s.Healthy ? 1 : 0), description: "1 when a stage can do its work.");
        _meter.CreateObservableGauge("sekisho_stage_paused", () => Of(stages, s => s.Paused ? 1 : 0), description: "1 when a maintainer holds a stage.");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<double>> Of(StageBook stages, Func<StageView, double> value) =>
        stages.Views.Select(s => new Measurement<double>(value(s), new KeyValuePair<string, object?>("stage", s.Name)));
}
