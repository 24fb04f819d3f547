using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.Webhooks;

namespace Sekisho.Response.Actions.Ticket;

/// <summary>Routes for where a field, or the gateway itself, opens tickets.</summary>
internal static class TicketDeskRoutes
{
    private const string Path = "/ticket-desk";
    private const string Subject = "notification";

    public static void Map(RouteGroups routes)
    {
        Get(routes.Field, "field").Reads(Subject);
        Put(routes.Field, "field").Administers(Subject, "ticket-desk.change");
        Delete(routes.Field, "field").Administers(Subject, "ticket-desk.delete");
        Get(routes.Ops, "gateway").Watches(Subject);
        Put(routes.Ops, "gateway").Maintains(Subject, "ticket-desk.change");
        Delete(routes.Ops, "gateway").Maintains(Subject, "ticket-desk.delete");
    }

    private static RouteHandlerBuilder Get(RouteGroupBuilder group, string whose) => group
        .MapGet(Path, async (HttpContext context, TicketStore store, CancellationToken cancellation) =>
            await store.FindAsync(FieldOf(context), cancellation) is { } desk ? Results.Ok(TicketDeskView.Of(desk, HookRoutes.Masked(context))) : Problem.Of(CommonProblems.NotFound))
        .Produces<TicketDeskView>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .WithName($"read-ticket-desk-{whose}")
        .WithSummary($"Where tickets of the {whose} are opened; secret and values of header fields are never returned, addresses are masked for auditors.")
        .WithTags("Response");

    private static RouteHandlerBuilder Put(RouteGroupBuilder group, string whose) => group
        .MapPut(Path, async (HttpContext context, TicketDeskRequest request, TicketStore store, Texts texts, CancellationToken cancellation) =>
        {
            var before = await store.FindAsync(FieldOf(context), cancellation);
            var (desk, faults) = request.Read(FieldOf(context), before, texts, RequestLanguage.Of(context));
            if (desk is null)
            {
                return Problem.Of(CommonProblems.Invalid, faults);
            }

            await store.ReplaceAsync(desk, cancellation);
            return Results.Ok(TicketDeskView.Of(desk, masked: false, showSecret: desk.Secret != before?.Secret));
        })
        .Produces<TicketDeskView>()
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"change-ticket-desk-{whose}")
        .WithSummary($"Replaces where tickets of the {whose} are opened; a new secret is shown in this answer only.")
        .WithTags("Response");

    private static RouteHandlerBuilder Delete(RouteGroupBuilder group, string whose) => group
        .MapDelete(Path, async (HttpContext context, TicketStore store, CancellationToken cancellation) =>
            await store.DeleteAsync(FieldOf(context), cancellation) ? Results.NoContent() : Problem.Of(CommonProblems.NotFound))
        .Produces(StatusCodes.Status204NoContent)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .WithName($"delete-ticket-desk-{whose}")
        .WithSummary($"Forgets where tickets of the {whose} are opened, with its secrets; tickets that are open stay open.")
        .WithTags("Response");

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}

/// <summary>Where tickets are opened, as people see it.</summary>
/// <param name="Url">Its address; only the host for those who may not change it.</param>
/// <param name="Language">"ja" or "en".</param>
/// <param name="Template">The request that opens a ticket.</param>
/// <param name="NumberAt">Where the answer has the ticket's number.</param>
/// <param name="LinkAt">Where it has its address; null for none.</param>
/// <param name="Headers">Names of the further header fields; values are never returned.</param>
/// <param name="Closing">How a ticket is closed; null where people do that at the desk.</param>
/// <param name="Secret">For checking signatures; present only in the answer to the change that made it.</param>
internal sealed record TicketDeskView(
    string Url, string Language, JsonElement Template, string NumberAt, string? LinkAt, IReadOnlyList<string> Headers, TicketClosingView? Closing, string? Secret)
{
    public static TicketDeskView Of(TicketDesk desk, bool masked, bool showSecret = false) => new(
        Shown(desk.Url, masked),
        desk.Language,
        JsonElement.Parse(desk.Template),
        desk.NumberAt,
        desk.LinkAt,
        [.. desk.Headers.Keys.Order(StringComparer.Ordinal)],
        desk.Closing is { } closing ? new TicketClosingView(closing.Method, Shown(closing.Url, masked), JsonElement.Parse(closing.Template)) : null,
        showSecret ? desk.Secret : null);

    private static string Shown(string url, bool masked) => masked ? NotificationView.MaskUrl(url) : url;
}

/// <summary>How a ticket is closed.</summary>
/// <param name="Method">POST, PUT or PATCH.</param>
/// <param name="Url">Its address.</param>
/// <param name="Template">Its body.</param>
internal sealed record TicketClosingView(string Method, string Url, JsonElement Template);
