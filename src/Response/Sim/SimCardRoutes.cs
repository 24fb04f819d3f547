using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim;

/// <summary>Routes for which device has which SIM.</summary>
internal static class SimCardRoutes
{
    private const string Subject = "sims";
    private const string DevicePath = "/sims/{deviceId}";

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/sims", (string fieldId, string? after, int? limit, HttpContext context, SimCards cards) =>
            {
                var (masked, most) = (SimProviderRoutes.Masked(context), Paging.Limit(limit));
                var page = cards.OfField(fieldId).Where(p => after is null || string.CompareOrdinal(p.Device.DeviceId, after) > 0).Take(most)
                    .Select(p => SimView.Of(p.Device.DeviceId, p.Card, cards, masked)).ToList();
                return TypedResults.Ok(new Page<SimView>(page, page.Count == most ? page[^1].DeviceId : null));
            })
            .Reads(Subject).WithName("list-sims").WithTags("Response").WithSummary("Lists the field's devices that have a SIM, by device.")
            .Produces<Page<SimView>>();

        routes.Field.MapGet(DevicePath, GetAsync)
            .Reads(Subject).WithName("read-sim").WithTags("Response").WithSummary("Reads a device's SIM, and what the carrier says of it now.")
            .Produces<SimView>().ProducesProblem(StatusCodes.Status404NotFound);

        routes.Field.MapPut(DevicePath, PutAsync)
            .Administers(Subject, "sim.link").WithName("link-sim").WithTags("Response")
            .WithSummary("Says which SIM a device has; the carrier is asked whether it has that SIM. Several devices may have one.")
            .Produces<SimView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status502BadGateway);

        routes.Field.MapDelete(DevicePath, async (string fieldId, string deviceId, SimStore store, SimCards cards, IDeviceDirectory directory, CancellationToken cancellation) =>
            {
                if (directory.Device(deviceId)?.FieldId != fieldId)
                {
                    return (IResult)Problem.Of(CommonProblems.NotFound);
                }

                await store.UnlinkAsync(deviceId, cancellation);
                await cards.LoadAsync(cancellation);
                return Results.NoContent();
            })
            .Administers(Subject, "sim.unlink").WithName("unlink-sim").WithTags("Response")
            .WithSummary("Says that a device has no SIM (any more); what responses did to the SIM stays until they are undone.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> GetAsync(
        string fieldId, string deviceId, HttpContext context, SimCards cards, SimProviders providers, Texts texts, CancellationToken cancellation)
    {
        if (cards.Of(deviceId) is not { } card || card.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        return Results.Ok(SimView.Of(deviceId, card, cards, SimProviderRoutes.Masked(context), await AtCarrierAsync(card, providers, texts, RequestLanguage.Of(context), cancellation)));
    }

    private static async Task<SimStateView> AtCarrierAsync(SimCard card, SimProviders providers, Texts texts, string language, CancellationToken cancellation)
    {
        SimStateView Wrong(string fault) => new(null, null, null, fault, texts.Get("sim.fault." + fault, language));
        if (providers.Of(card.FieldId) is not { } carrier)
        {
            return Wrong("no-provider");
        }

        try
        {
            return await carrier.Provider.StatusAsync(card.Names.SimId, cancellation) is { } status
                ? new SimStateView(status.State, status.IsOnline, status.Address, null, null)
                : Wrong("unknown");
        }
        catch (CarrierException e)
        {
            return Wrong(e.Kind);
        }
    }

    private static async Task<IResult> PutAsync(
        string fieldId, string deviceId, SimNameBody request, HttpContext context, SimCards cards, SimStore store, SimProviders providers, IDeviceDirectory directory, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        if (directory.Device(deviceId)?.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (request.Read() is not { } name)
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/value", texts.Get("sim.invalid.name", language))]);
        }

        if (providers.Of(fieldId) is not { } carrier)
        {
            return Problem.Of(SimProblems.NoProvider);
        }

        try
        {
            var found = await carrier.Provider.FindAsync(name, cancellation) is { } simId ? await carrier.Provider.StatusAsync(simId, cancellation) : null;
            if (found is null || found.State == SimStates.Terminated)
            {
                return Problem.Of(SimProblems.Unknown);
            }

            if (carrier.Forbidden.Contains(name.Value) || found.Names.Any(carrier.Forbidden.Contains))
            {
                return Problem.Of(SimProblems.Forbidden);
            }

            if (await store.LinkAsync(deviceId, fieldId, carrier.Config.BaseUrl, new CardNames(found.SimId, name), cancellation) is not { } card)
            {
                return Problem.Of(SimProblems.Taken);
            }

            await cards.LoadAsync(cancellation);
            return Results.Ok(SimView.Of(deviceId, card, cards, masked: false, new SimStateView(found.State, found.IsOnline, found.Address, null, null)));
        }
        catch (CarrierException e)
        {
            return Problem.Of(SimProblems.Carrier, ("fault", texts.Get("sim.fault." + e.Kind, language)));
        }
    }
}
