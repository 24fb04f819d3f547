using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Emergency;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Queue;

/// <summary>Routes for the responses of a field, and for those that concern the gateway as a whole.</summary>
internal static class LeaseRoutes
{
    // Two persons means two persons: an API key cannot be told from another one of the same holder, so keys decide nothing here.
    private static readonly RouteAccess PersonOfField = new([Roles.Administrator, Roles.Responder], Scope: null);
    private static readonly RouteAccess PersonOfGateway = new([Roles.Maintainer], Scope: null);

    public static void Map(RouteGroups routes)
    {
        List(routes.Field, "field").Reads("responses");
        Get(routes.Field, "field").Reads("responses");
        Undo(routes.Field, "field").Responds("responses", "response.undo");
        Retry(routes.Field, "field").Responds("responses", "response.retry");
        Approve(routes.Field, "field").WithMetadata(PersonOfField, new Change("response.approve"));
        Refuse(routes.Field, "field").WithMetadata(PersonOfField, new Change("response.refuse"));
        List(routes.Ops, "gateway").Watches("responses");
        Get(routes.Ops, "gateway").Watches("responses");
        Undo(routes.Ops, "gateway").Maintains("responses", "response.undo");
        Retry(routes.Ops, "gateway").Maintains("responses", "response.retry");
        Approve(routes.Ops, "gateway").WithMetadata(PersonOfGateway, new Change("response.approve"));
        Refuse(routes.Ops, "gateway").WithMetadata(PersonOfGateway, new Change("response.refuse"));
    }

    private static RouteHandlerBuilder List(RouteGroupBuilder group, string whose) => group
        .MapGet("/responses", async (
            HttpContext context, string? state, string? device, string? from, string? to, string? after, string? limit,
            LeaseStore leases, LeaseRunner runner, Texts texts, CancellationToken cancellation) =>
        {
            var language = RequestLanguage.Of(context);
            var (filter, faults) = LeaseQuery.Read(FieldOf(context), context.Request.Query, texts, language);
            if (filter is null)
            {
                return Problem.Of(CommonProblems.Invalid, faults);
            }

            var rows = await leases.ListAsync(filter, cancellation);
            var next = rows.Count == filter.Limit ? new LeaseCursor(rows[^1].CreatedAt.ToUnixTimeMilliseconds(), rows[^1].Id).ToString() : null;
            return Results.Ok(new Page<LeaseView>([.. rows.Select(r => LeaseView.Of(r, runner, texts, language))], next));
        })
        .Produces<Page<LeaseView>>()
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"list-responses-{whose}")
        .WithSummary($"Responses of the {whose}, newest first; filter by state, device and time of order.")
        .WithTags("Response");

    private static RouteHandlerBuilder Get(RouteGroupBuilder group, string whose) => group
        .MapGet("/responses/{leaseId}", async (HttpContext context, string leaseId, LeaseStore leases, LeaseRunner runner, Texts texts, CancellationToken cancellation) =>
            await OwnAsync(context, leaseId, leases, cancellation) is { } lease
                ? Results.Ok(LeaseView.Of(lease, runner, texts, RequestLanguage.Of(context)))
                : Problem.Of(CommonProblems.NotFound))
        .Produces<LeaseView>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .WithName($"read-response-{whose}")
        .WithSummary($"One response of the {whose}.")
        .WithTags("Response");

    private static RouteHandlerBuilder Undo(RouteGroupBuilder group, string whose) => Decides(group, "undo", whose,
        "Undoes a response that is in force. 200: undone; 202: the undo is recorded and is tried until it works.",
        async (lease, by, reason, choice, at, leases, runner, cancellation) =>
        {
            if (!await runner.MayUndoAsync(lease, by, cancellation))
            {
                return (null, LeaseRefusal.OwnDoing);
            }

            var (asked, refusal) = await DecideAsync(leases, lease.Id, l => LeaseMachine.AskUndo(l, runner.CanUndo(l), by, reason, at, choice), cancellation);
            if (asked is null)
            {
                return (null, refusal);
            }

            // Letting a device in again does not wait for the queue, not even for a held one.
            await runner.TryAsync(asked, CancellationToken.None);
            return (await leases.FindAsync(lease.Id, cancellation), LeaseRefusal.None);
        });

    private static RouteHandlerBuilder Retry(RouteGroupBuilder group, string whose) => Decides(group, "retry", whose,
        "Has a response tried again that failed, or that was refused because something was not set; the answer comes before the try.",
        (lease, by, reason, _, at, leases, _, cancellation) => DecideAsync(leases, lease.Id, l => LeaseMachine.Retry(l, by, reason, at), cancellation));

    private static RouteHandlerBuilder Approve(RouteGroupBuilder group, string whose) => Decides(group, "approve", whose,
        "Agrees to a response that waits for approval. Two-person approval takes two different people; API keys cannot approve.",
        (lease, by, reason, _, at, leases, _, cancellation) => DecideAsync(leases, lease.Id, l => LeaseMachine.Approve(l, by, reason, at), cancellation));

    private static RouteHandlerBuilder Refuse(RouteGroupBuilder group, string whose) => Decides(group, "refuse", whose,
        "Refuses a response that waits for approval; it is not done. A held command that is refused never goes to its device.",
        async (lease, by, reason, _, at, leases, runner, cancellation) =>
        {
            if (!runner.CanRefuse(lease))
            {
                return await DecideAsync(leases, lease.Id, l => LeaseMachine.Refuse(l, by, reason, at), cancellation);
            }

            var (asked, refusal) = await DecideAsync(leases, lease.Id, l => LeaseMachine.Decline(l, by, reason, at), cancellation);
            if (asked is null)
            {
                return (null, refusal);
            }

            await runner.TryAsync(asked, CancellationToken.None);
            return (await leases.FindAsync(lease.Id, cancellation), LeaseRefusal.None);
        });

    private delegate Task<(Lease? After, LeaseRefusal Refusal)> Decision(
        Lease lease, string by, string reason, string? choice, DateTimeOffset at, LeaseStore leases, LeaseRunner runner, CancellationToken cancellation);

    private static RouteHandlerBuilder Decides(RouteGroupBuilder group, string verb, string whose, string summary, Decision decision) => group
        .MapPost("/responses/{leaseId}/" + verb, async (
            HttpContext context, string leaseId, DecisionRequest request,
            LeaseStore leases, LeaseRunner runner, LockdownStore lockdowns, QueueSignal signal, Texts texts, TimeProvider clock, CancellationToken cancellation) =>
        {
            var language = RequestLanguage.Of(context);
            if (await OwnAsync(context, leaseId, leases, cancellation) is not { } lease)
            {
                return Problem.Of(CommonProblems.NotFound);
            }

            if (verb == "undo" && lease is { Condition: EmergencyDesk.Condition, FieldId: { } field } && !await EmergencyRoutes.MayReleaseAsync(context, field, lockdowns, cancellation))
            {
                return Problem.Of(ResponseProblems.NotInPlan);
            }

            if (verb == "undo" && runner.UndoTakesPerson(lease) && context.User.HasClaim(Principal.HolderKind, "key"))
            {
                return Problem.Of(CommonProblems.ScopeMissing);
            }

            var reason = request.Reason?.Trim() ?? "";
            if (reason.Length is 0 or > Lease.LongestReason || reason.Any(char.IsControl))
            {
                return Problem.Of(CommonProblems.Invalid, [new Fault("/reason", texts.Get("response.fault.reason", language, ("most", $"{Lease.LongestReason}")))]);
            }

            if (request.Choice is { } choice && (verb != "undo" || !runner.UndoChoices(lease).Contains(choice)))
            {
                var allowed = verb == "undo" ? runner.UndoChoices(lease) : [];
                return Problem.Of(CommonProblems.Invalid, [new Fault("/choice", texts.Get(allowed.Count > 0 ? "response.fault.choice" : "response.fault.no-choice", language, ("allowed", string.Join(", ", allowed))))]);
            }

            var (after, refusal) = await decision(lease, context.User.NameOf(), reason, request.Choice, clock.GetUtcNow(), leases, runner, cancellation);
            if (after is null)
            {
                return Refusal(refusal, (await leases.FindAsync(leaseId, cancellation))!);
            }

            signal.Wake();
            var view = LeaseView.Of(after, runner, texts, language);
            return verb == "undo" && after.State == LeaseStates.Done ? Results.Accepted(value: view) : Results.Ok(view);
        })
        .Produces<LeaseView>()
        .Produces<LeaseView>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"{verb}-response-{whose}")
        .WithSummary(summary)
        .WithTags("Response");

    private static async Task<(Lease? After, LeaseRefusal Refusal)> DecideAsync(
        LeaseStore leases, string id, Func<Lease, (Lease? Next, LeaseRefusal Refusal)> decide, CancellationToken cancellation)
    {
        var refusal = LeaseRefusal.None;
        var after = await leases.ChangeAsync(
            id,
            l =>
            {
                (var next, refusal) = decide(l);
                return next;
            },
            cancellation);
        return (after, refusal);
    }

    private static Problem Refusal(LeaseRefusal refusal, Lease lease) => refusal switch
    {
        LeaseRefusal.CannotUndo => Problem.Of(ResponseProblems.CannotUndo, ("action", "response.action." + lease.Action)),
        LeaseRefusal.OwnDoing => Problem.Of(ResponseProblems.OwnDoing),
        LeaseRefusal.SamePerson => Problem.Of(ResponseProblems.SamePerson),
        _ => Problem.Of(ResponseProblems.WrongState, ("state", "incident.lease." + lease.State)),
    };

    /// <summary>The lease, when it belongs to the field (or the gateway) of the route; one of another field does not exist here.</summary>
    private static async Task<Lease?> OwnAsync(HttpContext context, string leaseId, LeaseStore leases, CancellationToken cancellation) =>
        await leases.FindAsync(leaseId, cancellation) is { } lease && lease.FieldId == FieldOf(context) ? lease : null;

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}
