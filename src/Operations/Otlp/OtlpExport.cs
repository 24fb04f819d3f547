using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Sekisho.Operations.Otlp;

/// <summary>Sends metrics and traces to an OpenTelemetry collector when one is set. What the collector does not take is lost there, never here. Any thread.</summary>
internal sealed class OtlpExport(OtlpSettings settings) : IDisposable
{
    private MeterProvider? _metrics;
    private TracerProvider? _traces;

    /// <summary>Begins to send, when an endpoint is set.</summary>
    public void Start()
    {
        if (settings.Endpoint.Length == 0)
        {
            return;
        }

        var resource = ResourceBuilder.CreateDefault().AddService("sekisho", serviceVersion: typeof(OtlpExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter("Sekisho", "System.Runtime")
            .AddOtlpExporter((exporter, reader) =>
            {
                Configure(exporter, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)settings.Interval.TotalMilliseconds;
            })
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource("Sekisho", "Microsoft.AspNetCore")
            .AddOtlpExporter(exporter => Configure(exporter, "v1/traces"))
            .Build();
    }

    /// <summary>Sends what is left and ends.</summary>
    public void Dispose()
    {
        _metrics?.Dispose();
        _traces?.Dispose();
    }

    private void Configure(OtlpExporterOptions exporter, string path)
    {
        var grpc = settings.Protocol == "grpc";
        exporter.Protocol = grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;

        // The exporter appends the path only to addresses from its own environment variables.
        exporter.Endpoint = new Uri(grpc ? settings.Endpoint : settings.Endpoint.TrimEnd('/') + "/" + path);
        exporter.Headers = settings.HeadersSecret.Length == 0 ? null : settings.HeadersSecret;
    }
}
