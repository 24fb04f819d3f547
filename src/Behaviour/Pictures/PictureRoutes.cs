using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Localization;

namespace Sekisho.Behaviour.Pictures;

/// <summary>Routes that show what a sensor sees.</summary>
internal static class PictureRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/sensors/{sensorId}/devices", DevicesAsync)
            .WithName("ListSeenDevices").WithSummary("Lists the devices that a sensor saw, with rates and peers over the last seconds (60 unless told otherwise, at most 3600).").WithTags("Sensors")
            .Produces<Page<SeenDeviceView>>().ProducesProblem(404)
            .Reads("sensors");
        routes.Field.MapGet("/sensors/{sensorId}/flows", FlowsAsync)
            .WithName("ListSeenFlows").WithSummary("Lists the flows of the last seconds, those with the most bytes first; of one device by its deviceKey.").WithTags("Sensors")
            .Produces<Page<FlowView>>().ProducesProblem(404)
            .Reads("sensors");
        routes.Field.MapGet("/sensors/{sensorId}/state", State)
            .WithName("GetSensorState").WithSummary("Shows what a sensor last said of itself, and its alarms.").WithTags("Sensors")
            .Produces<StateView>().ProducesProblem(404)
            .Reads("sensors");
    }

    private static async Task<IResult> DevicesAsync(string fieldId, string sensorId, SensorBook book, IntervalStore store, RecentWindows windows, int? seconds, string? after, int? limit, CancellationToken cancellation)
    {
        if (book.Find(fieldId, sensorId) is not { } entry)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var devices = await store.DevicesAsync(sensorId, cancellation);
        var from = after is null ? 0 : devices.TakeWhile(d => !string.Equals(Convert.ToHexStringLower(d.Key), after, StringComparison.Ordinal)).Count() + 1;
        var shown = devices.Skip(from).Take(Paging.Limit(limit)).ToList();
        var window = await windows.OfAsync(entry.Sensor, seconds, cancellation);
        var flows = window.Flows.SelectMany(f => (IEnumerable<(ulong Mac, FlowSum Flow)>)(f.Newest.ClientMac == f.Newest.ServerMac ? [(f.Newest.ClientMac, f)] : [(f.Newest.ClientMac, f), (f.Newest.ServerMac, f)]))
            .ToLookup(f => f.Mac, f => f.Flow);
        return Results.Ok(new Page<SeenDeviceView>(
            [.. shown.Select(d => Views.Of(d, window, [.. flows[d.Identity.Mac].Where(f => Views.Ends(f.Newest, d.Identity) is { Client: true } or { Server: true })]))],
            from + shown.Count < devices.Count ? Convert.ToHexStringLower(shown[^1].Key) : null));
    }

    private static async Task<IResult> FlowsAsync(string fieldId, string sensorId, SensorBook book, IntervalStore store, RecentWindows windows, string? device, int? seconds, int? limit, CancellationToken cancellation)
    {
        if (book.Find(fieldId, sensorId) is not { } entry)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var window = await windows.OfAsync(entry.Sensor, seconds, cancellation);
        var flows = window.Flows;
        if (device is not null)
        {
            var own = (await store.DevicesAsync(sensorId, cancellation)).FirstOrDefault(d => string.Equals(Convert.ToHexStringLower(d.Key), device, StringComparison.Ordinal));
            flows = own is null ? [] : [.. flows.Where(f => Views.Ends(f.Newest, own.Identity) is { Client: true } or { Server: true })];
        }

        return Results.Ok(new Page<FlowView>([.. flows.Take(Paging.Limit(limit)).Select(f => Views.Of(f, window.Seconds))], null));
    }

    private static IResult State(HttpContext context, string fieldId, string sensorId, SensorBook book, Texts texts)
    {
        if (book.Find(fieldId, sensorId) is not { } entry)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var (sensor, language) = (entry.Sensor, RequestLanguage.Of(context));
        var status = sensor.Status;
        return Results.Ok(new StateView(
            status is null ? null : Views.Time(status.Start),
            status?.Length,
            status?.State,
            status is { State: { UplinkBytes: > 0, Bytes: > 0 } state } ? (double)state.UplinkBytes / state.Bytes : null,
            sensor.Missed,
            [.. (status?.Alarms ?? new Dictionary<string, Alarm>()).Where(a => a.Value.On).OrderBy(a => a.Key, StringComparer.Ordinal)
                .Select(a => new AlarmView(a.Key, Views.Time(a.Value.Since), texts.Get("behaviour.alarm." + a.Key, language)))]));
    }
}
