using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;

namespace Sekisho.Behaviour.Sensors;

/// <summary>What a sensor without a certificate sends.</summary>
/// <param name="Code">One-time code.</param>
/// <param name="Request">Certificate request (PKCS #10) as PEM.</param>
internal sealed record EnrolmentRequest(string? Code, string? Request);

/// <summary>What a sensor with a certificate sends for its next one.</summary>
/// <param name="Request">Certificate request (PKCS #10) as PEM.</param>
internal sealed record RenewalRequest(string? Request);

/// <summary>A certificate for a sensor.</summary>
/// <param name="SensorId">Identifier of the sensor.</param>
/// <param name="Certificate">PEM.</param>
/// <param name="NotAfter">Until when it is valid.</param>
/// <param name="UpTo">Highest interval that the gateway has of this sensor; the next has a higher number.</param>
internal sealed record EnrolmentAnswer(string SensorId, string Certificate, DateTimeOffset NotAfter, long UpTo);

/// <summary>The gateway's CA, for a sensor that knows its fingerprint.</summary>
/// <param name="Certificate">PEM.</param>
internal sealed record AuthorityAnswer(string Certificate);

/// <summary>Routes on the sensors' port that give certificates.</summary>
internal static class EnrolmentRoutes
{
    private const int LongestCode = 64;
    private const int LongestRequest = 4_096;
    private const string RequestLabel = "CERTIFICATE REQUEST";

    /// <summary>The group on the sensors' port.</summary>
    public static RouteGroupBuilder Group(RouteGroups routes) => routes.Root.MapGroup("/sensor/v1").WithMetadata(new Listener(ForDevices: false, ForSensors: true)).WithTags("Sensors");

    public static void Map(RouteGroups routes)
    {
        var group = Group(routes);
        group.MapGet("/authority", (ISensorAuthority authority) => Results.Ok(new AuthorityAnswer(authority.CertificatePem)))
            .WithName("GetAuthority").WithSummary("Gives the gateway's CA. A sensor compares its SHA-256 with the one it was told before it sends its code.")
            .Produces<AuthorityAnswer>();
        group.MapPost("/enrol", EnrolAsync)
            .WithName("EnrolSensor").WithSummary("Takes a one-time code and a certificate request; gives a client certificate.")
            .Produces<EnrolmentAnswer>().ProducesProblem(403).ProducesProblem(422).ProducesProblem(429);
        group.MapPost("/certificate", RenewAsync)
            .WithName("RenewSensorCertificate").WithSummary("Takes a certificate request; gives the sensor its next client certificate. The present one ends when the next is used.")
            .Produces<EnrolmentAnswer>().ProducesProblem(403).ProducesProblem(422).ProducesProblem(429);
    }

    /// <summary>The sensor that a connection belongs to, or why it belongs to none.</summary>
    public static (KnownCertificate? Known, byte[] Hash, ProblemType? Refused) Caller(HttpContext context, SensorBook book, IDeviceDirectory directory, TimeProvider clock)
    {
        if (context.Connection.ClientCertificate is not { } shown)
        {
            return (null, [], SensorProblems.CertificateNeeded);
        }

        // The handshake proved that the sender holds the key; the hash says that this very certificate was issued here.
        var hash = shown.GetCertHash(HashAlgorithmName.SHA256);
        if (book.Certificate(hash) is not { } known || directory.Field(known.Entry.Sensor.FieldId) is null)
        {
            return (null, hash, SensorProblems.Unknown);
        }

        return known.Entry.Sensor.State == SensorStates.Revoked ? (null, hash, SensorProblems.Revoked)
            : known.NotAfter <= clock.GetUtcNow() ? (null, hash, SensorProblems.CertificateExpired)
            : (known, hash, null);
    }

    private static async Task<IResult> EnrolAsync(HttpContext context, EnrolmentRequest asked, Enrolment enrolment, AttemptLimit attempts, CancellationToken cancellation)
    {
        var result = asked.Code is { Length: > 0 and <= LongestCode } code
            ? Der(asked.Request) is { } request ? await enrolment.EnrolAsync(code, request, Correlation.Of(context), cancellation) : new(null, null, SensorProblems.RequestInvalid)
            : new(null, null, SensorProblems.CodeInvalid);
        if (result.Refused is { } refused)
        {
            var wait = attempts.Failed(context.Connection.RemoteIpAddress);
            return wait > TimeSpan.Zero ? Problem.Of(CommonProblems.TooMany).After(wait) : Problem.Of(refused);
        }

        return Answer(context, result);
    }

    private static async Task<IResult> RenewAsync(HttpContext context, RenewalRequest asked, Enrolment enrolment, SensorBook book, IDeviceDirectory directory, SensorSettings settings, TimeProvider clock, CancellationToken cancellation)
    {
        var (known, hash, refused) = Caller(context, book, directory, clock);
        if (known is null)
        {
            return Problem.Of(refused!);
        }

        if (known.Entry.Upload(clock.GetUtcNow(), settings.UploadsPerMinute) is var wait && wait > TimeSpan.Zero)
        {
            return Problem.Of(CommonProblems.TooMany).After(wait);
        }

        var result = Der(asked.Request) is { } request ? await enrolment.RenewAsync(known.Entry, hash, request, Correlation.Of(context), cancellation) : new(null, null, SensorProblems.RequestInvalid);
        return result.Refused is { } why ? Problem.Of(why) : Answer(context, result);
    }

    private static IResult Answer(HttpContext context, EnrolmentResult result)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.Ok(new EnrolmentAnswer(result.Entry!.Sensor.Id, result.Certificate!.Pem, result.Certificate.NotAfter, result.Entry.Sensor.LastSequence));
    }

    private static byte[]? Der(string? pem)
    {
        if (pem is null || pem.Length > LongestRequest || !PemEncoding.TryFind(pem, out var fields) || pem[fields.Label] != RequestLabel)
        {
            return null;
        }

        var der = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64String(pem[fields.Base64Data], der, out var size) ? der[..size] : null;
    }
}
