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
                AnswerAsync(context, context.Request.Query["token"], pressed: null, tools)))
            .WithName("ShowAcknowledgement")
            .WithSummary("Shows what the link of an on-call mail would acknowledge, in the reader's language. Changes nothing.");
        Describe(routes.Root.MapPost(AcknowledgeLinks.Path, async (HttpContext context, AcknowledgeTools tools) =>
            {
                var form = await FormAsync(context);
                return await AnswerAsync(context, form["token"], pressed: form["shown"].ToString(), tools);
            }))
            .WithMetadata(new Limit())
            .WithName("AcknowledgeByLink")
            .WithSummary("Acknowledges the detections that the page of an on-call mail showed, with its form. Where they have changed meanwhile it shows them anew and acknowledges nothing.");
    }

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder route) => route
        .WithTags("Response").WithMetadata(new RouteAccess([], Scope: null, Anonymous: true))
        .Produces<string>(StatusCodes.Status200OK, "text/html").Produces<string>(StatusCodes.Status404NotFound, "text/html").ProducesProblem(StatusCodes.Status429TooManyRequests);

    /// <param name="context">The request.</param>
    /// <param name="token">The link's.</param>
    /// <param name="pressed">What was shown when the button was pressed; null when it was not.</param>
    /// <param name="tools">What is needed.</param>
    private static async Task<IResult> AnswerAsync(HttpContext context, string? token, string? pressed, AcknowledgeTools tools)
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

        var isNew = pressed is not null && subject.State == AcknowledgeState.Open && pressed != subject.Shown;
        if (pressed is not null && subject.State == AcknowledgeState.Open && !isNew)
        {
            await tools.Desk.AcknowledgeAsync(subject, ticket!.Person, Correlation.Of(context));
            subject = await tools.Desk.FindAsync(ticket with { Lease = subject.Lease.Id }, CancellationToken.None) ?? subject;
        }

        return Results.Content(AcknowledgePage.Of(subject, token!, isNew, tools.Directory, tools.Texts, language), "text/html; charset=utf-8");
    }

    private static async Task<IFormCollection> FormAsync(HttpContext context)
    {
        try
        {
            return context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            // Too long or no form: the same as no token.
            return FormCollection.Empty;
        }
    }

    private sealed class Limit : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => LongestForm;
    }
}

/// <summary>What the routes need.</summary>
internal sealed record AcknowledgeTools(AcknowledgeLinks Links, AcknowledgeDesk Desk, RequestLimit Limit, IDeviceDirectory Directory, Texts Texts);
