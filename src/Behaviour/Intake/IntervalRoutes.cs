using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Devices;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Intake;

/// <summary>What the gateway has of a sensor now.</summary>
/// <param name="UpTo">Every interval up to this number is here, or will never be taken: the sensor may forget them.</param>
/// <param name="Time">The gateway's clock, milliseconds since 1970.</param>
internal sealed record IntervalsAnswer(long UpTo, long Time);

/// <summary>
/// The route that takes intervals. An upload with something new is answered 200; what of it is known already is passed over. One of which
/// everything is known is refused with 409, and the answer says up to where: a sensor whose last answer was lost forgets those and goes on, and a
/// copy that replays is seen as such. Neither is counted twice.
/// </summary>
internal static partial class IntervalRoutes
{
    public static void Map(RouteGroups routes) =>
        EnrolmentRoutes.Group(routes).MapPost("/intervals", TakeAsync)
            .WithName("TakeIntervals").WithSummary("Takes a batch of interval features from a sensor with a client certificate. Intervals are numbered upwards; 409 when all of them are known already.")
            .Accepts<byte[]>(IntervalBatch.MediaType)
            .Produces<IntervalsAnswer>().ProducesProblem(403).ProducesProblem(409).ProducesProblem(413).ProducesProblem(422).ProducesProblem(429).ProducesProblem(503);

    private static async Task<IResult> TakeAsync(
        HttpContext context, IntervalIntake intake, SensorBook book, IDeviceDirectory directory, SensorSettings settings, TimeProvider clock, ILoggerFactory logs, CancellationToken cancellation)
    {
        var log = logs.CreateLogger("Sekisho.Behaviour.Intake");
        var (known, hash, refused) = EnrolmentRoutes.Caller(context, book, directory, clock);
        if (known is null)
        {
            LogRefused(log, "unknown", refused!.Slug, Correlation.Of(context));
            return Problem.Of(refused);
        }

        var sensorId = known.Entry.Sensor.Id;
        if (known.Entry.Upload(clock.GetUtcNow(), settings.UploadsPerMinute) is var wait && wait > TimeSpan.Zero)
        {
            LogRefused(log, sensorId, CommonProblems.TooMany.Slug, Correlation.Of(context));
            return Problem.Of(CommonProblems.TooMany).After(wait);
        }

        if (await BodyAsync(context.Request, settings.LargestUpload, cancellation) is not { } body)
        {
            LogRefused(log, sensorId, CommonProblems.BodyTooLarge.Slug, Correlation.Of(context));
            return Problem.Of(CommonProblems.BodyTooLarge);
        }

        var outcome = await intake.TakeAsync(known, hash, body, Correlation.Of(context), cancellation);
        if (outcome.Fault is { } fault)
        {
            LogInvalid(log, sensorId, fault, Correlation.Of(context));
            return Problem.Of(SensorProblems.IntervalsInvalid, ("fault", fault));
        }

        var answer = new IntervalsAnswer(outcome.UpTo, clock.GetUtcNow().ToUnixTimeMilliseconds());
        if (outcome.Refused is { } why)
        {
            LogRefused(log, sensorId, why.Slug, Correlation.Of(context));
            return Problem.Of(why).With("upTo", answer.UpTo).With("time", answer.Time);
        }

        return Results.Ok(answer);
    }

    private static async Task<byte[]?> BodyAsync(HttpRequest request, int most, CancellationToken cancellation)
    {
        if (request.ContentLength > most)
        {
            return null;
        }

        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[16 * 1024];
        while (await request.Body.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            if (body.Length + read > most)
            {
                return null;
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    [LoggerMessage(7010, LogLevel.Warning, "Upload of sensor {SensorId} refused: {Problem}; correlation id {CorrelationId}")]
    private static partial void LogRefused(ILogger logger, string sensorId, string problem, string correlationId);

    [LoggerMessage(7011, LogLevel.Warning, "Upload of sensor {SensorId} cannot be read: {Fault}; correlation id {CorrelationId}")]
    private static partial void LogInvalid(ILogger logger, string sensorId, string fault, string correlationId);
}
