using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Binding;

/// <summary>The answer to a sender that waits.</summary>
/// <param name="State">"pending".</param>
/// <param name="BindingId">The binding that waits, as administrators see it.</param>
internal sealed record WaitingAnswer(string State, string BindingId);

/// <summary>The route that devices authenticate at.</summary>
internal static class TokenRoutes
{
    /// <summary>The three elements fit no device; it is never said which of them is wrong.</summary>
    public static readonly ProblemType Failed = new("authentication-failed", StatusCodes.Status401Unauthorized);

    private const string Bearer = "Bearer ";
    private const int LongestClient = 128;
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(30);

    public static void Map(RouteGroups routes) =>
        routes.Device.MapPost("/token", AuthenticateAsync)
            .WithName("Authenticate").WithSummary("Takes common authentication ID, secret and unique ID; gives a token and the device identifier.").WithTags("Devices")
            .Accepts<ThreeElements>("application/json", "*/*")
            .Produces<IssuedToken>().Produces<WaitingAnswer>(StatusCodes.Status202Accepted)
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(413).ProducesProblem(429).ProducesProblem(503);

    private static async Task<IResult> AuthenticateAsync(HttpContext context, Authenticator authenticator, IRefusals refusals, CancellationToken cancellation)
    {
        var source = Sources.Of(context.Connection.RemoteIpAddress);
        var buffer = new byte[ThreeElements.LargestBody + 1];
        var size = context.Request.ContentLength > ThreeElements.LargestBody ? buffer.Length : await context.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        var elements = size > ThreeElements.LargestBody ? null : ThreeElements.Parse(buffer.AsSpan(0, size));
        if (elements is null)
        {
            var tooLarge = size > ThreeElements.LargestBody;
            refusals.Count(new Refusal(tooLarge ? RefusalReasons.TooLarge : RefusalReasons.Malformed, source, null, null, size, Correlation.Of(context)));
            return Problem.Of(tooLarge ? CommonProblems.BodyTooLarge : CommonProblems.BadRequest);
        }

        var shown = context.Request.Headers.Authorization.ToString();
        var client = context.Request.Headers.UserAgent.ToString();
        var attempt = new Attempt(
            elements,
            shown.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? shown[Bearer.Length..] : null,
            source,
            client.Length == 0 ? null : client.Length > LongestClient ? client[..LongestClient] : client,
            size,
            Correlation.Of(context));
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            return Answer(context, await authenticator.AuthenticateAsync(attempt, cancellation));
        }
        catch (JournalUnavailableException e)
        {
            return Problem.Of(CommonProblems.Unavailable).After(e.RetryAfter);
        }
    }

    private static IResult Answer(HttpContext context, Authentication outcome)
    {
        if (outcome.Token is { } token)
        {
            WireCharge.Charge(context, token.DeviceId);
            return Results.Ok(token);
        }

        if (outcome.Waiting is { } waiting)
        {
            context.Response.Headers.RetryAfter = AskAgain.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
            return Results.Json(new WaitingAnswer("pending", waiting.BindingId), statusCode: StatusCodes.Status202Accepted);
        }

        return outcome.Refused switch
        {
            RefusalReasons.RateLimited => Problem.Of(CommonProblems.TooMany).After(outcome.Retry),
            RefusalReasons.Suspended or RefusalReasons.Pending => Problem.Of(DeviceProblems.For(outcome.Refused)),
            _ => Problem.Of(Failed),
        };
    }
}
