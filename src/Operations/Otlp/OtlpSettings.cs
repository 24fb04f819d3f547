using System.ComponentModel.DataAnnotations;

namespace Sekisho.Operations.Otlp;

/// <summary>Settings under Operations:Otlp.</summary>
internal sealed class OtlpSettings
{
    /// <summary>Base address of an OpenTelemetry collector, for example http://localhost:4318; empty sends nothing.</summary>
    [RegularExpression("(https?://.+)?", ErrorMessage = "an http or https address is allowed, for example http://localhost:4318, or nothing.")]
    public string Endpoint { get; set; } = "";

    /// <summary>"http/protobuf" or "grpc".</summary>
    [RegularExpression("http/protobuf|grpc", ErrorMessage = "http/protobuf or grpc is allowed.")]
    public string Protocol { get; set; } = "http/protobuf";

    /// <summary>How often metrics are sent.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Headers of each request as KEY=VALUE, separated by commas, for example a collector's credential.</summary>
    public string HeadersSecret { get; set; } = "";
}
