using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Devices.Credentials;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Registry;

/// <summary>Routes to register, show, search and change devices.</summary>
internal static class DeviceRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/devices", List)
            .WithName("ListDevices").WithSummary("Lists the devices of a field.").WithTags("Devices")
            .Produces<Page<DeviceView>>()
            .Reads("devices");
        routes.Field.MapPost("/devices/search", Search)
            .WithName("SearchDevices").WithSummary("Searches the devices of a field by unique ID, or by part of name, kind or identifier. A body, because what identifies a device or a person is kept out of addresses.").WithTags("Devices")
            .Produces<Page<DeviceView>>()
            .Reads("devices");
        routes.Field.MapPost("/devices", RegisterAsync)
            .WithName("RegisterDevice").WithSummary("Registers a device; its secret is in this answer and nowhere after.").WithTags("Devices")
            .Produces<IssuedDevice>(StatusCodes.Status201Created).ProducesProblem(409).ProducesProblem(422)
            .Administers("devices", "device.register");
        routes.Field.MapGet("/devices/{deviceId}", Get)
            .WithName("GetDevice").WithSummary("Shows a device.").WithTags("Devices")
            .Produces<DeviceView>().ProducesProblem(404)
            .Reads("devices");
        routes.Field.MapPut("/devices/{deviceId}", ChangeAsync)
            .WithName("ChangeDevice").WithSummary("Changes name, kind, cadence, parent and user of a device.").WithTags("Devices")
            .Produces<DeviceView>().ProducesProblem(404).ProducesProblem(422)
            .Administers("devices", "device.change");
    }

    private static IResult List(HttpContext context, string fieldId, DeviceSearch devices, DeviceViews views, string? kind, string? state, string? after, int? limit) =>
        Answer(context, views, devices.Find(fieldId, new DeviceQuery(null, kind, state, after, limit)));

    private static IResult Search(HttpContext context, string fieldId, DeviceQuery asked, DeviceSearch devices, DeviceViews views) =>
        Answer(context, views, devices.Find(fieldId, asked));

    private static IResult Answer(HttpContext context, DeviceViews views, Page<DeviceEntry> page) =>
        Results.Ok(new Page<DeviceView>([.. page.Items.Select(e => views.Of(e, context.User))], page.Next));

    private static IResult Get(HttpContext context, string fieldId, string deviceId, DeviceIndex index, DeviceViews views) =>
        index.Find(fieldId, deviceId) is { } entry ? Results.Ok(views.Of(entry, context.User)) : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> RegisterAsync(HttpContext context, string fieldId, Registration asked, Registrar registrar, DeviceViews views, Texts texts, CancellationToken cancellation)
    {
        var broken = new List<BrokenRule>();
        var device = DeviceRules.Judge(asked, NewCredential.Id('d'), Place, broken);
        if (device is null)
        {
            return Rules.Problem(context, texts, broken);
        }

        var (done, refused) = await registrar.RegisterAsync(fieldId, [device], Caller.Of(context), cancellation);
        if (refused.FirstOrDefault(r => r.Taken is not null) is { } taken)
        {
            return Problem.Of(taken.Taken!, ("device", taken.DeviceId ?? ""));
        }

        if (refused.Count > 0)
        {
            return Rules.Problem(context, texts, [.. refused.Select(r => new BrokenRule(Place(r.Property), r.Key))]);
        }

        var made = done[0];
        context.Response.Headers.CacheControl = "no-store";
        return Results.Created($"/api/v1/fields/{fieldId}/devices/{made.Entry.Id}", new IssuedDevice(views.Of(made.Entry, context.User), made.CommonAuthId, made.Secret));
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, string fieldId, string deviceId, DeviceChange asked, DeviceChanges changes, DeviceViews views, Texts texts, CancellationToken cancellation)
    {
        var broken = new List<BrokenRule>();
        var traits = DeviceRules.Judge(asked, Place, broken);
        if (broken.Count > 0)
        {
            return Rules.Problem(context, texts, broken);
        }

        var (entry, rule) = await changes.ChangeAsync(fieldId, deviceId, traits, Caller.Of(context), cancellation);
        return entry is not null ? Results.Ok(views.Of(entry, context.User))
            : rule is null ? Problem.Of(CommonProblems.NotFound)
            : Rules.Problem(context, texts, [new BrokenRule(Place(rule == "user" ? "userId" : "parentId"), rule)]);
    }

    private static string Place(string property) => "/" + property;
}
