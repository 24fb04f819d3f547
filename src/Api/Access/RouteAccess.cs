using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Operations;

namespace Sekisho.Api.Access;

/// <summary>Who may use a management route. Every route declares it; a route without it is refused (and a test walks them).</summary>
/// <param name="Roles">Any one of these roles is needed; empty means any signed-in holder.</param>
/// <param name="Scope">What an API key needs, "subject:read" or "subject:write"; null when keys may not use the route at all.</param>
/// <param name="Anonymous">No sign-in needed (sign-in itself, first set-up, health).</param>
/// <param name="WhilePasswordUnset">Allowed while the account must still set a password of its own.</param>
public sealed record RouteAccess(IReadOnlyList<string> Roles, string? Scope, bool Anonymous = false, bool WhilePasswordUnset = false);

/// <summary>Marks a route that changes something: it is recorded in the operator audit before it runs.</summary>
/// <param name="Action">Stable name of the action ("device.register").</param>
public sealed record Change(string Action);

/// <summary>Which listener serves a route. Routes without it are management routes.</summary>
/// <param name="ForDevices">True on the device port.</param>
/// <param name="ForSensors">True on the port of traffic sensors.</param>
public sealed record Listener(bool ForDevices, bool ForSensors = false);

/// <summary>The route groups that stages map into.</summary>
/// <param name="Device">/device/v1 on the device port.</param>
/// <param name="Field">/api/v1/fields/{fieldId}: what belongs to one field; the field's existence and the holder's right to it are checked before the handler.</param>
/// <param name="Api">/api/v1: for holders, not bound to one field.</param>
/// <param name="Ops">/ops/v1: for maintainers.</param>
/// <param name="Root">Outside versioned paths: health, metrics.</param>
public sealed record RouteGroups(RouteGroupBuilder Device, RouteGroupBuilder Field, RouteGroupBuilder Api, RouteGroupBuilder Ops, RouteGroupBuilder Root);

/// <summary>Declares access on routes.</summary>
public static class RouteAccessConventions
{
    /// <summary>Field data to read: administrator, responder or auditor.</summary>
    public static RouteHandlerBuilder Reads(this RouteHandlerBuilder route, string subject) =>
        route.WithMetadata(new RouteAccess([Roles.Administrator, Roles.Responder, Roles.Auditor], subject + ":read"));

    /// <summary>Changes that administrators make.</summary>
    public static RouteHandlerBuilder Administers(this RouteHandlerBuilder route, string subject, string action) =>
        route.WithMetadata(new RouteAccess([Roles.Administrator], subject + ":write"), new Change(action));

    /// <summary>Handling of detections and responses: administrator or responder.</summary>
    public static RouteHandlerBuilder Responds(this RouteHandlerBuilder route, string subject, string action) =>
        route.WithMetadata(new RouteAccess([Roles.Administrator, Roles.Responder], subject + ":write"), new Change(action));

    /// <summary>Reading for maintainers.</summary>
    public static RouteHandlerBuilder Watches(this RouteHandlerBuilder route, string subject) =>
        route.WithMetadata(new RouteAccess([Roles.Maintainer], subject + ":read"));

    /// <summary>Changes that maintainers make.</summary>
    public static RouteHandlerBuilder Maintains(this RouteHandlerBuilder route, string subject, string action) =>
        route.WithMetadata(new RouteAccess([Roles.Maintainer], subject + ":write"), new Change(action));
}

/// <summary>Enforces <see cref="RouteAccess"/>, the field scope and the operator audit, in that order. Runs after routing and authentication.</summary>
public static class AccessEnforcement
{
    /// <summary>Adds the enforcement to the request pipeline.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="devicePort">Local port of the device listener.</param>
    /// <param name="sensorPort">Local port of the listener for sensors; 0 when there is none.</param>
    public static IApplicationBuilder UseRouteAccess(this IApplicationBuilder app, int devicePort, int sensorPort = 0) => app.Use(next => context =>
    {
        var endpoint = context.GetEndpoint();
        var port = context.Connection.LocalPort;
        var listener = endpoint?.Metadata.GetMetadata<Listener>();
        var (forDevices, forSensors) = (listener?.ForDevices ?? false, listener?.ForSensors ?? false);

        // The local port, not the Host header, decides: a header can say anything.
        if (endpoint is null || (port == devicePort) != forDevices || (port == sensorPort) != forSensors)
        {
            return Problem.WriteAsync(context, CommonProblems.NotFound);
        }

        return forDevices || forSensors ? next(context) : EnforceAsync(context, endpoint, next);
    });

    private static async Task EnforceAsync(HttpContext context, Endpoint endpoint, RequestDelegate next)
    {
        // What is logged about a management request can be found by its correlation id.
        using var scope = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Sekisho.Api")
            .BeginScope(new Dictionary<string, object?> { ["CorrelationId"] = Correlation.Of(context) });
        if (Refusal(context, endpoint) is { } refusal)
        {
            // Who is not signed in could fill the audit at will, and the entry would name nobody.
            if (context.User.Identity?.IsAuthenticated == true)
            {
                await AuditAsync(context, endpoint, "refused").ConfigureAwait(false);
            }

            await Problem.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        await AuditAsync(context, endpoint, "asked").ConfigureAwait(false);
        var outcome = "failed";
        try
        {
            await next(context).ConfigureAwait(false);
            outcome = context.Response.StatusCode < 400 ? null : "failed";
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked went away in between: what was asked may have been done by then, and must not be taken for undone.
            outcome = "broken-off";
            throw;
        }
        finally
        {
            // Also when the handler threw: whoever reads "asked" must be able to rely on it being all there is to say.
            if (outcome is not null)
            {
                await AuditAsync(context, endpoint, outcome).ConfigureAwait(false);
            }
        }
    }

    private static ProblemType? Refusal(HttpContext context, Endpoint endpoint)
    {
        var user = context.User;
        var access = endpoint.Metadata.GetMetadata<RouteAccess>();
        if (access is null)
        {
            // No route of ours declares nothing; what is left are the framework's own answers such as "method not allowed".
            return user.Identity?.IsAuthenticated == true ? CommonProblems.Forbidden : CommonProblems.SignInNeeded;
        }

        if (access.Anonymous)
        {
            return null;
        }

        if (user.Identity?.IsAuthenticated != true)
        {
            return CommonProblems.SignInNeeded;
        }

        if (!access.WhilePasswordUnset && user.HasClaim(c => c.Type == Principal.MustSetPassword))
        {
            return CommonProblems.PasswordUnset;
        }

        if (access.Roles.Count > 0 && !user.Is(access.Roles.ToArray()))
        {
            return CommonProblems.Forbidden;
        }

        if (user.HasClaim(Principal.HolderKind, "key") && (access.Scope is null || !user.HasClaim(Principal.Scope, access.Scope)))
        {
            return CommonProblems.ScopeMissing;
        }

        // A field that the holder may not see does not exist for the holder.
        return context.Request.RouteValues.TryGetValue("fieldId", out var value) && value is string fieldId
            && (!MayUse(user, access, fieldId) || context.RequestServices.GetRequiredService<IDeviceDirectory>().Field(fieldId) is null)
            ? CommonProblems.NotFound
            : null;
    }

    // Maintainers run fields without seeing their data: /ops routes name fields of everybody.
    private static bool MayUse(System.Security.Claims.ClaimsPrincipal user, RouteAccess access, string fieldId) =>
        access.Roles.Contains(Roles.Maintainer) || user.MaySee(fieldId);

    private static Task AuditAsync(HttpContext context, Endpoint endpoint, string outcome)
    {
        if (endpoint.Metadata.GetMetadata<Change>() is not { } change)
        {
            return Task.CompletedTask;
        }

        var values = context.Request.RouteValues;
        var target = string.Join(' ', values.Where(v => v.Key is not "fieldId").Select(v => $"{v.Key}={v.Value}"));
        return context.RequestServices.GetRequiredService<IOperatorAudit>().RecordAsync(
            new OperatorAction(context.User.NameOf(), change.Action, values.GetValueOrDefault("fieldId") as string, target, outcome, Correlation.Of(context)),
            CancellationToken.None);
    }
}
