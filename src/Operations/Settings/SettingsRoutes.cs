using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;

namespace Sekisho.Operations.Settings;

/// <summary>What the gateway was started with.</summary>
internal static class SettingsRoutes
{
    public static void Map(RouteGroups routes) =>
        routes.Ops.MapGet("/settings", (HttpContext _, IReadOnlyList<SettingInForce> inForce) => Results.Ok(inForce.OrderBy(s => s.Key, StringComparer.Ordinal)))
            .Watches("operations")
            .WithName("ListSettings").WithSummary("Lists the settings in force and where each came from, secrets masked.").WithTags("Operations").Produces<SettingInForce[]>();
}
