using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Limits;

/// <summary>Limits of a field and traffic of a device.</summary>
internal static class LimitRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/limits", (string fieldId, FieldLimits limits) => TypedResults.Ok(Shown(fieldId, limits)))
            .Reads("limits").WithName("ReadLimits").WithTags("Distribution").WithSummary("Reads how much each device of the field may send.")
            .Produces<LimitsView>();

        routes.Field.MapPut("/limits", PutAsync)
            .Administers("limits", "limits.change").WithName("ChangeLimits").WithTags("Distribution").WithSummary("Sets how much each device of the field may send.")
            .Produces<LimitsView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);

        routes.Field.MapGet("/devices/{deviceId}/traffic", (string fieldId, string deviceId, TrafficCounters traffic, IDeviceDirectory devices) =>
                devices.Device(deviceId)?.FieldId == fieldId ? (IResult)TypedResults.Ok(traffic.Read(deviceId)) : Problem.Of(CommonProblems.NotFound))
            .Reads("limits").WithName("ReadTraffic").WithTags("Distribution")
            .WithSummary("Reads what a device sent since the gateway started, refused and repeated traffic apart from accepted.")
            .Produces<DeviceTraffic>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> PutAsync(string fieldId, LimitsChange change, HttpContext context, FieldLimits limits, Texts texts, CancellationToken cancellation)
    {
        var faults = new List<Fault>();
        Check("/messagesPerSecond", change.MessagesPerSecond, 0.01, 1_000_000);
        Check("/burst", change.Burst, 1, 1_000_000);
        Check("/backlogPerSecond", change.BacklogPerSecond, 0.01, 1_000_000);
        Check("/backlogBurst", change.BacklogBurst, 1, 10_000_000);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var document = new DeviceLimits(change.MessagesPerSecond!.Value, (int)change.Burst!.Value, change.BacklogPerSecond!.Value, (int)change.BacklogBurst!.Value);
        return await limits.ReplaceAsync(fieldId, document, change.Version, cancellation).ConfigureAwait(false) is null
            ? Problem.Of(CommonProblems.Conflict)
            : TypedResults.Ok(Shown(fieldId, limits));

        void Check(string place, double? value, double low, double high)
        {
            if (value is not { } v || !(v >= low && v <= high))
            {
                faults.Add(new Fault(place, texts.Get(
                    "distribution.fault.number-range",
                    RequestLanguage.Of(context),
                    ("low", low.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                    ("high", high.ToString(System.Globalization.CultureInfo.InvariantCulture)))));
            }
        }
    }

    private static LimitsView Shown(string fieldId, FieldLimits limits)
    {
        var now = limits.Of(fieldId);
        return new LimitsView(limits.Written(fieldId)?.Version ?? 0, now.MessagesPerSecond, now.Burst, now.BacklogPerSecond, now.BacklogBurst);
    }
}

/// <summary>Limits in force. Version 0 means that the settings hold.</summary>
internal sealed record LimitsView(long Version, double MessagesPerSecond, int Burst, double BacklogPerSecond, int BacklogBurst);

/// <summary>Limits to set; all four are needed. Version, when given, must be the one in force.</summary>
internal sealed record LimitsChange(double? MessagesPerSecond, double? Burst, double? BacklogPerSecond, double? BacklogBurst, long? Version);
