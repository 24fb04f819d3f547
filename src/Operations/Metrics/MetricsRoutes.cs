using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;

namespace Sekisho.Operations.Metrics;

/// <summary>The scrape. A scraper uses a maintainer's key with scope operations:read.</summary>
internal static class MetricsRoutes
{
    public static void Map(RouteGroups routes) =>
        routes.Root.MapGet("/metrics", (HttpContext _, Collector collector) => Results.Text(collector.Scrape(), Exposition.ContentType))
            .Watches("operations")
            .WithName("Metrics").WithSummary("Metrics in the Prometheus text format.").WithTags("Operations").Produces<string>(contentType: "text/plain");
}
