using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Behaviour.Sensors;

namespace Sekisho.Behaviour.Orders;

/// <summary>
/// The route that deletes a sensor. What an enforcer has in force stays in its kernel until its time-out, and a deleted one is told of no lift: people learn of that first, and end it or say that it may stay.
/// </summary>
internal static class SensorDeletion
{
    public static void Map(RouteGroups routes) => routes.Field.MapDelete("/sensors/{sensorId}", DeleteAsync)
        .WithName("DeleteSensor")
        .WithSummary("Deletes a traffic sensor and everything it saw. Refused while it holds restrictions on the network, unless leave=true: then they end by themselves at their time, and by nothing else.")
        .WithTags("Sensors")
        .Produces(StatusCodes.Status204NoContent).ProducesProblem(404).ProducesProblem(409)
        .Administers("sensors", "sensor.delete");

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string fieldId, string sensorId, bool? leave, SensorDesk desk, SensorBook book, MeasureStore measures, TimeProvider clock, CancellationToken cancellation)
    {
        if (book.Find(fieldId, sensorId) is not { } entry)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var now = clock.GetUtcNow();
        var held = (await measures.OrdersForAsync(sensorId, now, cancellation)).Where(o => o.MayHold(now)).ToList();
        if (held.Count > 0 && leave != true)
        {
            return Problem.Of(
                SensorProblems.Holds, ("count", held.Count.ToString(CultureInfo.InvariantCulture)), ("until", held.Max(o => o.ExpiresAt).ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture)));
        }

        return await desk.DeleteAsync(entry, context.User.NameOf(), Correlation.Of(context), cancellation) ? Results.NoContent() : Problem.Of(CommonProblems.NotFound);
    }
}
