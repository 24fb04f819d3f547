using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Incidents;

/// <summary>What the handlers of incidents need.</summary>
internal sealed record IncidentTools(IncidentStore Store, IncidentFiles Files, IncidentDesk Desk, IncidentSignal Signal, IncidentSettings Settings, Texts Texts, TimeProvider Clock);

/// <summary>Routes for the incidents of a field, and for those that concern the gateway as a whole.</summary>
internal static class IncidentRoutes
{
    public static void Map(RouteGroups routes)
    {
        MapIn(routes.Field, "field", route => route.Reads("responses"), (route, action) => route.Responds("responses", action));
        MapIn(routes.Ops, "gateway", route => route.Watches("responses"), (route, action) => route.Maintains("responses", action));
    }

    private static void MapIn(RouteGroupBuilder group, string whose, Func<RouteHandlerBuilder, RouteHandlerBuilder> reads, Func<RouteHandlerBuilder, string, RouteHandlerBuilder> changes)
    {
        reads(group.MapGet("/incidents", ListAsync).WithName($"list-incidents-{whose}").WithTags("Incidents").Produces<Page<IncidentView>>().ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .WithSummary($"Incidents of the {whose}, newest first; filter by state, level, closedAs, assignee, device, overdue=true and time of opening (from, to)."));
        reads(group.MapGet("/incidents/{id}", GetAsync).WithName($"read-incident-{whose}").WithTags("Incidents").Produces<IncidentFullView>().ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("One incident with its devices, its timeline and what keeps its devices from their normal state."));
        reads(group.MapGet("/incidents/{id}/report", ReportAsync).WithName($"report-incident-{whose}").WithTags("Incidents").Produces<IncidentReport>().ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("The report of an incident as JSON, in the language asked for (language=ja or en, else Accept-Language)."));
        reads(group.MapGet("/incidents/{id}/report.html", PageAsync).WithName($"print-incident-{whose}").WithTags("Incidents").Produces(StatusCodes.Status200OK, contentType: "text/html").ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("The same as a page that prints on A4 and needs nothing from elsewhere."));

        Change<AssignRequest>("assign", "Says who works on it (null: nobody). Its findings count as taken in hand.", (r, input, tools, note) =>
        {
            var assignee = input.Account("/assignee", r.Assignee);
            return i => IncidentMachine.Assign(i, assignee, note);
        }, r => (r.Note, false));
        Change<DueRequest>("due", "Sets the time by which it is to be done.", (r, input, tools, note) =>
        {
            var due = input.Due(r.Due, tools.Clock.GetUtcNow());
            return i => IncidentMachine.SetDue(i, due, note);
        }, r => (r.Note, true));
        Change<LevelRequest>("level", "Raises or lowers the level; findings of a higher level than all before raise it again.", (r, input, tools, note) =>
        {
            var level = input.OneOf("/level", r.Level, Levels.All);
            return i => IncidentMachine.SetLevel(i, level, note, tools.Settings);
        }, r => (r.Note, true));
        Change<NoteRequest>("comment", "Adds a comment, also to a closed one.", (r, input, tools, note) => i => IncidentMachine.Comment(i, note), r => (r.Note, true));
        Change<HandOverRequest>("hand-over", "Leaves a memo for who takes over.", (r, input, tools, note) =>
        {
            var to = input.Account("/to", r.To);
            return i => IncidentMachine.HandOver(i, to, note);
        }, r => (r.Note, true));
        Change<NoteRequest>("reopen", "Opens a closed one again.", (r, input, tools, note) => i => IncidentMachine.Reopen(i, note, tools.Settings), r => (r.Note, true));
        changes(
            group.MapPost("/incidents/{id}/close", CloseAsync).WithName($"close-incident-{whose}").WithTags("Incidents").Produces<IncidentFullView>()
                .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
                .WithSummary("Closes it as change, incident or false-alarm; its findings get the same label. Refused while responses hold its devices and nobody decided on their release."),
            "incident.close");
        changes(
            group.MapPost("/incidents/{id}/recovery", StepAsync).WithName($"recover-incident-{whose}").WithTags("Incidents").Produces<IncidentFullView>()
                .Produces<IncidentFullView>(StatusCodes.Status202Accepted)
                .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
                .WithSummary("Does the next step of the recovery: check, clean, restore, release. 202: the release goes on until every device is in its normal state; the answer says what holds it."),
            "incident.recover");

        void Change<T>(string verb, string summary, Func<T, IncidentInput, IncidentTools, IncidentNote, Func<Incident, IncidentChange?>> read, Func<T, (string? Note, bool IsNeeded)> noteOf) => changes(
            group.MapPost("/incidents/{id}/" + verb, (string id, T request, [AsParameters] IncidentTools tools, HttpContext context) => ChangeAsync(context, id, tools, verb == "comment", input =>
                {
                    var (said, isNeeded) = noteOf(request);
                    return read(request, input, tools, NoteOf(context, tools, input.Note(said, isNeeded)));
                }))
                .WithName($"{verb}-incident-{whose}").WithTags("Incidents").Produces<IncidentFullView>()
                .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity).WithSummary(summary),
            "incident." + verb);
    }

    private static async Task<IResult> ListAsync([AsParameters] IncidentTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        var input = new IncidentInput(tools.Texts, language);
        var filter = input.Filter(FieldOf(context), context.Request.Query, tools.Clock.GetUtcNow());
        if (input.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, input.Faults);
        }

        var rows = await tools.Store.ListAsync(filter, context.RequestAborted);
        var next = rows.Count == filter.Limit ? new LeaseCursor(rows[^1].OpenedAt.ToUnixTimeMilliseconds(), rows[^1].Id).ToString() : null;
        return Results.Ok(new Page<IncidentView>(await tools.Files.ViewsAsync(rows, tools.Files.Words(FieldOf(context), language), context.RequestAborted), next));
    }

    private static async Task<IResult> GetAsync(string id, [AsParameters] IncidentTools tools, HttpContext context) =>
        await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) is { } incident ? Results.Ok(await FullAsync(incident, tools, context)) : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> ReportAsync(string id, string? language, [AsParameters] IncidentTools tools, HttpContext context)
    {
        var (report, _, problem) = await ReadReportAsync(id, language, tools, context);
        return report is null ? problem! : Results.Ok(report);
    }

    private static async Task<IResult> PageAsync(string id, string? language, [AsParameters] IncidentTools tools, HttpContext context)
    {
        var (report, words, problem) = await ReadReportAsync(id, language, tools, context);
        if (report is null)
        {
            return problem!;
        }

        context.Response.Headers.ContentSecurityPolicy = IncidentPaper.Policy;
        context.Response.Headers.ContentLanguage = report.Language;
        return Results.Text(IncidentPaper.Write(report, words!), "text/html", Encoding.UTF8);
    }

    private static async Task<(IncidentReport? Report, IncidentWords? Words, IResult? Problem)> ReadReportAsync(string id, string? language, IncidentTools tools, HttpContext context)
    {
        var input = new IncidentInput(tools.Texts, RequestLanguage.Of(context));
        var wanted = language is null ? RequestLanguage.Of(context) : input.OneOf("language", language, Texts.Languages);
        if (input.Faults.Count > 0)
        {
            return (null, null, Problem.Of(CommonProblems.Invalid, input.Faults));
        }

        if (await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) is not { } incident)
        {
            return (null, null, Problem.Of(CommonProblems.NotFound));
        }

        var words = tools.Files.Words(incident.FieldId, wanted);
        return (await tools.Files.ReportAsync(incident, words, context.RequestAborted), words, null);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, string id, IncidentTools tools, bool isComment, Func<IncidentInput, Func<Incident, IncidentChange?>> read)
    {
        if (await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) is null)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var input = new IncidentInput(tools.Texts, RequestLanguage.Of(context));
        var change = read(input);
        if (input.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, input.Faults);
        }

        var after = await tools.Store.ChangeAsync(id, change, null, context.RequestAborted);
        tools.Signal.Wake();
        return after is not null ? Results.Ok(await FullAsync(after, tools, context))
            : isComment ? Problem.Of(ResponseProblems.IncidentFull)
            : await WrongStateAsync(id, tools, context);
    }

    private static async Task<IResult> CloseAsync(string id, CloseRequest request, [AsParameters] IncidentTools tools, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        if (await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) is not { } incident)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var input = new IncidentInput(tools.Texts, language);
        var closedAs = input.OneOf("/as", request.As, Closings.All);
        var note = NoteOf(context, tools, input.Note(request.Note));
        if (input.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, input.Faults);
        }

        var (after, held) = await tools.Desk.CloseAsync(incident, closedAs, note, context.RequestAborted);
        var words = tools.Files.Words(incident.FieldId, language);
        return after is not null ? Results.Ok(await FullAsync(after, tools, context))
            : held.Count > 0 ? Problem.Of(ResponseProblems.IncidentHeld, [.. held.Take(20).Select(s => new Fault(s.DeviceId, words.Standing(s) ?? ""))], ("devices", IncidentWords.Whole(held.Count)))
            : await WrongStateAsync(id, tools, context);
    }

    private static async Task<IResult> StepAsync(string id, StepRequest request, [AsParameters] IncidentTools tools, HttpContext context)
    {
        if (await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) is not { } incident)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var input = new IncidentInput(tools.Texts, RequestLanguage.Of(context));
        var step = input.OneOf("/step", request.Step, RecoverySteps.All);
        var note = NoteOf(context, tools, input.Note(request.Note));
        if (input.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, input.Faults);
        }

        var (after, refusal) = await tools.Desk.StepAsync(incident, step, request.Skip ?? false, note, context.RequestAborted);
        return after switch
        {
            null when refusal == IncidentRefusal.StepOrder => Problem.Of(
                ResponseProblems.StepOrder, ("next", IncidentMachine.NextStep(await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) ?? incident) is { } next ? "incident.step." + next : "-")),
            null => await WrongStateAsync(id, tools, context),
            { ReleaseAskedAt: not null, RecoveredAt: null } => Results.Accepted(value: await FullAsync(after, tools, context)),
            _ => Results.Ok(await FullAsync(after, tools, context)),
        };
    }

    private static async Task<IResult> WrongStateAsync(string id, IncidentTools tools, HttpContext context) =>
        Problem.Of(ResponseProblems.IncidentState, ("state", await tools.Store.FindAsync(FieldOf(context), id, context.RequestAborted) is { } present ? "incident.state." + present.State : "-"));

    private static Task<IncidentFullView> FullAsync(Incident incident, IncidentTools tools, HttpContext context) =>
        tools.Files.FullAsync(incident, tools.Files.Words(incident.FieldId, RequestLanguage.Of(context)), context.RequestAborted);

    private static IncidentNote NoteOf(HttpContext context, IncidentTools tools, string text) => new(context.User.NameOf(), tools.Clock.GetUtcNow(), text, Correlation.Of(context));

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues.GetValueOrDefault("fieldId") as string;
}
