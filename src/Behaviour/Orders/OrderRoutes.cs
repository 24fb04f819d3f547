using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Devices;

namespace Sekisho.Behaviour.Orders;

/// <summary>What an enforcer asks.</summary>
/// <param name="Last">Highest number of an order that it has seen.</param>
/// <param name="Wait">Seconds that it waits for orders, 0 to 20.</param>
/// <param name="Answers">What became of orders.</param>
internal sealed record OrderQuestion(long Last, int Wait, IReadOnlyList<EnforcerAnswer>? Answers);

/// <summary>Orders for an enforcer.</summary>
/// <param name="Orders">Signed orders, lowest number first; may be empty.</param>
/// <param name="Key">Public key that they are signed with (PEM); an enforcer pins the first it sees.</param>
/// <param name="Time">The gateway's clock, milliseconds since 1970.</param>
internal sealed record OrdersAnswer(IReadOnlyList<SignedOrder> Orders, string Key, long Time);

/// <summary>The route on the sensors' port that gives orders. A question waits until there is one, so that an order arrives at once.</summary>
internal static partial class OrderRoutes
{
    private const int LongestWait = 20;
    private const int MostAnswers = 512;

    public static void Map(RouteGroups routes) =>
        EnrolmentRoutes.Group(routes).MapPost("/orders", AskAsync)
            .WithName("FetchNetworkOrders").WithSummary("Gives an enforcer, with its client certificate, the signed orders it has not followed yet, and takes what became of others. Waits up to the asked seconds for orders.")
            .Produces<OrdersAnswer>().ProducesProblem(403).ProducesProblem(422).ProducesProblem(429);

    private static async Task<IResult> AskAsync(
        HttpContext context, OrderQuestion asked, OrderDesk desk, SensorBook book, IDeviceDirectory directory, SensorSettings settings, ISensorAuthority authority, TimeProvider clock, ILoggerFactory logs, CancellationToken cancellation)
    {
        var log = logs.CreateLogger("Sekisho.Behaviour.Orders");
        var (known, _, refused) = EnrolmentRoutes.Caller(context, book, directory, clock);
        if (known is null)
        {
            LogRefused(log, "unknown", refused!.Slug, Correlation.Of(context));
            return Problem.Of(refused);
        }

        var sensorId = known.Entry.Sensor.Id;
        if (known.Entry.Question(clock.GetUtcNow(), settings.UploadsPerMinute) is var pause && pause > TimeSpan.Zero)
        {
            LogRefused(log, sensorId, CommonProblems.TooMany.Slug, Correlation.Of(context));
            return Problem.Of(CommonProblems.TooMany).After(pause);
        }

        if (asked.Last < 0 || asked.Last > long.MaxValue / 2 || asked.Wait is < 0 or > LongestWait || asked.Answers is { Count: > MostAnswers } || asked.Answers?.Any(a => a is null) == true)
        {
            LogRefused(log, sensorId, SensorProblems.QuestionInvalid.Slug, Correlation.Of(context));
            return Problem.Of(SensorProblems.QuestionInvalid);
        }

        var orders = await desk.AskAsync(known.Entry, asked.Last, asked.Answers ?? [], TimeSpan.FromSeconds(asked.Wait), Correlation.Of(context), cancellation);
        return Results.Ok(new OrdersAnswer(orders, authority.OrderKeyPem, clock.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    [LoggerMessage(7020, LogLevel.Warning, "Question of enforcer {SensorId} refused: {Problem}; correlation id {CorrelationId}")]
    private static partial void LogRefused(ILogger logger, string sensorId, string problem, string correlationId);
}
