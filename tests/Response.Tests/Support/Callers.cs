using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Sekisho.Api.Access;

namespace Sekisho.Response.Tests.Support;

/// <summary>Callers of a test host: who they are stands in headers of their requests.</summary>
internal static class Callers
{
    /// <summary>Takes callers at their word, and maps the stage's routes behind the access rules.</summary>
    public static void MapResponseForCallers(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            var headers = context.Request.Headers;
            if (headers.TryGetValue("X-Role", out var role))
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity(
                    [
                        new Claim(Principal.Name, headers["X-Name"]!), new Claim(Principal.Role, role.ToString()), new Claim(Principal.Field, headers["X-Field"]!),
                        new Claim(Principal.HolderKind, headers["X-Holder"]!), .. headers["X-Scopes"].ToString().Split(' ').Select(s => new Claim(Principal.Scope, s)),
                    ],
                    "test"));
            }

            return next(context);
        });
        app.UseRouting();
        app.UseRouteAccess(devicePort: -1);
        RouteGroups groups = new(
            app.MapGroup("/device/v1"), app.MapGroup("/api/v1/fields/{fieldId}"), app.MapGroup("/api/v1"), app.MapGroup("/ops/v1"), app.MapGroup(""));
        groups.MapResponse();
    }

    /// <summary>A client that says who it is.</summary>
    public static HttpClient Client(this WebApplication app, string role, string name, string field, bool key, string scopes)
    {
        var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Add("X-Role", role);
        client.DefaultRequestHeaders.Add("X-Name", name);
        client.DefaultRequestHeaders.Add("X-Field", field);
        client.DefaultRequestHeaders.Add("X-Holder", key ? "key" : "person");
        client.DefaultRequestHeaders.Add("X-Scopes", scopes);
        return client;
    }
}
