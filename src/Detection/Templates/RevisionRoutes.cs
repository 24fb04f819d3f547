using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Templates;

/// <summary>Why something is put in force; for people.</summary>
internal sealed record ReasonRequest(string? Reason);

/// <summary>The history of what is in force in a field: who, when, why; what differs; going back; upgrade to a newer version of the template.</summary>
internal static class RevisionRoutes
{
    private const int MostListed = 200;
    private const int Usual = 50;
    private static readonly ProblemType Gone = new("template-gone", StatusCodes.Status409Conflict);
    private static readonly ProblemType Newest = new("template-newest", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/template/revisions", ListAsync)
            .WithName("ListTemplateRevisions").WithSummary("Every change of the field's template and values, newest first: who, when and why.").WithTags("Detection")
            .Produces<IReadOnlyList<RevisionView>>().Reads("templates");
        routes.Field.MapGet("/template/revisions/{revision}", GetAsync)
            .WithName("GetTemplateRevision").WithSummary("One revision with all its values.").WithTags("Detection")
            .Produces<RevisionView>().Reads("templates");
        routes.Field.MapGet("/template/revisions/{revision}/difference", DifferenceAsync)
            .WithName("CompareTemplateRevisions").WithSummary("What a revision changed against another one, by default the one before it.").WithTags("Detection")
            .Produces<PlanDifference>().Reads("templates");
        routes.Field.MapPost("/template/revisions/{revision}/restore", RestoreAsync)
            .WithName("RestoreTemplateRevision").WithSummary("Goes back to a revision: its template, version and values become a new revision in force.").WithTags("Detection")
            .Produces<FieldTemplateView>().ProducesProblem(StatusCodes.Status409Conflict).Administers("templates", "template.restore");
        routes.Field.MapGet("/template/upgrade", (string fieldId, FieldPlans plans, TemplateCatalog catalog, Texts texts, HttpContext context) =>
                Upgrade(fieldId, plans, catalog) is { } upgrade ? Results.Ok(UpgradeView.Of(upgrade, texts, RequestLanguage.Of(context))) : Problem.Of(Newest))
            .WithName("PreviewTemplateUpgrade").WithSummary("What the newest version of the field's template would change, which own values stay and which find no place.").WithTags("Detection")
            .Produces<UpgradeView>().ProducesProblem(StatusCodes.Status409Conflict).Reads("templates");
        routes.Field.MapPost("/template/upgrade", UpgradeAsync)
            .WithName("UpgradeTemplate").WithSummary("Puts the newest version of the field's template in force and keeps the field's own values.").WithTags("Detection")
            .Produces<FieldTemplateView>().ProducesProblem(StatusCodes.Status409Conflict).Administers("templates", "template.upgrade");
    }

    private static async Task<IResult> ListAsync(string fieldId, int? before, int? limit, RevisionStore store, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        if (limit is < 1 or > MostListed)
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("limit", texts.Get("detection.fault.whole", RequestLanguage.Of(context), ("least", "1"), ("most", MostListed.ToString(CultureInfo.InvariantCulture))))]);
        }

        var revisions = await store.ListAsync(fieldId, before, limit ?? Usual, cancellation).ConfigureAwait(false);
        return Results.Ok(revisions.Select(RevisionView.Of).ToList());
    }

    private static async Task<IResult> GetAsync(string fieldId, int revision, RevisionStore store, CancellationToken cancellation) =>
        await store.FindAsync(fieldId, revision, cancellation).ConfigureAwait(false) is { } found ? Results.Ok(RevisionView.Of(found)) : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> DifferenceAsync(string fieldId, int revision, int? with, RevisionStore store, FieldPlans plans, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        if (await store.FindAsync(fieldId, revision, cancellation).ConfigureAwait(false) is not { } after)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var other = with ?? revision - 1;
        var before = other == 0 ? null : await store.FindAsync(fieldId, other, cancellation).ConfigureAwait(false);
        if (before is null && other != 0)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        return Read(after, plans) is { } now && (before is null || Read(before, plans) is not null)
            ? Results.Ok(PlanDifference.Of(before is null ? null : Read(before, plans), now, texts, RequestLanguage.Of(context)))
            : Problem.Of(Gone);
    }

    private static async Task<IResult> RestoreAsync(string fieldId, int revision, ReasonRequest request, RevisionStore store, FieldPlans plans, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        if (Reasons.Fault(request.Reason, texts, language) is { } fault)
        {
            return Problem.Of(CommonProblems.Invalid, [fault]);
        }

        if (await store.FindAsync(fieldId, revision, cancellation).ConfigureAwait(false) is not { } found)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (Read(found, plans) is not { } earlier)
        {
            return Problem.Of(Gone);
        }

        var change = new RevisionStore.Change(context.User.NameOf(), RevisionKinds.Restored, request.Reason, Correlation.Of(context));
        var set = await plans.SetAsync(fieldId, earlier.Template, earlier.Values, change).ConfigureAwait(false);
        return Results.Ok(FieldTemplateView.Of(set, texts, language));
    }

    private static async Task<IResult> UpgradeAsync(string fieldId, ReasonRequest request, FieldPlans plans, TemplateCatalog catalog, Texts texts, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        if (Reasons.Fault(request.Reason, texts, language) is { } fault)
        {
            return Problem.Of(CommonProblems.Invalid, [fault]);
        }

        if (Upgrade(fieldId, plans, catalog) is not { } upgrade)
        {
            return Problem.Of(Newest);
        }

        var change = new RevisionStore.Change(context.User.NameOf(), RevisionKinds.Upgraded, request.Reason, Correlation.Of(context));
        var set = await plans.SetAsync(fieldId, upgrade.After.Template, upgrade.After.Values, change).ConfigureAwait(false);
        return Results.Ok(FieldTemplateView.Of(set, texts, language));
    }

    private static PlannedUpgrade? Upgrade(string fieldId, FieldPlans plans, TemplateCatalog catalog)
    {
        if (plans.Find(fieldId) is not { } present || catalog.Find(present.Template.Id) is not { } newest || newest.Version <= present.Template.Version)
        {
            return null;
        }

        var values = TemplateValues.Carry(present, newest, out var left);
        return new PlannedUpgrade(present, new FieldTemplate(newest, present.Revision + 1, values), left);
    }

    // A value that its own template no longer allows (the file was edited in place) counts as gone: going back must not change it in silence.
    private static FieldTemplate? Read(Revision revision, FieldPlans plans)
    {
        if (plans.TemplateOf(revision) is not { } template || (revision.Version is { } version && version != template.Version))
        {
            return null;
        }

        var values = TemplateValues.Check(template, revision.Parameters, out var wrong);
        return wrong.Count > 0 ? null : new FieldTemplate(template, revision.Number, values);
    }
}

/// <summary>What an upgrade would do.</summary>
internal sealed record PlannedUpgrade(FieldTemplate Before, FieldTemplate After, IReadOnlyList<WrongValue> Left);

/// <summary>An upgrade, for people.</summary>
/// <param name="From">Version in force.</param>
/// <param name="To">Newest version.</param>
/// <param name="Kept">Own values that stay.</param>
/// <param name="Left">Own values that the new version has no place for, or does not allow; its defaults take their place.</param>
/// <param name="Difference">What changes in all.</param>
internal sealed record UpgradeView(int From, int To, IReadOnlyDictionary<string, string> Kept, IReadOnlyDictionary<string, string> Left, PlanDifference Difference)
{
    public static UpgradeView Of(PlannedUpgrade upgrade, Texts texts, string language) => new(
        upgrade.Before.Template.Version,
        upgrade.After.Template.Version,
        TemplateValues.Write(upgrade.After.Template, upgrade.After.Values),
        upgrade.Left.ToDictionary(w => w.Key, w => w.Text),
        PlanDifference.Of(upgrade.Before, upgrade.After, texts, language));
}

/// <summary>A revision, for people.</summary>
/// <param name="Revision">Counts from 1.</param>
/// <param name="TemplateId">Which template.</param>
/// <param name="Version">Its version; null where that was not kept.</param>
/// <param name="At">When.</param>
/// <param name="By">Who; null where that was not kept.</param>
/// <param name="How">"set", "restored" or "upgraded".</param>
/// <param name="Reason">Why, as the person said.</param>
/// <param name="Parameters">Own values.</param>
internal sealed record RevisionView(int Revision, string TemplateId, int? Version, DateTimeOffset At, string? By, string? How, string? Reason, IReadOnlyDictionary<string, string> Parameters)
{
    public static RevisionView Of(Revision revision) =>
        new(revision.Number, revision.TemplateId, revision.Version, revision.At, revision.By, revision.How, revision.Reason, revision.Parameters);
}

/// <summary>The rule for reasons that people give.</summary>
internal static class Reasons
{
    private const int Longest = 1000;

    public static Fault? Fault(string? reason, Texts texts, string language) =>
        reason?.Length > Longest ? new Fault("/reason", texts.Get("detection.fault.note", language, ("most", Longest.ToString(CultureInfo.InvariantCulture)))) : null;
}
