using System.ComponentModel.DataAnnotations;

namespace Sekisho.Operations.Otlp;

/// <summary>Settings under Operations:Otlp.</summary>
internal sealed class OtlpSettings : IValidatableObject
{
    /// <summary>Base address of an OpenTelemetry collector, for example http://localhost:4318; empty sends nothing.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>"http/protobuf" or "grpc".</summary>
    [RegularExpression("http/protobuf|grpc", ErrorMessage = "http/protobuf or grpc is allowed.")]
    public string Protocol { get; set; } = "http/protobuf";

    /// <summary>How often metrics are sent.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Headers of each request as KEY=VALUE, separated by commas, for example a collector's credential.</summary>
    public string HeadersSecret { get; set; } = "";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint.Length > 0 && !(Uri.TryCreate(Endpoint, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
        {
            yield return new ValidationResult($"'{Endpoint}' is no http or https address. Give one, for example http://localhost:4318, or nothing.", [nameof(Endpoint)]);
        }

        if (HeadersSecret.Length > 0 && HeadersSecret.Split(',').Any(h => h.IndexOf('=', StringComparison.Ordinal) <= 0))
        {
            yield return new ValidationResult("write headers as KEY=VALUE, separated by commas.", [nameof(HeadersSecret)]);
        }
    }
}
