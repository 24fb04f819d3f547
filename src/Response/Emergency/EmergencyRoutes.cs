using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Emergency;

/// <summary>An order to lock down.</summary>
/// <param name="Kind">Only devices of this kind; null for all.</param>
/// <param name="ParentId">Only devices behind this gateway unit, and the unit; null for all.</param>
/// <param name="Rehearsal">Locks nothing: records and tells what would be locked.</param>
/// <param name="Reason">Why, 1 to 500 characters.</param>
internal sealed record LockdownRequest(string? Kind, string? ParentId, bool? Rehearsal, string? Reason);

/// <summary>One step of a release: what fits all that is given.</summary>
/// <param name="Devices">These devices; null for any.</param>
/// <param name="Kind">Devices of this kind; null for any.</param>
/// <param name="Share">This share of those that are left, more than 0 to 1, at least one device; null for all of them.</param>
/// <param name="Reason">Why it is safe, 1 to 500 characters.</param>
internal sealed record ReleaseRequest(IReadOnlyList<string>? Devices, string? Kind, double? Share, string? Reason);

/// <summary>A lock-down as people see it.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="State">"locked", "ended" or "rehearsal".</param>
/// <param name="Kind">Only devices of this kind.</param>
/// <param name="ParentId">Only devices behind this unit.</param>
/// <param name="By">Who ordered it.</param>
/// <param name="Reason">Why.</param>
/// <param name="StartedAt">When.</param>
/// <param name="EndedAt">When the last device was released.</param>
/// <param name="Devices">How many devices it covers.</param>
/// <param name="Locked">How many no step has released yet.</param>
/// <param name="Steps">Releases.</param>
internal sealed record LockdownView(
    string Id, string State, string? Kind, string? ParentId, string By, string Reason, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, int Devices, int Locked, IReadOnlyList<ReleaseStep> Steps)
{
    public static LockdownView Of(Lockdown l) => new(
        l.Id,
        l.Details.IsRehearsal ? "rehearsal" : l.EndedAt is null ? "locked" : "ended",
        l.Details.Scope.Kind,
        l.Details.Scope.ParentId,
        l.Details.By,
        l.Details.Reason,
        l.StartedAt,
        l.EndedAt,
        l.Details.Devices.Count,
        l.Details.IsRehearsal ? 0 : l.Details.Locked.Count,
        l.Details.Steps);
}

/// <summary>Routes that lock a field down and release it.</summary>
internal static class EmergencyRoutes
{
    private const int MostAccounts = 50;
    private const int LongestName = 100;

    // A person, not a key: who stops a fleet has a name.
    private static readonly RouteAccess Person = new([Roles.Administrator, Roles.Responder], Scope: null);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/emergency-plan", async (string fieldId, LockdownStore store, CancellationToken cancellation) => Results.Ok(await store.PlanAsync(fieldId, cancellation)))
            .WithName("GetEmergencyPlan").WithSummary("Shows who may lock the field down and release it.").WithTags("Emergency")
            .Produces<EmergencyPlan>().Reads("responses");
        routes.Field.MapPut("/emergency-plan", SetPlanAsync)
            .WithName("SetEmergencyPlan").WithSummary("Sets beforehand which accounts may lock the field down and release it; none named: every administrator.").WithTags("Emergency")
            .Produces<EmergencyPlan>().ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("responses", "emergency.plan");
        routes.Field.MapGet("/emergencies", async (string fieldId, LockdownStore store, CancellationToken cancellation) =>
                Results.Ok(new Page<LockdownView>([.. (await store.ListAsync(fieldId, cancellation)).Select(LockdownView.Of)], null)))
            .WithName("ListEmergencies").WithSummary("Lists lock-downs and rehearsals, newest first.").WithTags("Emergency")
            .Produces<Page<LockdownView>>().Reads("responses");
        routes.Field.MapGet("/emergencies/{id}", async (string fieldId, string id, LockdownStore store, CancellationToken cancellation) =>
                await store.FindAsync(fieldId, id, cancellation) is { } found ? Results.Ok(LockdownView.Of(found)) : Problem.Of(CommonProblems.NotFound))
            .WithName("GetEmergency").WithSummary("Shows a lock-down and the steps of its release.").WithTags("Emergency")
            .Produces<LockdownView>().ProducesProblem(StatusCodes.Status404NotFound).Reads("responses");
        routes.Field.MapPost("/emergencies", LockAsync)
            .WithName("LockDown").WithSummary("Locks down the field, a kind of its devices, or what is behind a gateway unit. A rehearsal locks nothing. 200: the same is locked down already, and this is it.").WithTags("Emergency")
            .Produces<LockdownView>(StatusCodes.Status201Created).Produces<LockdownView>().ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .WithMetadata(Person, new Change("emergency.lock"));
        routes.Field.MapPost("/emergencies/{id}/release", ReleaseAsync)
            .WithName("ReleaseLockDown").WithSummary("Releases some or all of what is still locked; the last step ends the lock-down.").WithTags("Emergency")
            .Produces<LockdownView>().ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .WithMetadata(Person, new Change("emergency.release"));
    }

    private static async Task<IResult> SetPlanAsync(HttpContext context, string fieldId, EmergencyPlan plan, LockdownStore store, Texts texts, CancellationToken cancellation)
    {
        if (plan.Accounts is null || plan.Accounts.Count > MostAccounts || plan.Accounts.Any(a => string.IsNullOrWhiteSpace(a) || a.Length > LongestName || a.Any(char.IsControl)))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/accounts", texts.Get("response.fault.accounts", RequestLanguage.Of(context), ("most", $"{MostAccounts}")))]);
        }

        await store.SetPlanAsync(fieldId, plan, cancellation);
        return Results.Ok(plan);
    }

    private static async Task<IResult> LockAsync(HttpContext context, string fieldId, LockdownRequest request, LockdownStore store, EmergencyDesk desk, Texts texts, CancellationToken cancellation)
    {
        if (!await MayAsync(context, fieldId, store, cancellation))
        {
            return Problem.Of(ResponseProblems.NotInPlan);
        }

        var language = RequestLanguage.Of(context);
        var faults = ReasonFaults(request.Reason, texts, language);
        var scope = new LockdownScope(request.Kind, request.ParentId);
        if (faults.Count == 0 && desk.Devices(fieldId, scope).Count == 0)
        {
            faults.Add(new Fault("/kind", texts.Get("response.fault.no-device-fits", language)));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var (made, fresh) = await desk.LockAsync(fieldId, scope, request.Rehearsal ?? false, context.User.NameOf(), request.Reason!.Trim(), Correlation.Of(context), cancellation);
        return fresh ? Results.Created($"/api/v1/fields/{fieldId}/emergencies/{made.Id}", LockdownView.Of(made)) : Results.Ok(LockdownView.Of(made));
    }

    private static async Task<IResult> ReleaseAsync(
        HttpContext context, string fieldId, string id, ReleaseRequest request, LockdownStore store, EmergencyDesk desk, Domain.Devices.IDeviceDirectory directory, Texts texts, CancellationToken cancellation)
    {
        if (!await MayAsync(context, fieldId, store, cancellation))
        {
            return Problem.Of(ResponseProblems.NotInPlan);
        }

        var language = RequestLanguage.Of(context);
        var faults = ReasonFaults(request.Reason, texts, language);
        if (request.Share is { } share && (double.IsNaN(share) || share <= 0 || share > 1))
        {
            faults.Add(new Fault("/share", texts.Get("response.fault.share", language)));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        if (await store.FindAsync(fieldId, id, cancellation) is not { Details.IsRehearsal: false } lockdown)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        IEnumerable<string> Choose(IReadOnlyList<string> locked)
        {
            var fitting = locked.Where(d => (request.Devices is null || request.Devices.Contains(d)) && (request.Kind is null || directory.Device(d)?.Kind == request.Kind)).ToList();
            return request.Share is { } part ? fitting.Take((int)Math.Ceiling(part * fitting.Count)) : fitting;
        }

        return await desk.ReleaseAsync(lockdown, Choose, context.User.NameOf(), request.Reason!.Trim(), Correlation.Of(context), cancellation) is { } after
            ? Results.Ok(LockdownView.Of(after))
            : Problem.Of(ResponseProblems.NothingToRelease);
    }

    /// <summary>Whether the caller may release what a lock-down holds: a person whom the plan names, or without one an administrator.</summary>
    public static async Task<bool> MayReleaseAsync(HttpContext context, string fieldId, LockdownStore store, CancellationToken cancellation) =>
        !context.User.HasClaim(Principal.HolderKind, "key") && await MayAsync(context, fieldId, store, cancellation);

    private static async Task<bool> MayAsync(HttpContext context, string fieldId, LockdownStore store, CancellationToken cancellation)
    {
        var plan = await store.PlanAsync(fieldId, cancellation);
        return plan.Accounts.Count == 0 ? context.User.Is(Roles.Administrator) : plan.Accounts.Contains(context.User.NameOf(), StringComparer.OrdinalIgnoreCase);
    }

    private static List<Fault> ReasonFaults(string? reason, Texts texts, string language) =>
        reason?.Trim() is not { Length: > 0 and <= Lease.LongestReason } given || given.Any(char.IsControl)
            ? [new Fault("/reason", texts.Get("response.fault.reason", language, ("most", $"{Lease.LongestReason}")))]
            : [];
}
