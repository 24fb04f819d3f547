using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;

namespace Sekisho.Operations.Health;

/// <summary>Is it alive, can it work, and what holds it up.</summary>
internal static class HealthRoutes
{
    private static readonly RouteAccess Anybody = new([], Scope: null, Anonymous: true);

    public static void Map(RouteGroups routes)
    {
        routes.Root.MapGet("/health/live", (HttpContext _, TimeProvider clock) => Results.Ok(new LiveView(clock.GetUtcNow())))
            .WithMetadata(Anybody)
            .WithName("Live").WithSummary("Answers 200 as long as the process runs.").WithTags("Operations").Produces<LiveView>();

        routes.Root.MapGet("/health/ready", (HttpContext context, StageBook stages) =>
            {
                var views = stages.Views;
                var ready = views.All(s => s.Healthy);
                var user = context.User;
                var shown = user.Is(Roles.Maintainer) && !user.HasClaim(c => c.Type == Principal.MustSetPassword) && (user.HasClaim(Principal.HolderKind, "person") || user.HasClaim(Principal.Scope, "operations:read"));
                return Results.Json(new ReadyView(ready, shown ? views : null), statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
            })
            .WithMetadata(Anybody)
            .WithName("Ready").WithSummary("Answers 503 while a stage cannot work; maintainers also see the stages.").WithTags("Operations").Produces<ReadyView>().Produces<ReadyView>(StatusCodes.Status503ServiceUnavailable);

        routes.Ops.MapGet("/stages", (HttpContext _, StageBook stages) => Results.Ok(stages.Views)).Watches("operations")
            .WithName("ListStages").WithSummary("Lists the stages with what waits in them.").WithTags("Operations").Produces<StageView[]>();

        routes.Ops.MapPost("/stages/{name}/pause", (string name, StageBook stages) => Hold(name, stages, pause: true)).Maintains("operations", "stage.pause")
            .WithName("PauseStage").WithSummary("Holds a stage after its present piece of work; what arrives waits in its durable queue.").WithTags("Operations").Produces<StageView>();

        routes.Ops.MapPost("/stages/{name}/resume", (string name, StageBook stages) => Hold(name, stages, pause: false)).Maintains("operations", "stage.resume")
            .WithName("ResumeStage").WithSummary("Lets a held stage go on.").WithTags("Operations").Produces<StageView>();
    }

    private static IResult Hold(string name, StageBook stages, bool pause)
    {
        if (stages.Find(name) is not { } stage)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (pause)
        {
            stage.Pause();
        }
        else
        {
            stage.Resume();
        }

        return Results.Ok(stages.ViewOf(stage));
    }
}

internal sealed record LiveView(DateTimeOffset Time);

internal sealed record ReadyView(bool Ready, IReadOnlyList<StageView>? Stages);
