using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Lanes;

/// <summary>A limit that a device's condition has made for itself, or that a person has set in its place.</summary>
/// <param name="Condition">Key of the condition.</param>
/// <param name="Label">Its label.</param>
/// <param name="Effect">What may follow from it: "suggest", "shadow" or "act".</param>
/// <param name="Metric">What is measured.</param>
/// <param name="Unit">Unit of the limits: "s", "bytes", "count", "percent" or "".</param>
/// <param name="Low">Below this is unusual; null when nothing is, or too little is known.</param>
/// <param name="High">Above this is unusual; null when nothing is, or too little is known.</param>
/// <param name="Origin">"learnt" from the device's own history, "peer" while it leans on devices of its kind, "person", "none" while nothing is known.</param>
/// <param name="Values">Values of its own that it rests on.</param>
/// <param name="Since">Time of the first of them.</param>
/// <param name="Until">Time of the last of them.</param>
/// <param name="SetAt">When it was set last.</param>
/// <param name="AlarmsPerMonth">False alarms per month that it was set for.</param>
/// <param name="HasMoved">True when the values have moved further than is learnt without a person's word.</param>
internal sealed record ThresholdView(
    string Condition, string Label, string Effect, string Metric, string Unit, double? Low, double? High, string Origin, long Values, DateTimeOffset? Since, DateTimeOffset? Until, DateTimeOffset? SetAt, double? AlarmsPerMonth, bool HasMoved)
{
    public static ThresholdView Of(DeviceThreshold threshold, string language)
    {
        var (condition, band) = (threshold.Condition, threshold.Band);
        var limits = band.Limits;
        return new ThresholdView(
            condition.Definition.Key, condition.Definition.Label.In(language), condition.Effect, band.Metric, band.Unit, limits.Low, limits.High,
            limits.Low is null && limits.High is null ? "none" : limits.Origin, limits.Values, At(limits.Since), At(limits.Until), At(limits.SetAt), limits.Target > 0 ? limits.Target : null, limits.HasMoved);
    }

    private static DateTimeOffset? At(long milliseconds) => milliseconds == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}

/// <summary>Shows what devices have learnt. A limit of a person's own is a value of the condition, as people set it there.</summary>
internal static class ThresholdRoutes
{
    public static void Map(RouteGroups routes) =>
        routes.Field.MapGet("/devices/{deviceId}/thresholds", ReadAsync)
            .WithName("ListThresholds").WithSummary("The limits that the device's conditions have learnt: what they rest on, and when they were set.").WithTags("Detection")
            .Produces<IReadOnlyList<ThresholdView>>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable).Reads("detections");

    private static async Task<IResult> ReadAsync(string fieldId, string deviceId, IDeviceDirectory devices, LanePump lanes, HttpContext context)
    {
        if (devices.Device(deviceId)?.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        try
        {
            var learnt = await lanes.AskAsync(runner => runner.ThresholdsOf(deviceId), context.RequestAborted).ConfigureAwait(false);
            return Results.Ok(learnt.Select(t => ThresholdView.Of(t, RequestLanguage.Of(context))).ToList());
        }
        catch (TimeoutException)
        {
            return Problem.Of(CommonProblems.Unavailable);
        }
    }
}
