using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Tests;

public partial class TextTests
{
    [Fact]
    public void Every_text_exists_in_both_languages_with_the_same_places_to_fill()
    {
        var texts = new Texts([typeof(DistributionFeature).Assembly]);
        Assert.Equal(texts.Keys("en").Order(StringComparer.Ordinal), texts.Keys("ja").Order(StringComparer.Ordinal));
        foreach (var key in texts.Keys("en"))
        {
            Assert.Equal(Places(texts.Get(key, "en")), Places(texts.Get(key, "ja")));
        }

        static IEnumerable<string> Places(string text) => Place().Matches(text).Select(m => m.Value).Order(StringComparer.Ordinal).Distinct();
    }

    [Fact]
    public async Task Every_route_has_a_name_a_summary_and_declared_access()
    {
        await using var gateway = await TestGateway.StartAsync();
        var routes = gateway.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        Assert.Equal(28, routes.Count);
        foreach (var route in routes)
        {
            Assert.NotNull(route.Metadata.GetMetadata<IEndpointNameMetadata>());
            Assert.NotNull(route.Metadata.GetMetadata<Microsoft.AspNetCore.Http.Metadata.IEndpointSummaryMetadata>());
            Assert.NotNull(route.Metadata.GetMetadata<System.Reflection.MethodInfo>());
            Assert.True(route.RoutePattern.RawText!.StartsWith("/device/", StringComparison.Ordinal) || route.Metadata.GetMetadata<RouteAccess>() is not null);
        }
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Place();
}
