using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;

namespace Sekisho.Devices.Binding;

/// <summary>A waiting sender as the API shows it.</summary>
/// <param name="BindingId">Identifier to decide with.</param>
/// <param name="DeviceId">The device whose identity is used.</param>
/// <param name="State">"provisional" (may be the same device at a new address), "confirmed" (two are alive), "refused" or "accepted".</param>
/// <param name="Source">Address of the newer sender.</param>
/// <param name="OpenedAt">When it first asked.</param>
/// <param name="ConfirmedAt">When the incumbent was seen after that; null when not yet.</param>
internal sealed record BindingView(string BindingId, string DeviceId, string State, string Source, DateTimeOffset OpenedAt, DateTimeOffset? ConfirmedAt);

/// <summary>Routes to see and decide conflicts of two senders.</summary>
internal static class BindingRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/bindings", (string fieldId, PendingBindings pending) => Results.Ok(new Page<BindingView>([.. pending.In(fieldId).Select(View)], null)))
            .WithName("ListBindings").WithSummary("Lists newer senders that use the identity of a device and wait.").WithTags("Devices")
            .Produces<Page<BindingView>>()
            .Reads("bindings");
        routes.Field.MapPost("/bindings/{bindingId}/accept", (HttpContext context, string fieldId, string bindingId, BindingDesk desk, CancellationToken cancellation) => DecideAsync(context, fieldId, bindingId, accept: true, desk, cancellation))
            .WithName("AcceptBinding").WithSummary("Gives the identity to the newer sender; the incumbent's tokens end at once.").WithTags("Devices")
            .Produces<BindingView>().ProducesProblem(404)
            .Administers("bindings", "binding.accept");
        routes.Field.MapPost("/bindings/{bindingId}/refuse", (HttpContext context, string fieldId, string bindingId, BindingDesk desk, CancellationToken cancellation) => DecideAsync(context, fieldId, bindingId, accept: false, desk, cancellation))
            .WithName("RefuseBinding").WithSummary("Turns the newer sender away until the secret is issued anew.").WithTags("Devices")
            .Produces<BindingView>().ProducesProblem(404)
            .Administers("bindings", "binding.refuse");
    }

    private static async Task<IResult> DecideAsync(HttpContext context, string fieldId, string bindingId, bool accept, BindingDesk desk, CancellationToken cancellation) =>
        await desk.DecideAsync(fieldId, bindingId, accept, Caller.Of(context), cancellation) is { } binding ? Results.Ok(View(binding)) : Problem.Of(CommonProblems.NotFound);

    private static BindingView View(PendingBinding b) => new(b.BindingId, b.DeviceId, b.Stage switch
    {
        ConflictStage.Confirmed => "confirmed",
        ConflictStage.Refused => "refused",
        ConflictStage.Accepted => "accepted",
        _ => "provisional",
    }, b.Source, b.OpenedAt, b.ConfirmedAt);
}
