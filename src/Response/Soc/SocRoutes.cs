using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Response.Soc.Sending;

namespace Sekisho.Response.Soc;

/// <summary>What the handlers of receivers need.</summary>
internal sealed record SocTools(SocStore Store, SocStage Stage, SocPorts Ports, Texts Texts);

/// <summary>Routes for the receivers of a field's history, and of the gateway's own.</summary>
internal static class SocRoutes
{
    private const int MostReceivers = 20;
    private static readonly TimeSpan TestLasts = TimeSpan.FromSeconds(10);

    public static void Map(RouteGroups routes)
    {
        Field(routes.Field).Reads("soc");
        ChangeField(routes.Field).Administers("soc", "soc.field");
        List(routes.Field, "field").Reads("soc");
        Read(routes.Field, "field").Reads("soc");
        Add(routes.Field, "field").Administers("soc", "soc.receiver.add");
        Replace(routes.Field, "field").Administers("soc", "soc.receiver.change");
        Delete(routes.Field, "field").Administers("soc", "soc.receiver.delete");
        Test(routes.Field, "field").Administers("soc", "soc.receiver.test");
        List(routes.Ops, "gateway").Watches("soc");
        Read(routes.Ops, "gateway").Watches("soc");
        Add(routes.Ops, "gateway").Maintains("soc", "soc.receiver.add");
        Replace(routes.Ops, "gateway").Maintains("soc", "soc.receiver.change");
        Delete(routes.Ops, "gateway").Maintains("soc", "soc.receiver.delete");
        Test(routes.Ops, "gateway").Maintains("soc", "soc.receiver.test");
    }

    private static RouteHandlerBuilder Field(RouteGroupBuilder group) => group
        .MapGet("/soc", async (HttpContext context, string fieldId, SocStore store, Texts texts, CancellationToken cancellation) =>
            SocFieldView.Of((await store.FieldsAsync(cancellation)).GetValueOrDefault(fieldId), texts, RequestLanguage.Of(context)))
        .Produces<SocFieldView>()
        .WithName("read-soc-field")
        .WithSummary("The field's sector of critical infrastructure, and whether receivers of the gateway may have its records.")
        .WithTags("Response");

    private static RouteHandlerBuilder ChangeField(RouteGroupBuilder group) => group
        .MapPut("/soc", async (HttpContext context, string fieldId, SocFieldRequest request, SocStore store, SocStage stage, Texts texts, CancellationToken cancellation) =>
        {
            var language = RequestLanguage.Of(context);
            if (request.Sector is { Length: > 0 } sector && !Sectors.All.Contains(sector))
            {
                return Problem.Of(CommonProblems.Invalid, [new Fault("/sector", texts.Get("soc.fault.one-of", language, ("allowed", string.Join(", ", Sectors.All))))]);
            }

            var field = new SocField(fieldId, request.Sector ?? "", request.Shared ?? false);
            await store.SaveFieldAsync(field, cancellation);
            stage.Wake();
            return Results.Ok(SocFieldView.Of(field, texts, language));
        })
        .Produces<SocFieldView>()
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName("change-soc-field")
        .WithSummary("Sets the field's sector of critical infrastructure, and whether receivers of the gateway may have its records.")
        .WithTags("Response");

    private static RouteHandlerBuilder List(RouteGroupBuilder group, string whose) => group
        .MapGet("/soc/receivers", async (HttpContext context, [AsParameters] SocTools tools, CancellationToken cancellation) =>
        {
            var views = new List<SocReceiverView>();
            foreach (var receiver in await tools.Store.ListAsync(FieldOf(context) ?? "", cancellation))
            {
                views.Add(await ViewAsync(receiver, tools, RequestLanguage.Of(context), cancellation));
            }

            return Results.Ok(views);
        })
        .Produces<IReadOnlyList<SocReceiverView>>()
        .WithName($"list-soc-receivers-{whose}")
        .WithSummary($"Receivers of the {whose}'s history with how the sending to each stands; keys are never returned.")
        .WithTags("Response");

    private static RouteHandlerBuilder Read(RouteGroupBuilder group, string whose) => group
        .MapGet("/soc/receivers/{receiverId}", async (HttpContext context, string receiverId, [AsParameters] SocTools tools, CancellationToken cancellation) =>
            await tools.Store.FindAsync(FieldOf(context), receiverId, cancellation) is { } receiver
                ? Results.Ok(await ViewAsync(receiver, tools, RequestLanguage.Of(context), cancellation))
                : Problem.Of(CommonProblems.NotFound))
        .Produces<SocReceiverView>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .WithName($"read-soc-receiver-{whose}")
        .WithSummary($"One receiver of the {whose}'s history with how the sending stands.")
        .WithTags("Response");

    private static RouteHandlerBuilder Add(RouteGroupBuilder group, string whose) => group
        .MapPost("/soc/receivers", async (HttpContext context, SocReceiverRequest request, [AsParameters] SocTools tools, CancellationToken cancellation) =>
            (await tools.Store.ListAsync(FieldOf(context) ?? "", cancellation)).Count >= MostReceivers
                ? Problem.Of(ResponseProblems.SocTooMany, ("most", $"{MostReceivers}"))
                : await SaveAsync(context, SocReceiver.NewId(), request, null, tools, cancellation))
        .Produces<SocReceiverView>()
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"add-soc-receiver-{whose}")
        .WithSummary($"Adds a receiver of the {whose}'s history; it gets what happens from now on.")
        .WithTags("Response");

    private static RouteHandlerBuilder Replace(RouteGroupBuilder group, string whose) => group
        .MapPut("/soc/receivers/{receiverId}", async (HttpContext context, string receiverId, SocReceiverRequest request, [AsParameters] SocTools tools, CancellationToken cancellation) =>
            await tools.Store.FindAsync(FieldOf(context), receiverId, cancellation) is { } before
                ? await SaveAsync(context, receiverId, request, before, tools, cancellation)
                : Problem.Of(CommonProblems.NotFound))
        .Produces<SocReceiverView>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"change-soc-receiver-{whose}")
        .WithSummary($"Replaces a receiver of the {whose}'s history; it goes on where it was.")
        .WithTags("Response");

    private static RouteHandlerBuilder Delete(RouteGroupBuilder group, string whose) => group
        .MapDelete("/soc/receivers/{receiverId}", async (HttpContext context, string receiverId, [AsParameters] SocTools tools, CancellationToken cancellation) =>
        {
            if (!await tools.Store.DeleteAsync(FieldOf(context), receiverId, cancellation))
            {
                return Problem.Of(CommonProblems.NotFound);
            }

            tools.Stage.Wake();
            return Results.NoContent();
        })
        .Produces(StatusCodes.Status204NoContent)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .WithName($"delete-soc-receiver-{whose}")
        .WithSummary($"Ends the sending to a receiver of the {whose}'s history.")
        .WithTags("Response");

    private static RouteHandlerBuilder Test(RouteGroupBuilder group, string whose) => group
        .MapPost("/soc/receivers/{receiverId}/test", async (HttpContext context, string receiverId, [AsParameters] SocTools tools, CancellationToken cancellation) =>
        {
            if (await tools.Store.FindAsync(FieldOf(context), receiverId, cancellation) is not { } receiver)
            {
                return Problem.Of(CommonProblems.NotFound);
            }

            var clock = tools.Ports.Clock;
            var test = tools.Ports.Events.Own("test-" + Correlation.Of(context), "test", clock.GetUtcNow(), receiver, Correlation.Of(context));
            if (tools.Stage.Of(receiverId) is not { State.Connected: true } sender || sender.Test(test) is not { } taken)
            {
                return Problem.Of(ResponseProblems.SocNotSending);
            }

            await Task.WhenAny(taken, Task.Delay(TestLasts, clock, cancellation));
            return Results.Ok(new SocTestView(test.Id, taken.IsCompletedSuccessfully));
        })
        .Produces<SocTestView>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .WithName($"test-soc-receiver-{whose}")
        .WithSummary($"Sends a test event to a receiver of the {whose}'s history and says whether its system took it within ten seconds.")
        .WithTags("Response");

    private static async Task<IResult> SaveAsync(HttpContext context, string id, SocReceiverRequest request, SocReceiver? before, SocTools tools, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var (receiver, faults) = request.Read(id, FieldOf(context), before, tools.Texts, language);
        if (receiver is null)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        if (!await tools.Store.SaveAsync(receiver, before is null ? await tools.Ports.Feed.EndAsync(cancellation) : 0, cancellation))
        {
            return Problem.Of(ResponseProblems.SocReporterTaken);
        }

        tools.Stage.Wake();
        return Results.Ok(await ViewAsync(receiver, tools, language, cancellation));
    }

    private static async Task<SocReceiverView> ViewAsync(SocReceiver receiver, SocTools tools, string language, CancellationToken cancellation)
    {
        var progress = await tools.Store.ProgressAsync(receiver.Id, cancellation) ?? new SocProgress(receiver.Id, 0, 0, 0, 0);
        var reach = SocPorts.ReachOf(receiver, await tools.Store.FieldsAsync(cancellation));
        var waiting = (await tools.Ports.Feed.ExcessAsync(reach, progress.Position, DateTimeOffset.MaxValue, long.MaxValue, cancellation))?.Records ?? 0;
        return SocReceiverView.Of(receiver, progress, waiting, tools.Stage.Of(receiver.Id)?.State, tools.Ports.Clock.GetUtcNow(), tools.Texts, language);
    }

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}
