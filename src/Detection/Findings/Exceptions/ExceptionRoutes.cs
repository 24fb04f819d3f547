using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>What the handlers of exceptions need.</summary>
internal sealed record ExceptionTools(
    ExceptionStore Store, ExceptionDesk Desk, ExceptionPreviews Previews, FieldPlans Plans, TemplateCatalog Catalog, Sentences Sentences, Texts Texts, TimeProvider Time);

/// <summary>Lets people learn, mute and accept: for a field, and for the gateway as a whole.</summary>
internal static class ExceptionRoutes
{
    private const int MostListed = 1000;
    private static readonly ProblemType Changed = new("exception-changed", StatusCodes.Status409Conflict);
    private static readonly ProblemType TooMany = new("exception-limit", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        MapIn(routes.Field, "", route => route.Reads("exceptions"), (route, action) => route.Administers("exceptions", action));
        MapIn(routes.Ops, "Gateway", route => route.Watches("exceptions"), (route, action) => route.Maintains("exceptions", action));
    }

    private static void MapIn(RouteGroupBuilder group, string whose, Func<RouteHandlerBuilder, RouteHandlerBuilder> reads, Func<RouteHandlerBuilder, string, RouteHandlerBuilder> changes)
    {
        reads(group.MapGet("/exceptions", ListAsync).WithName($"List{whose}Exceptions").WithSummary("What people allowed, newest first; with ended=true also what is over.")
            .WithTags("Detection").Produces<ExceptionList>());
        reads(group.MapGet("/exceptions/{id}", GetAsync).WithName($"Get{whose}Exception").WithSummary("One exception with all its revisions.")
            .WithTags("Detection").Produces<ExceptionDetail>());
        reads(group.MapPost("/exceptions/preview", PreviewAsync).WithName($"Preview{whose}Exception").WithSummary("Which findings of the last days an exception would have allowed, and which devices it is about. Saves nothing.")
            .WithTags("Detection").Produces<ExceptionPreview>().ProducesProblem(StatusCodes.Status422UnprocessableEntity));
        changes(group.MapPost("/exceptions", AddAsync).WithName($"Add{whose}Exception").WithSummary("Learns, mutes or accepts from now on.")
            .WithTags("Detection").Produces<ExceptionView>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status422UnprocessableEntity), "exception.set");
        changes(group.MapPut("/exceptions/{id}", ReviseAsync).WithName($"Revise{whose}Exception").WithSummary("Replaces an exception by another revision; whoever does so answers for it.")
            .WithTags("Detection").Produces<ExceptionView>().ProducesProblem(StatusCodes.Status409Conflict), "exception.set");
        changes(group.MapPost("/exceptions/{id}/end", EndAsync).WithName($"End{whose}Exception").WithSummary("Takes an exception back: what it allowed is told again.")
            .WithTags("Detection").Produces<ExceptionView>().ProducesProblem(StatusCodes.Status409Conflict), "exception.end");
        changes(group.MapPost("/exceptions/{id}/undo", UndoAsync).WithName($"Undo{whose}Exception").WithSummary("Takes the last change of an exception back.")
            .WithTags("Detection").Produces<ExceptionView>().ProducesProblem(StatusCodes.Status409Conflict), "exception.undo");
    }

    private static async Task<IResult> ListAsync(bool? ended, [AsParameters] ExceptionTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var kept = await tools.Store.ListAsync(FieldOf(context), ended ?? false, MostListed, context.RequestAborted).ConfigureAwait(false);
        return Results.Ok(new ExceptionList([.. kept.Select(k => ExceptionView.Of(k, tools.Sentences, tools.Time.GetUtcNow(), language))], tools.Texts.Get("detection.exception.precedence", language)));
    }

    private static async Task<IResult> GetAsync(string id, [AsParameters] ExceptionTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var revisions = await tools.Store.RevisionsAsync(FieldOf(context), id, context.RequestAborted).ConfigureAwait(false);
        var views = revisions.Select(k => ExceptionView.Of(k, tools.Sentences, tools.Time.GetUtcNow(), language)).ToList();
        return views.Count == 0 ? Problem.Of(CommonProblems.NotFound) : Results.Ok(new ExceptionDetail(views[0], views, tools.Texts.Get("detection.exception.precedence", language)));
    }

    private static async Task<IResult> PreviewAsync(ExceptionDraft draft, [AsParameters] ExceptionTools tools, HttpContext context)
    {
        var faults = Faults(draft, saving: false, tools, context);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var change = draft.Change(FieldOf(context), "x", context.User.NameOf(), tools.Time.GetUtcNow(), "");
        return Results.Ok(await tools.Previews.OfAsync(change, draft.Days ?? ExceptionPreviews.StandardDays, RequestLanguage.Of(context), context.RequestAborted).ConfigureAwait(false));
    }

    private static async Task<IResult> AddAsync(ExceptionDraft draft, [AsParameters] ExceptionTools tools, HttpContext context)
    {
        var faults = Faults(draft, saving: true, tools, context);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var outcome = await tools.Desk.AddAsync(FieldOf(context), draft, context.User.NameOf(), Correlation.Of(context), context.RequestAborted).ConfigureAwait(false);
        return await ShownAsync(outcome, tools, context, created: true).ConfigureAwait(false);
    }

    private static async Task<IResult> ReviseAsync(string id, ExceptionDraft draft, [AsParameters] ExceptionTools tools, HttpContext context)
    {
        var faults = Faults(draft, saving: true, tools, context);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var outcome = await tools.Desk.ChangeAsync(
            FieldOf(context),
            id,
            (revisions, now) => Stands(revisions, draft.Revision) ? draft.Change(FieldOf(context), id, context.User.NameOf(), now, Correlation.Of(context)) : null,
            context.RequestAborted).ConfigureAwait(false);
        return await ShownAsync(outcome, tools, context, created: false).ConfigureAwait(false);
    }

    private static Task<IResult> EndAsync(string id, ExceptionReason request, [AsParameters] ExceptionTools tools, HttpContext context) =>
        TakeBackAsync(id, request, ExceptionDesk.End, tools, context);

    private static Task<IResult> UndoAsync(string id, ExceptionReason request, [AsParameters] ExceptionTools tools, HttpContext context) =>
        TakeBackAsync(id, request, ExceptionDesk.Undo, tools, context);

    private static async Task<IResult> TakeBackAsync(
        string id, ExceptionReason request, Func<IReadOnlyList<KeptException>, string, string, DateTimeOffset, string, ExceptionChangedEvent?> make, ExceptionTools tools, HttpContext context)
    {
        if (request.Reason is not { } reason || !ExceptionRules.IsLine(reason, ExceptionRules.LongestReason))
        {
            var most = ExceptionRules.LongestReason.ToString(CultureInfo.InvariantCulture);
            return Problem.Of(CommonProblems.Invalid, [new Fault("/reason", tools.Texts.Get("detection.fault.line", RequestLanguage.Of(context), ("most", most)))]);
        }

        var outcome = await tools.Desk.ChangeAsync(
            FieldOf(context),
            id,
            (revisions, now) => Stands(revisions, request.Revision) ? make(revisions, context.User.NameOf(), reason, now, Correlation.Of(context)) : null,
            context.RequestAborted).ConfigureAwait(false);
        return await ShownAsync(outcome, tools, context, created: false).ConfigureAwait(false);
    }

    private static bool Stands(IReadOnlyList<KeptException> revisions, int? read) => read is null || revisions[0].Revision == read;

    private static async Task<IResult> ShownAsync((ExceptionChangeResult Result, ExceptionChangedEvent? Change) outcome, ExceptionTools tools, HttpContext context, bool created)
    {
        switch (outcome.Result)
        {
            case ExceptionChangeResult.Missing:
                return Problem.Of(CommonProblems.NotFound);
            case ExceptionChangeResult.Conflict:
                return Problem.Of(Changed);
            case ExceptionChangeResult.TooMany:
                return Problem.Of(TooMany, ("most", ExceptionDesk.MostInForce.ToString(CultureInfo.InvariantCulture)));
        }

        var change = outcome.Change!;
        var revisions = await tools.Store.RevisionsAsync(change.FieldId, change.ExceptionId, context.RequestAborted).ConfigureAwait(false);
        var waiting = outcome.Result == ExceptionChangeResult.Waiting;
        var kept = waiting ? new KeptException(change, revisions.Count + 1, revisions.Count > 0 ? revisions[0].Allowed : 0, null) : revisions[0];
        var view = ExceptionView.Of(kept, tools.Sentences, tools.Time.GetUtcNow(), RequestLanguage.Of(context), waiting);
        return created ? Results.Created($"{context.Request.Path}/{view.Id}", view) : Results.Ok(view);
    }

    private static IReadOnlyList<Fault> Faults(ExceptionDraft draft, bool saving, ExceptionTools tools, HttpContext context)
    {
        var template = FieldOf(context) is { } fieldId ? tools.Plans.Find(fieldId)?.Template : tools.Catalog.Gateway;
        return ExceptionRules.Faults(draft, template, saving, tools.Time.GetUtcNow(), tools.Texts, RequestLanguage.Of(context));
    }

    // The routes of the gateway have no field.
    private static string? FieldOf(HttpContext context) => context.Request.RouteValues.GetValueOrDefault("fieldId") as string;
}
