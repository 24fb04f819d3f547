using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification.Webhooks;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Notification;

/// <summary>Routes for whom a field, or the gateway itself, notifies.</summary>
internal static class NotificationRoutes
{
    private const string Path = "/notification";

    public static void Map(RouteGroups routes)
    {
        Get(routes.Field, "field").Reads("notification");
        Put(routes.Field, "field").Administers("notification", "notification.change");
        Test(routes.Field, "field").Administers("notification", "notification.test");
        Get(routes.Ops, "gateway").Watches("notification");
        Put(routes.Ops, "gateway").Maintains("notification", "notification.change");
        Test(routes.Ops, "gateway").Maintains("notification", "notification.test");
    }

    private static RouteHandlerBuilder Get(RouteGroupBuilder group, string whose) => group
        .MapGet(Path, async (HttpContext context, NotificationStore store, CancellationToken cancellation) =>
        {
            var settings = await store.FindAsync(FieldOf(context), cancellation);
            return Results.Ok(NotificationView.Of(settings, masked: !context.User.Is(Roles.Administrator, Roles.Responder, Roles.Maintainer)));
        })
        .Produces<NotificationView>()
        .WithName($"read-notification-{whose}")
        .WithSummary($"Recipients of mails and the webhook of the {whose}; secrets are never returned, addresses are masked for auditors.")
        .WithTags("Response");

    private static RouteHandlerBuilder Put(RouteGroupBuilder group, string whose) => group
        .MapPut(Path, async (HttpContext context, NotificationRequest request, NotificationStore store, GroupStore groups, QueueSignal signal, Texts texts, CancellationToken cancellation) =>
        {
            var faults = request.Check(texts, RequestLanguage.Of(context));
            if (faults.Count > 0)
            {
                return Problem.Of(CommonProblems.Invalid, faults);
            }

            var recipients = request.Recipients!.Select(r => new Recipient(r!.Address!, r.Role!, r.Hours ?? RecipientHours.Always)).ToList();
            var (settings, secret) = await store.ReplaceAsync(FieldOf(context), recipients, request.Times(texts), request.Webhook?.Url, request.Webhook?.NewSecret ?? false, cancellation);

            // What waits for hours may not have to any more.
            await groups.LookAgainAsync(FieldOf(context), CancellationToken.None);
            signal.Wake();
            return Results.Ok(NotificationView.Of(settings, masked: false, secret));
        })
        .Produces<NotificationView>()
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"change-notification-{whose}")
        .WithSummary($"Replaces recipients and webhook of the {whose}; a new webhook secret is shown in this answer only.")
        .WithTags("Response");

    private static RouteHandlerBuilder Test(RouteGroupBuilder group, string whose) => group
        .MapPost(Path + "/test", async (HttpContext context, NotificationStore store, HookStore hooks, LeaseStore leases, QueueSignal signal, TimeProvider clock, CancellationToken cancellation) =>
        {
            var fieldId = FieldOf(context);
            var settings = await store.FindAsync(fieldId, cancellation);
            var tests = new List<Lease>();
            if (settings?.Recipients.Count > 0)
            {
                tests.Add(TestLease(context, fieldId, "mail", "everyone", clock));
            }

            if (settings?.Webhook is not null || (await hooks.ListAsync(fieldId, cancellation)).Count > 0)
            {
                tests.Add(TestLease(context, fieldId, "webhook", "webhook", clock));
            }

            if (tests.Count == 0)
            {
                return Problem.Of(ResponseProblems.NobodyToNotify);
            }

            await leases.InsertAsync(tests, cancellation);
            signal.Wake();
            return Results.Accepted(value: new NotificationTest([.. tests.Select(t => t.Id)]));
        })
        .Produces<NotificationTest>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .WithName($"test-notification-{whose}")
        .WithSummary($"Sends a test mail and a test delivery of the {whose} through the response queue; the leases say what became of them.")
        .WithTags("Response");

    private static Lease TestLease(HttpContext context, string? fieldId, string action, string target, TimeProvider clock)
    {
        var by = context.User.NameOf();
        var now = clock.GetUtcNow();
        return new Lease
        {
            Id = Lease.IdOf("test " + Correlation.New(), action, target),
            FieldId = fieldId,
            Action = action,
            Target = target,
            State = LeaseStates.Due,
            Risk = "",
            Level = "",
            Condition = "test",
            Approval = Approvals.Automatic,
            CreatedAt = now,
            NextTryAt = now,
            CorrelationId = Correlation.Of(context),
            Details = new LeaseDetails { Owner = by, Actor = by },
        };
    }

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}
