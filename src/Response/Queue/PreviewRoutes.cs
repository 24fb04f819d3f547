using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Actions;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Queue;

/// <summary>Which action to try out on which detection.</summary>
/// <param name="FindingId">The detection.</param>
/// <param name="Action">Name of the action.</param>
/// <param name="Approval">As a rule would say it; automatic when absent.</param>
/// <param name="Script">Name of the response script, for "run-script".</param>
internal sealed record PreviewRequest(string? FindingId, string? Action, string? Approval, string? Script = null);

/// <summary>What a response would do, before it is done.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="Target">What it would work on.</param>
/// <param name="Possible">False when it could not be done; the sentences say why.</param>
/// <param name="Persons">How many people would have to agree.</param>
/// <param name="CanUndo">Whether it can be undone.</param>
/// <param name="EndsAt">When it would end by itself if it came into force now; null for never, or for what does not last.</param>
/// <param name="Sentences">What would happen, in the reader's language.</param>
/// <param name="Guard">How much of the field is disturbed.</param>
internal sealed record PreviewView(
    string Action, string? Target, bool Possible, int Persons, bool CanUndo, DateTimeOffset? EndsAt, IReadOnlyList<string> Sentences, GuardView Guard);

/// <summary>How much of a field responses have disturbed.</summary>
/// <param name="Disturbed">Devices in the window.</param>
/// <param name="Allowed">Most of them that responses may disturb by themselves.</param>
/// <param name="WindowSeconds">The window.</param>
/// <param name="Waiting">Responses that wait for people now.</param>
internal sealed record GuardView(int Disturbed, int Allowed, long WindowSeconds, long Waiting);

/// <summary>Routes that say what responses would do, and how far they may go.</summary>
internal static class PreviewRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapPost("/responses/preview", PreviewAsync)
            .WithName("PreviewResponse").WithSummary("Tells what an action would do about a detection, who would have to agree, and when it would end. Nothing is done.").WithTags("Response")
            .Produces<PreviewView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .Responds("responses", "response.preview");
        routes.Field.MapGet("/responses/{leaseId}/preview", OfLeaseAsync)
            .WithName("PreviewWaitingResponse").WithSummary("Tells what a response that waits would do if it came into force now.").WithTags("Response")
            .Produces<PreviewView>().ProducesProblem(StatusCodes.Status404NotFound)
            .Reads("responses");
        routes.Field.MapGet("/response-guard", async (string fieldId, LeaseOrders orders, LeaseStore leases, GuardSettings settings, CancellationToken cancellation) =>
                Results.Ok(await GuardAsync(fieldId, orders, leases, settings, cancellation)))
            .WithName("GetResponseGuard").WithSummary("Shows how many devices responses have disturbed, how many they may, and how many responses wait for people.").WithTags("Response")
            .Produces<GuardView>()
            .Reads("responses");
    }

    private static async Task<IResult> PreviewAsync(
        HttpContext context, string fieldId, PreviewRequest request, LeaseOrders orders, LeaseStore leases, IFindings findings, GuardSettings guard, LeaseSettings settings, Texts texts,
        TimeProvider clock, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        OneOf("/action", request.Action, [.. orders.Actions.Keys.Order(StringComparer.Ordinal)]);
        OneOf("/approval", request.Approval ?? Approvals.Automatic, Approvals.All);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        if (request.FindingId is null || await findings.FindAsync(request.FindingId, cancellation) is not { } finding || finding.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var lease = orders.Of(finding, new DueAction(request.Action!, request.Approval ?? Approvals.Automatic) { Script = request.Action == RunScriptAction.ActionName ? request.Script : null });
        return Results.Ok(await ViewAsync(lease, finding, orders, leases, guard, settings, texts, language, clock, cancellation));

        void OneOf(string place, string? value, IReadOnlyList<string> allowed)
        {
            if (value is null || !allowed.Contains(value))
            {
                faults.Add(new Fault(place, texts.Get("response.fault.one-of", language, ("allowed", string.Join(", ", allowed)))));
            }
        }
    }

    private static async Task<IResult> OfLeaseAsync(
        HttpContext context, string fieldId, string leaseId, LeaseOrders orders, LeaseStore leases, IFindings findings, GuardSettings guard, LeaseSettings settings, Texts texts,
        TimeProvider clock, CancellationToken cancellation)
    {
        if (await leases.FindAsync(leaseId, cancellation) is not { } lease || lease.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var finding = lease.FindingId is { } id ? await findings.FindAsync(id, cancellation) : null;
        return Results.Ok(await ViewAsync(lease, finding, orders, leases, guard, settings, texts, RequestLanguage.Of(context), clock, cancellation));
    }

    private static async Task<PreviewView> ViewAsync(
        Lease lease, Finding? finding, LeaseOrders orders, LeaseStore leases, GuardSettings guard, LeaseSettings settings, Texts texts, string language, TimeProvider clock, CancellationToken cancellation)
    {
        var possible = lease.State != LeaseStates.Refused;
        var action = orders.Actions.GetValueOrDefault(lease.Action);
        IReadOnlyList<string> sentences = action is not null && possible
            ? [.. (await action.PreviewAsync(new ActionOrder(lease, finding), cancellation)).Select(l => texts.Fill(l.Key, language, l.Values))]
            : [texts.Get("response.cause." + (lease.Details.Cause ?? LeaseCauses.UnknownAction), language)];
        var (state, radius) = await GuardedAsync(lease.FieldId!, orders, leases, guard, cancellation);
        var held = action is { Disturbs: true } && !radius.Allows(orders.Reach(lease));
        return new PreviewView(
            lease.Action,
            lease.Target.Length == 0 ? null : lease.Target,
            possible,
            Approvals.Needed(held ? Approvals.Stricter(lease.Approval, Approvals.OnePerson) : lease.Approval),
            action is { CanUndo: true },
            action is { CanUndo: true, Stays: false } && possible ? Expiry.Of(action.CanUndo, action.LocksOut, lease.Risk, clock.GetUtcNow(), settings.RestrictionLasts) : null,
            sentences,
            state);
    }

    private static async Task<GuardView> GuardAsync(string fieldId, LeaseOrders orders, LeaseStore leases, GuardSettings settings, CancellationToken cancellation) =>
        (await GuardedAsync(fieldId, orders, leases, settings, cancellation)).View;

    private static async Task<(GuardView View, BlastRadius Radius)> GuardedAsync(string fieldId, LeaseOrders orders, LeaseStore leases, GuardSettings settings, CancellationToken cancellation)
    {
        var (disturbed, waiting) = await leases.DisturbedAsync(fieldId, orders.Disturbing, orders.Since, cancellation);
        var radius = new BlastRadius(orders.Reached(disturbed), orders.Allowed(fieldId));
        return (new GuardView(radius.Disturbed, radius.Allowed, (long)settings.Window.TotalSeconds, waiting), radius);
    }
}
