using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>Routes for the named webhooks of a field, or of the gateway itself.</summary>
internal static class HookRoutes
{
    private const string Path = "/notification/webhooks";
    private const string Subject = "notification";

    public static void Map(RouteGroups routes)
    {
        List(routes.Field, "field").Reads(Subject);
        Templates(routes.Field, "field").Reads(Subject);
        Add(routes.Field, "field").Administers(Subject, "webhook.add");
        Change(routes.Field, "field").Administers(Subject, "webhook.change");
        Delete(routes.Field, "field").Administers(Subject, "webhook.delete");
        List(routes.Ops, "gateway").Watches(Subject);
        Templates(routes.Ops, "gateway").Watches(Subject);
        Add(routes.Ops, "gateway").Maintains(Subject, "webhook.add");
        Change(routes.Ops, "gateway").Maintains(Subject, "webhook.change");
        Delete(routes.Ops, "gateway").Maintains(Subject, "webhook.delete");
    }

    /// <summary>True for readers who may not change it.</summary>
    public static bool Masked(HttpContext context) => !context.User.Is(Roles.Administrator, Roles.Responder, Roles.Maintainer);

    private static RouteHandlerBuilder List(RouteGroupBuilder group, string whose) => group
        .MapGet(Path, async (HttpContext context, HookStore store, CancellationToken cancellation) =>
            Results.Ok((await store.ListAsync(FieldOf(context), cancellation)).Select(h => HookView.Of(h, Masked(context))).ToArray()))
        .Produces<HookView[]>()
        .WithName($"list-webhooks-{whose}")
        .WithSummary($"Named webhooks of the {whose}; secrets and values of header fields are never returned, addresses are masked for auditors.")
        .WithTags("Response");

    private static RouteHandlerBuilder Templates(RouteGroupBuilder group, string whose) => group
        .MapGet("/notification/webhook-templates", (HttpContext context, Texts texts) => Results.Ok(ShippedTemplate.All.Select(t => new HookTemplateView(
            t.Name, texts.Get("webhook.template." + t.Name, RequestLanguage.Of(context)), t.Url, t.Headers, t.Template)).ToArray()))
        .Produces<HookTemplateView[]>()
        .WithName($"list-webhook-templates-{whose}")
        .WithSummary("Bodies for services that the product brings along; take one as the template of a webhook.")
        .WithTags("Response");

    private static RouteHandlerBuilder Add(RouteGroupBuilder group, string whose) => group
        .MapPost(Path, (HttpContext context, HookRequest request, HookStore store, Texts texts, CancellationToken cancellation) =>
            SaveAsync(context, Hook.NewId(), null, request, store, texts, cancellation))
        .Produces<HookView>()
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"add-webhook-{whose}")
        .WithSummary($"Adds a named webhook to the {whose}; its secret is shown in this answer only.")
        .WithTags("Response");

    private static RouteHandlerBuilder Change(RouteGroupBuilder group, string whose) => group
        .MapPut(Path + "/{webhookId}", async (HttpContext context, string webhookId, HookRequest request, HookStore store, Texts texts, CancellationToken cancellation) =>
            await store.FindAsync(FieldOf(context), webhookId, cancellation) is { } before
                ? await SaveAsync(context, webhookId, before, request, store, texts, cancellation)
                : Problem.Of(CommonProblems.NotFound))
        .Produces<HookView>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"change-webhook-{whose}")
        .WithSummary($"Replaces a named webhook of the {whose}; it keeps its secret unless a new one is asked for, and values of header fields that are null while its host stays.")
        .WithTags("Response");

    private static RouteHandlerBuilder Delete(RouteGroupBuilder group, string whose) => group
        .MapDelete(Path + "/{webhookId}", async (HttpContext context, string webhookId, HookStore store, CancellationToken cancellation) =>
            await store.DeleteAsync(FieldOf(context), webhookId, cancellation) ? Results.NoContent() : Problem.Of(CommonProblems.NotFound))
        .Produces(StatusCodes.Status204NoContent)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .WithName($"delete-webhook-{whose}")
        .WithSummary($"Forgets a named webhook of the {whose} with its secrets.")
        .WithTags("Response");

    private static async Task<IResult> SaveAsync(HttpContext context, string id, Hook? before, HookRequest request, HookStore store, Texts texts, CancellationToken cancellation)
    {
        var (hook, faults) = request.Read(id, FieldOf(context), before, texts, RequestLanguage.Of(context));
        if (hook is null)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        return await store.SaveAsync(hook, cancellation)
            ? Results.Ok(HookView.Of(hook, masked: false, showSecret: hook.Secret != before?.Secret))
            : Problem.Of(ResponseProblems.WebhookTooMany, ("most", $"{Hook.Most}"));
    }

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}
