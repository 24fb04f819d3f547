using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Binding;

/// <summary>The route that devices renew their secret at.</summary>
internal static class SecretRoutes
{
    private const string Bearer = "Bearer ";

    public static void Map(RouteGroups routes) =>
        routes.Device.MapPost("/secret", RenewAsync)
            .WithName("RenewSecret").WithSummary("Gives a device a new secret, when the answer to its token said renewSecretBefore. The old one is good until the new one is first used; asked again before that, the unused one ends.").WithTags("Devices")
            .Produces<RenewedSecret>().ProducesProblem(401).ProducesProblem(403).ProducesProblem(409).ProducesProblem(429);

    private static async Task<IResult> RenewAsync(HttpContext context, ITokenCheck tokens, SecretRenewal renewal, IRefusals refusals, CancellationToken cancellation)
    {
        var source = Sources.Of(context.Connection.RemoteIpAddress);
        var correlation = Correlation.Of(context);
        var shown = context.Request.Headers.Authorization.ToString();
        var device = context.Request.Headers["Sekisho-Device"].ToString();
        context.Response.Headers.CacheControl = "no-store";
        var verdict = shown.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? tokens.Check(shown.AsSpan(Bearer.Length).Trim(), device, source)
            : new TokenVerdict(RefusalReasons.BadToken, null, null, 0);
        if (verdict.Refusal is { } reason)
        {
            refusals.Count(new Refusal(reason, source, verdict.DeviceId, verdict.FieldId, 0, correlation));
            return Problem.Of(DeviceProblems.For(reason));
        }

        WireCharge.Charge(context, verdict.DeviceId!);
        var (secret, problem, retry) = await renewal.IssueAsync(verdict.DeviceId!, source, correlation, cancellation);
        return problem is null ? Results.Ok(secret) : retry > TimeSpan.Zero ? Problem.Of(problem).After(retry) : Problem.Of(problem);
    }
}
