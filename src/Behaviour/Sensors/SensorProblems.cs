using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;

namespace Sekisho.Behaviour.Sensors;

/// <summary>Problems that sensors are refused with, and people who manage them.</summary>
internal static class SensorProblems
{
    /// <summary>Code unknown, used or too old; it is never said which.</summary>
    public static readonly ProblemType CodeInvalid = new("sensor-code-invalid", StatusCodes.Status403Forbidden);

    /// <summary>What shall be certified is no PKCS #10 request for a P-256 key, signed by that key.</summary>
    public static readonly ProblemType RequestInvalid = new("sensor-request-invalid", StatusCodes.Status422UnprocessableEntity);

    /// <summary>No client certificate was shown.</summary>
    public static readonly ProblemType CertificateNeeded = new("sensor-certificate-needed", StatusCodes.Status403Forbidden);

    /// <summary>The certificate was not issued to a sensor of this gateway, or was replaced.</summary>
    public static readonly ProblemType Unknown = new("sensor-unknown", StatusCodes.Status403Forbidden);

    /// <summary>The certificate ran out.</summary>
    public static readonly ProblemType CertificateExpired = new("sensor-certificate-expired", StatusCodes.Status403Forbidden);

    /// <summary>The sensor was shut out.</summary>
    public static readonly ProblemType Revoked = new("sensor-revoked", StatusCodes.Status403Forbidden);

    /// <summary>The body is no batch of intervals.</summary>
    public static readonly ProblemType IntervalsInvalid = new("sensor-intervals-invalid", StatusCodes.Status422UnprocessableEntity);

    /// <summary>An enforcer's question breaks a rule.</summary>
    public static readonly ProblemType QuestionInvalid = new("sensor-question-invalid", StatusCodes.Status422UnprocessableEntity);

    /// <summary>It is to be deleted, and holds restrictions on the network.</summary>
    public static readonly ProblemType Holds = new("sensor-holds", StatusCodes.Status409Conflict);

    /// <summary>All of these intervals were taken before.</summary>
    public static readonly ProblemType Repeated = new("sensor-intervals-repeated", StatusCodes.Status409Conflict);

    /// <summary>The field has as many sensors as it may have.</summary>
    public static readonly ProblemType TooManySensors = new("sensor-limit", StatusCodes.Status409Conflict);
}
