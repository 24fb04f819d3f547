using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Devices.Registry;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Access;

/// <summary>A transition that a person asks for.</summary>
/// <param name="State">"suspended", "abnormal", "stray", or "released".</param>
/// <param name="Reason">Why, 1 to 500 characters.</param>
internal sealed record StateChange(string? State, string? Reason);

/// <summary>Why a device is retired.</summary>
/// <param name="Reason">1 to 500 characters.</param>
internal sealed record Retirement(string? Reason);

/// <summary>Routes that lock devices out, let them in, retire and delete them and issue secrets anew.</summary>
internal static class AccessRoutes
{
    private const string Released = "released";

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapDelete("/devices/{deviceId}", DeleteAsync)
            .WithName("DeleteDevice").WithSummary("Deletes a device and revokes its tokens at once.").WithTags("Devices")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(404).ProducesProblem(409)
            .Administers("devices", "device.delete");
        routes.Field.MapPost("/devices/{deviceId}/state", MoveAsync)
            .WithName("MoveDevice").WithSummary("Locks a device out (suspended, abnormal, stray) or releases it; holds from its very next request.").WithTags("Devices")
            .Produces<DeviceView>().ProducesProblem(404).ProducesProblem(409).ProducesProblem(422)
            .Administers("devices", "device.state");
        routes.Field.MapPost("/devices/{deviceId}/retire", RetireAsync)
            .WithName("RetireDevice").WithSummary("Takes a device out of service for good; its identity is never adopted.").WithTags("Devices")
            .Produces<DeviceView>().ProducesProblem(404).ProducesProblem(409).ProducesProblem(422)
            .Administers("devices", "device.retire");
        routes.Field.MapPost("/devices/{deviceId}/secret", ReissueAsync)
            .WithName("ReissueSecret").WithSummary("Gives a device a new secret; the old one and all tokens end at once.").WithTags("Devices")
            .Produces<IssuedDevice>().ProducesProblem(404).ProducesProblem(409)
            .Administers("devices", "device.reissue");
    }

    private static async Task<IResult> MoveAsync(HttpContext context, string fieldId, string deviceId, StateChange asked, DeviceIndex index, StateChanges changes, DeviceViews views, Texts texts, CancellationToken cancellation)
    {
        var broken = Reason(asked.Reason);
        if (asked.State is not Released && !(asked.State is { } state && LifecycleStates.IsLockedOut(state)))
        {
            broken.Insert(0, new BrokenRule("/state", "state"));
        }

        if (broken.Count > 0)
        {
            return Rules.Problem(context, texts, broken);
        }

        if (index.Find(fieldId, deviceId) is null)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var reason = asked.Reason!.Trim();
        return Answer(context, views, asked.State == Released
            ? await changes.ReleaseAsync(deviceId, Caller.Of(context), reason, cancellation)
            : await changes.MoveAsync(deviceId, asked.State!, Caller.Of(context), reason, cancellation));
    }

    private static async Task<IResult> RetireAsync(HttpContext context, string fieldId, string deviceId, Retirement asked, DeviceIndex index, StateChanges changes, DeviceViews views, Texts texts, CancellationToken cancellation)
    {
        var broken = Reason(asked.Reason);
        return broken.Count > 0 ? Rules.Problem(context, texts, broken)
            : index.Find(fieldId, deviceId) is null ? Problem.Of(CommonProblems.NotFound)
            : Answer(context, views, await changes.MoveAsync(deviceId, LifecycleStates.Retired, Caller.Of(context), asked.Reason!.Trim(), cancellation));
    }

    private static async Task<IResult> ReissueAsync(HttpContext context, string fieldId, string deviceId, Reissue reissue, DeviceViews views, CancellationToken cancellation)
    {
        var (issued, problem) = await reissue.ReissueAsync(fieldId, deviceId, Caller.Of(context), cancellation);
        if (problem is not null)
        {
            return Problem.Of(problem, ("device", deviceId));
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Ok(new IssuedDevice(views.Of(issued!.Entry, context.User), issued.CommonAuthId, issued.Secret));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string fieldId, string deviceId, Deletion deletion, CancellationToken cancellation) =>
        await deletion.DeleteAsync(fieldId, deviceId, Caller.Of(context), cancellation) is { } problem ? Problem.Of(problem, ("device", deviceId)) : Results.NoContent();

    private static List<BrokenRule> Reason(string? reason) => Rules.Printable(reason?.Trim() ?? "", 1, 500) ? [] : [new BrokenRule("/reason", "reason")];

    private static IResult Answer(HttpContext context, DeviceViews views, Moved moved) =>
        moved.Problem is { } problem ? Problem.Of(problem, ("device", moved.Entry?.Id ?? "")) : Results.Ok(views.Of(moved.Entry!, context.User));
}
