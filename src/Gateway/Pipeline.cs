using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Behaviour;
using Sekisho.Detection;
using Sekisho.Devices;
using Sekisho.Distribution;
using Sekisho.History;
using Sekisho.Operations;
using Sekisho.Response;

namespace Sekisho.Gateway;

/// <summary>What the gateway does, in one place: connect, authenticate, receive, detect, respond, forward, record.</summary>
internal static class Pipeline
{
    /// <summary>
    /// Registers the stages. The order is the order of starting (stopping is the reverse): a stage finds those before it ready. It is also the
    /// order in which the parts of a lane's commit are written.
    /// </summary>
    public static void AddStages(IServiceCollection services)
    {
        services.AddOperations();   // who may manage it, and how it is doing
        services.AddDevices();      // 1 connect, 2 authenticate: who may send
        services.AddHistory();      // 7 record: what came, what went, what was done
        services.AddDistribution(); // 3 receive: durable before 202;  6 forward: outbox to the field's cloud
        services.AddDetection();    // 4 detect: lanes over the journal
        services.AddBehaviour();    // 4 detect, on the wire: what traffic sensors see
        services.AddResponse();     // 5 respond: leases that can be undone
    }

    /// <summary>The path of a request, on every listener.</summary>
    public static void Use(WebApplication app, int devicePort, int sensorPort)
    {
        // The framework would put both of its own into the way of every message; authentication is for management only, and UseRouteAccess decides.
        var properties = ((IApplicationBuilder)app).Properties;
        properties["__AuthenticationMiddlewareSet"] = true;
        properties["__AuthorizationMiddlewareSet"] = true;
        app.Use(Faults.ToProblems);
        app.UseRouting();
        app.UseWhen(context => context.Connection.LocalPort != devicePort && context.Connection.LocalPort != sensorPort, management => management.Use(SecurityHeaders.Add).UseAuthentication());
        app.UseRouteAccess(devicePort, sensorPort);
    }

    /// <summary>Every stage maps its own routes.</summary>
    public static void MapRoutes(WebApplication app)
    {
        var api = app.MapGroup("/api/v1");
        var routes = new RouteGroups(
            Device: app.MapGroup("/device/v1").WithMetadata(new Listener(ForDevices: true)),
            Field: api.MapGroup("/fields/{fieldId}"),
            Api: api,
            Ops: app.MapGroup("/ops/v1"),
            Root: app.MapGroup(""));
        routes.MapOperations();
        routes.MapDevices();
        routes.MapHistory();
        routes.MapDistribution();
        routes.MapDetection();
        routes.MapBehaviour();
        routes.MapResponse();
        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(new RouteAccess([], Scope: null));
    }
}
