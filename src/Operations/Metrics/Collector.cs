using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Sekisho.Operations.Metrics;

/// <summary>Listens to the meters named "Sekisho" and keeps their values for a scrape. Any thread.</summary>
internal sealed partial class Collector : IDisposable
{
    private readonly Lock _scrape = new(); // guards observing: one scrape at a time
    private readonly ConcurrentDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly ILogger<Collector> _logger;

    public Collector(ILogger<Collector> logger)
    {
        _logger = logger;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Sekisho" && FamilyOf(instrument) is { } family)
            {
                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, labels, family) => ((Family)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<float>(static (_, value, labels, family) => ((Family)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<long>(static (_, value, labels, family) => ((Family)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<int>(static (_, value, labels, family) => ((Family)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<short>(static (_, value, labels, family) => ((Family)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<byte>(static (_, value, labels, family) => ((Family)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, labels, family) => ((Family)family!).Record((double)value, labels));
        _listener.Start();
    }

    /// <summary>Everything as Prometheus text.</summary>
    public string Scrape()
    {
        lock (_scrape)
        {
            foreach (var family in _families.Values.Where(f => f.Absolute))
            {
                family.BeginObservation();
            }

            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException e)
            {
                // One gauge that cannot be read must not hide the others.
                ObservationFailed(_logger, e);
            }

            var text = new Exposition();
            foreach (var family in _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                text.Write(family);
            }

            RuntimeMetrics.Write(text);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    // Instruments of one name and kind share a family; another kind under the same name would make the text invalid.
    private Family? FamilyOf(Instrument instrument)
    {
        if (Family.For(instrument) is not { } made)
        {
            return null;
        }

        var kept = _families.GetOrAdd(made.Name, made);
        if (kept.Kind == made.Kind && kept.Absolute == made.Absolute)
        {
            return kept;
        }

        Refused(_logger, made.Name);
        return null;
    }

    [LoggerMessage(6010, LogLevel.Warning, "A metric could not be observed")]
    private static partial void ObservationFailed(ILogger logger, Exception fault);

    [LoggerMessage(6011, LogLevel.Warning, "Metric {Metric} exists twice with different kinds; the second is not shown")]
    private static partial void Refused(ILogger logger, string metric);
}
