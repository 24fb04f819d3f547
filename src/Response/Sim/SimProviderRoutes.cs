using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim;

/// <summary>Routes for how a field reaches its carrier.</summary>
internal static class SimProviderRoutes
{
    private const string Path = "/sim-provider";
    private const string Subject = "sims";

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet(Path, (string fieldId, HttpContext context, SimProviders providers) =>
                providers.Of(fieldId) is { } carrier ? Results.Ok(SimProviderView.Of(carrier.Config, Masked(context))) : Problem.Of(CommonProblems.NotFound))
            .Reads(Subject).WithName("read-sim-provider").WithTags("Response").WithSummary("Reads how the field reaches its carrier; secrets are never shown.")
            .Produces<SimProviderView>().ProducesProblem(StatusCodes.Status404NotFound);

        routes.Field.MapPut(Path, PutAsync)
            .Administers(Subject, "sim-provider.change").WithName("change-sim-provider").WithTags("Response")
            .WithSummary("Replaces how the field reaches its carrier; secrets that are left out are kept while kind and address stay.")
            .Produces<SimProviderView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);

        routes.Field.MapDelete(Path, DeleteAsync)
            .Administers(Subject, "sim-provider.remove").WithName("remove-sim-provider").WithTags("Response")
            .WithSummary("Forgets the field's carrier and its secrets; refused while a response keeps a SIM off.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status409Conflict);

        routes.Field.MapPost(Path + "/test", TestAsync)
            .Administers(Subject, "sim-provider.test").WithName("test-sim-provider").WithTags("Response")
            .WithSummary("Tries the connection to the carrier, and a SIM where one is named; changes nothing.")
            .Produces<SimTestResult>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>True for readers who may not change it.</summary>
    public static bool Masked(HttpContext context) => !context.User.Is(Roles.Administrator, Roles.Responder);

    private static async Task<IResult> PutAsync(
        string fieldId, SimProviderRequest request, HttpContext context, SimStore store, SimProviders providers, SimCards cards, SimSettings settings, Texts texts, TimeProvider clock, CancellationToken cancellation)
    {
        var before = providers.Of(fieldId)?.Config;
        var (config, faults) = request.Check(fieldId, before, settings, clock.GetUtcNow(), texts, RequestLanguage.Of(context));
        if (config is null)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        try
        {
            if (before is not null && !await KeepsAsync(before, config, store, providers, cards, cancellation))
            {
                return Problem.Of(SimProblems.InUse);
            }
        }
        catch (CarrierException e)
        {
            return Problem.Of(SimProblems.Carrier, ("fault", texts.Get("sim.fault." + e.Kind, RequestLanguage.Of(context))));
        }

        if (!await store.SaveConfigAsync(config, before?.Version ?? 0, cancellation))
        {
            await providers.LoadAsync(cancellation);
            return Problem.Of(CommonProblems.Conflict);
        }

        await providers.LoadAsync(cancellation);
        return Results.Ok(SimProviderView.Of(config, masked: false));
    }

    /// <summary>The SIMs that are off now have to be switched on where they were switched off: at the same carrier, in an account that has them.</summary>
    private static async Task<bool> KeepsAsync(SimConfig before, SimConfig next, SimStore store, SimProviders providers, SimCards cards, CancellationToken cancellation)
    {
        var off = await store.InForceOfFieldAsync(next.FieldId, cancellation);
        return off.Count == 0
            || ((before.Kind, before.BaseUrl) == (next.Kind, next.BaseUrl) && (cards.Card(off[0]) is not { } card || await providers.SeesAsync(next, card.Names.SimId, cancellation)));
    }

    private static async Task<IResult> DeleteAsync(string fieldId, SimStore store, SimProviders providers, CancellationToken cancellation)
    {
        if (await store.InForceOfFieldAsync(fieldId, cancellation) is { Count: > 0 })
        {
            return Problem.Of(SimProblems.InUse);
        }

        await store.DeleteConfigAsync(fieldId, cancellation);
        await providers.LoadAsync(cancellation);
        return Results.NoContent();
    }

    private static async Task<IResult> TestAsync(
        string fieldId, SimTestRequest request, HttpContext context, SimProviders providers, Texts texts, TimeProvider clock, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var name = request.Sim?.Read();
        if (request.Sim is not null && name is null)
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/sim", texts.Get("sim.invalid.name", language))]);
        }

        if (providers.Of(fieldId) is not { Provider: var provider })
        {
            return Problem.Of(SimProblems.NoProvider);
        }

        var begin = clock.GetTimestamp();
        long Took() => (long)clock.GetElapsedTime(begin).TotalMilliseconds;
        try
        {
            await provider.TryAsync(cancellation);
            if (name is null)
            {
                return Results.Ok(new SimTestResult(Works: true, null, null, null, null, Took()));
            }

            var found = await provider.FindAsync(name, cancellation) is { } simId ? await provider.StatusAsync(simId, cancellation) : null;
            return found is null
                ? Results.Ok(new SimTestResult(Works: false, "unknown", texts.Get("sim.fault.unknown", language), null, null, Took()))
                : Results.Ok(new SimTestResult(Works: true, null, null, null, found.State, Took()));
        }
        catch (CarrierException e)
        {
            return Results.Ok(new SimTestResult(Works: false, e.Kind, texts.Get("sim.fault." + e.Kind, language), e.Message, null, Took()));
        }
    }
}
