using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>
/// The page of on-call links. It needs no account: the ticket in the link is the right to acknowledge this one call. Looking changes nothing, because
/// programs that check mails open links; only the button acknowledges. The token stands in no log and in no record.
/// </summary>
internal static class AcknowledgeRoutes
{
    private const int LongestForm = 4096;

    public static void Map(RouteGroups routes)
    {
        Describe(routes.Root.MapGet(AcknowledgeLinks.Path, (HttpContext context, AcknowledgeTools tools) =>
                AnswerAsync(context, context.Request.Query["token"], acknowledges: false, tools)))
            .WithName("ShowAcknowledgement")
            .WithSummary("Shows what the link of an on-call mail would acknowledge, in the reader's language. Changes nothing.");
        Describe(routes.Root.MapPost(AcknowledgeLinks.Path, async (HttpContext context, AcknowledgeTools tools) =>
                await AnswerAsync(context, await TokenOfFormAsync(context), acknowledges: true, tools)))
            .WithMetadata(new Limit())
            .WithName("AcknowledgeByLink")
            .WithSummary("Acknowledges the detections of an on-call mail with the token of its link, sent as a form.");
    }

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder route) => route
        .WithTags("Response").WithMetadata(new RouteAccess([], Scope: null, Anonymous: true))
        .Produces<string>(StatusCodes.Status200OK, "text/html").Produces<string>(StatusCodes.Status404NotFound, "text/html").ProducesProblem(StatusCodes.Status429TooManyRequests);

    private static async Task<IResult> AnswerAsync(HttpContext context, string? token, bool acknowledges, AcknowledgeTools tools)
    {
        var ticket = tools.Links.Read(token);

        // Whoever holds a good link is not kept from using it by those who guess.
        if (!tools.Limit.Allows(ticket is null ? $"{context.Connection.RemoteIpAddress}" : $"{ticket.Lease} {ticket.Person}", ticket is not null))
        {
            context.Response.Headers.RetryAfter = "60";
            return Problem.Of(ResponseProblems.TooManyLinks);
        }

        var language = RequestLanguage.Of(context);
        context.Response.Headers.ContentSecurityPolicy = AcknowledgePage.Policy;
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        var subject = await tools.Desk.FindAsync(ticket, context.RequestAborted);
        if (subject is null)
        {
            return Results.Content(AcknowledgePage.Nothing(tools.Texts, language), "text/html; charset=utf-8", statusCode: StatusCodes.Status404NotFound);
        }

        if (acknowledges && subject.State == AcknowledgeState.Open)
        {
            await tools.Desk.AcknowledgeAsync(subject, ticket!.Person, Correlation.Of(context));
            subject = await tools.Desk.FindAsync(ticket, CancellationToken.None) ?? subject;
        }

        return Results.Content(AcknowledgePage.Of(subject, token!, tools.Directory, tools.Texts, language), "text/html; charset=utf-8");
    }

    private static async Task<string?> TokenOfFormAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            return null;
        }

        try
        {
            return (await context.Request.ReadFormAsync(context.RequestAborted))["token"];
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            // Too long or no form: the same as no token.
            return null;
        }
    }

    private sealed class Limit : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => LongestForm;
    }
}

/// <summary>What the routes need.</summary>
internal sealed record AcknowledgeTools(AcknowledgeLinks Links, AcknowledgeDesk Desk, RequestLimit Limit, IDeviceDirectory Directory, Texts Texts);
