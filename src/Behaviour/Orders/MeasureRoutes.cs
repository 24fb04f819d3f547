using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;

namespace Sekisho.Behaviour.Orders;

/// <summary>A restriction on the network, as people see it.</summary>
/// <param name="MeasureId">The response that it belongs to.</param>
/// <param name="DeviceId">The device.</param>
/// <param name="Kind">"block" or "quarantine".</param>
/// <param name="Macs">MACs that it works on.</param>
/// <param name="Addresses">Addresses that it works on.</param>
/// <param name="Reachable">What the device still reaches, as "tcp 192.0.2.1 443".</param>
/// <param name="OrderedAt">When it was ordered.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="LiftedAt">When it was ended before; null else.</param>
/// <param name="Enforcers">What each enforcer says of it.</param>
internal sealed record MeasureView(
    string MeasureId, string DeviceId, string Kind, IReadOnlyList<string> Macs, IReadOnlyList<string> Addresses, IReadOnlyList<string> Reachable, DateTimeOffset OrderedAt, DateTimeOffset ExpiresAt,
    DateTimeOffset? LiftedAt, IReadOnlyList<EnforcerView> Enforcers);

/// <summary>What an enforcer says.</summary>
/// <param name="SensorId">The enforcer.</param>
/// <param name="Outcome">"waiting", "applied", "lifted", "refused", "failed" or "lost".</param>
/// <param name="Text">The same in words.</param>
/// <param name="Cause">Why it does not follow, a stable name; empty otherwise.</param>
/// <param name="AnsweredAt">When it said so.</param>
internal sealed record EnforcerView(string SensorId, string Outcome, string Text, string Cause, DateTimeOffset? AnsweredAt);

/// <summary>How the network knows a device.</summary>
/// <param name="Mac">Its MAC; may be absent where addresses are given.</param>
/// <param name="Addresses">Its fixed addresses; absent or empty for those that sensors see.</param>
internal sealed record LinkRequest(string? Mac, IReadOnlyList<string>? Addresses);

/// <summary>How the network knows a device.</summary>
/// <param name="Macs">MACs.</param>
/// <param name="Addresses">Addresses.</param>
/// <param name="Set">A person set it; else it comes from the unique ID and what sensors see.</param>
internal sealed record LinkView(IReadOnlyList<string> Macs, IReadOnlyList<string> Addresses, bool Set);

/// <summary>Routes that show measures, and that tell how the network knows a device.</summary>
internal static class MeasureRoutes
{
    private const int MostAddresses = 8;
    private static readonly TimeSpan s_shown = TimeSpan.FromDays(7);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/network-measures", ListAsync)
            .WithName("ListNetworkMeasures").WithSummary("Lists what is, or in the last seven days was, restricted on the network, and what each enforcer says of it.").WithTags("Sensors")
            .Produces<IReadOnlyList<MeasureView>>()
            .Reads("sensors");
        routes.Field.MapGet("/network-links/{deviceId}", LinkAsync)
            .WithName("GetNetworkLink").WithSummary("Shows how the network knows a device: 404 when nothing links it.").WithTags("Sensors")
            .Produces<LinkView>().ProducesProblem(404)
            .Reads("sensors");
        routes.Field.MapPut("/network-links/{deviceId}", PutAsync)
            .WithName("SetNetworkLink").WithSummary("Says by which MAC or fixed addresses the network knows a device whose unique ID has no MAC, or another one.").WithTags("Sensors")
            .Produces<LinkView>().ProducesProblem(404).ProducesProblem(422)
            .Administers("sensors", "network-link.set");
        routes.Field.MapDelete("/network-links/{deviceId}", DeleteAsync)
            .WithName("DeleteNetworkLink").WithSummary("Takes back what was said; the unique ID counts again.").WithTags("Sensors")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(404)
            .Administers("sensors", "network-link.delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, string fieldId, MeasureStore store, Texts texts, TimeProvider clock, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var views = new List<MeasureView>();
        foreach (var m in (await store.OfFieldAsync(fieldId, clock.GetUtcNow() - s_shown, cancellation)).Take(Paging.Limit(null)))
        {
            var orders = await store.OrdersOfAsync(m.Id, cancellation);
            views.Add(new MeasureView(
                m.Id, m.DeviceId, m.Body.Kind, m.Body.Macs, m.Body.Addresses, m.Body.Reachable, m.OrderedAt, m.ExpiresAt, m.LiftedAt,
                [.. orders.Select(o => new EnforcerView(o.SensorId, o.Outcome, texts.Get("network.outcome." + o.Outcome, language), o.Cause, o.AnsweredAt))]));
        }

        return Results.Ok(views);
    }

    private static async Task<IResult> LinkAsync(string fieldId, string deviceId, INetworkEnforcement network, MeasureStore store, IDeviceDirectory directory, CancellationToken cancellation) =>
        directory.Device(deviceId)?.FieldId == fieldId && await network.FindAsync(deviceId, cancellation) is { } identity
            ? Results.Ok(new LinkView(identity.Macs, identity.Addresses, await store.LinkAsync(deviceId, cancellation) is not null))
            : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> PutAsync(HttpContext context, string fieldId, string deviceId, LinkRequest asked, MeasureStore store, IDeviceDirectory directory, IHistory history, Texts texts, TimeProvider clock, CancellationToken cancellation)
    {
        if (directory.Device(deviceId)?.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        var mac = asked.Mac is { } text ? NetworkNames.Mac(text) : null;
        if ((asked.Mac is not null && mac is null) || (asked.Mac is null && asked.Addresses is not { Count: > 0 }))
        {
            faults.Add(new Fault("/mac", texts.Get("network.rule.mac", language)));
        }

        if (asked.Addresses is { Count: > MostAddresses } || asked.Addresses?.Any(a => a is null || NetworkNames.Address(a) is null) == true)
        {
            faults.Add(new Fault("/addresses", texts.Get("network.rule.addresses", language)));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var link = new LinkBody(mac is { } number ? NetworkNames.Text(number) : null, [.. (asked.Addresses ?? []).Select(a => NetworkNames.Address(a)!.Value.ToString())]);
        await store.WriteAsync(
            async t =>
            {
                await store.PutLinkAsync(fieldId, deviceId, link, context.User.NameOf(), clock.GetUtcNow(), t);
                history.Append(Record("network-link-set", fieldId, deviceId, context, clock), t);
            },
            cancellation);
        return Results.Ok(new LinkView(link.Mac is null ? [] : [link.Mac], link.Addresses, Set: true));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string fieldId, string deviceId, MeasureStore store, IDeviceDirectory directory, IHistory history, TimeProvider clock, CancellationToken cancellation)
    {
        var dropped = 0;
        if (directory.Device(deviceId)?.FieldId == fieldId)
        {
            await store.WriteAsync(
                async t =>
                {
                    dropped = await MeasureStore.DropLinkAsync(deviceId, t);
                    if (dropped > 0)
                    {
                        history.Append(Record("network-link-deleted", fieldId, deviceId, context, clock), t);
                    }
                },
                cancellation);
        }

        return dropped > 0 ? Results.NoContent() : Problem.Of(CommonProblems.NotFound);
    }

    private static HistoryRecord Record(string what, string fieldId, string deviceId, HttpContext context, TimeProvider clock) => new()
    {
        At = clock.GetUtcNow(),
        Kind = HistoryKinds.Operator,
        What = what,
        FieldId = fieldId,
        Actor = context.User.NameOf(),
        CorrelationId = Correlation.Of(context),
        Subject = deviceId,
    };
}
