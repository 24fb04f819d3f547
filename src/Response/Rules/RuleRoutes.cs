using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Storage;

namespace Sekisho.Response.Rules;

/// <summary>The rules in force in a field.</summary>
/// <param name="Revision">Revision of the field's own rules; 0 before the first.</param>
/// <param name="Source">"field", "template", or "unreadable": own rules that are damaged, so that those of the template hold and what disturbs a device waits for a person.</param>
/// <param name="Rules">The rules in force.</param>
/// <param name="ChangedBy">Who changed the field's own rules last.</param>
/// <param name="Reason">Why.</param>
/// <param name="ChangedAt">When.</param>
/// <param name="Signer">Short name of the key that stands for the own rules: of the signed file that they came in, else the gateway's own.</param>
/// <param name="SignedIn">The field that they were exported from; null when they were set by hand.</param>
/// <param name="SignedAt">When they were signed there.</param>
internal sealed record RulesView(
    long Revision, string Source, IReadOnlyList<RuleView> Rules, string? ChangedBy, string? Reason, DateTimeOffset? ChangedAt, string? Signer, string? SignedIn, DateTimeOffset? SignedAt)
{
    public static RulesView Of(RuleRevision? own, IReadOnlyList<ResponseBinding> ofTemplate) => new(
        own?.Revision ?? 0,
        own is { IsReadable: false } ? "unreadable" : own?.Rules is null ? "template" : "field",
        [.. (own?.Rules ?? ofTemplate).Select(RuleView.Of)],
        own?.ChangedBy,
        own?.Reason,
        own?.ChangedAt,
        own?.Signer,
        own?.Origin?.Field,
        own?.Origin?.SignedAt);
}

/// <summary>One rule, as <see cref="RuleRequest"/> takes it.</summary>
internal sealed record RuleView(string Risk, string Level, string Action, string? Condition, string? Threat, string Approval, long AfterSeconds, string? Script)
{
    public static RuleView Of(ResponseBinding rule) => new(rule.Risk, rule.MinimumLevel, rule.Action, rule.Condition, rule.Threat, rule.Approval, (long)rule.After.TotalSeconds, rule.Script);
}

/// <summary>Routes for what a field does about which threat.</summary>
internal static class RuleRoutes
{
    /// <summary>Days of a dry run that does not say.</summary>
    public const int UsualDays = 30;

    /// <summary>Days of a dry run at most.</summary>
    public const int MostDays = 92;

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/response-rules", GetAsync)
            .WithName("GetResponseRules").WithSummary("Shows which threats are answered with which actions: the field's own rules, or those of its template.").WithTags("Response")
            .Produces<RulesView>().Reads("responses");
        routes.Field.MapGet("/response-rules/revisions", async (string fieldId, RuleStore store, ResponseRules rules, CancellationToken cancellation) =>
                Results.Ok(new Page<RulesView>([.. (await store.ListAsync(fieldId, cancellation)).Select(r => RulesView.Of(r, rules.OfTemplate(fieldId)))], null)))
            .WithName("ListResponseRules").WithSummary("Lists all revisions of the field's own rules, newest first.").WithTags("Response")
            .Produces<Page<RulesView>>().Reads("responses");
        routes.Field.MapPut("/response-rules", PutAsync)
            .WithName("SetResponseRules").WithSummary("Gives the field rules of its own instead of its template's, or goes back to those. Takes effect with the next detection; the administrators are told.").WithTags("Response")
            .Produces<RulesView>().ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("responses", "response.rules");
        routes.Field.MapPost("/response-rules/dry-run", DryRunAsync)
            .WithName("TryResponseRules").WithSummary("Tells what rules would have done about the detections of past days, the guard included. Nothing is done.").WithTags("Response")
            .Produces<DryRunView>().ProducesProblem(StatusCodes.Status422UnprocessableEntity).Responds("responses", "response.dry-run");
    }

    private static async Task<IResult> GetAsync(string fieldId, ResponseRules rules, Databases databases, CancellationToken cancellation)
    {
        var own = await databases.State.ReadAsync(c => Task.FromResult(rules.Own(fieldId, c, null)), cancellation);
        return Results.Ok(RulesView.Of(own, rules.OfTemplate(fieldId)));
    }

    private static async Task<IResult> PutAsync(
        HttpContext context, string fieldId, RulesRequest request, RuleStore store, ScriptStore scripts, IFileSignatures signatures, ResponseRules rules, LeaseOrders orders, Notices notices, QueueSignal signal,
        Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var reason = request.Reason?.Trim() ?? "";
        var faults = new List<Fault>();
        if (reason.Length is 0 or > Lease.LongestReason || reason.Any(char.IsControl))
        {
            faults.Add(new Fault("/reason", texts.Get("response.fault.reason", language, ("most", $"{Lease.LongestReason}"))));
        }

        var (read, wrong) = request.Rules is null ? ([], []) : RuleRequest.Read(request.Rules, orders.Actions, await scripts.NamesAsync(fieldId, cancellation), texts, language);
        faults.AddRange(wrong);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        // Going back to the template's rules needs no signature: those came with the product or signed.
        if (signatures.AreRequired && request.Rules is not null)
        {
            return Problem.Of(ResponseProblems.Unsigned);
        }

        var by = context.User.NameOf();
        var revision = await store.AddAsync(
            fieldId, request.Rules is null ? null : read, by, reason, signatures.KeyId, null,
            (r, t) => notices.Tell(fieldId, Notices.Names.RulesChanged, $"{r.Revision}", Levels.Warning, null, Correlation.Of(context), t, ("by", by), ("reason", reason), ("revision", $"{r.Revision}")),
            cancellation);
        rules.Changed(fieldId, revision);
        signal.Wake();
        return Results.Ok(RulesView.Of(revision, rules.OfTemplate(fieldId)));
    }

    private static async Task<IResult> DryRunAsync(
        HttpContext context, string fieldId, DryRunRequest request, DryRun dryRun, ScriptStore scripts, IFileSignatures signatures, LeaseOrders orders, IFindings findings, Texts texts, TimeProvider clock,
        CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var days = request.Days ?? UsualDays;
        var (rules, faults) = RuleRequest.Read(request.Rules ?? [], orders.Actions, await scripts.NamesAsync(fieldId, cancellation), texts, language);
        if (days is < 1 or > MostDays)
        {
            faults = [.. faults, new Fault("/days", texts.Get("response.fault.days", language, ("most", $"{MostDays}")))];
        }

        if (request.Rules is null)
        {
            faults = [.. faults, new Fault("/rules", texts.Get("response.fault.rules", language))];
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var past = await findings.SinceAsync(fieldId, clock.GetUtcNow().AddDays(-days), DryRun.MostFindings + 1, cancellation);
        using var play = await ScriptPlay.OfAsync(rules, fieldId, scripts, signatures, cancellation);
        return Results.Ok(dryRun.Of(past, rules, fieldId, play, cancellation));
    }
}
