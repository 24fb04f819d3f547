using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Scripting;

namespace Sekisho.Response.Scripts;

/// <summary>Takes response scripts in, shows them and what they did.</summary>
internal static class ScriptRoutes
{
    private const int UsualRuns = 100;

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/response-scripts", async (HttpContext context, string fieldId, ScriptStore scripts, IFileSignatures signatures, CancellationToken cancellation) =>
                Results.Ok((await scripts.ListAsync(fieldId, cancellation)).Select(b => ScriptView.Of(b, signatures, RequestLanguage.Of(context))).ToList()))
            .WithName("ListResponseScripts").WithSummary("The field's response scripts: newest version, what is active and what is on trial.").WithTags("Response")
            .Produces<IReadOnlyList<ScriptView>>().Reads("responses");
        routes.Field.MapGet("/response-scripts/{name}", GetAsync)
            .WithName("GetResponseScript").WithSummary("One response script with all its versions, and what was decided about them by whom and why.").WithTags("Response")
            .Produces<ScriptDetailView>().ProducesProblem(StatusCodes.Status404NotFound).Reads("responses");
        routes.Field.MapGet("/response-scripts/{name}/versions/{version}", async (string fieldId, string name, int version, ScriptStore scripts, CancellationToken cancellation) =>
                (await scripts.BookAsync(fieldId, name, cancellation)).Find(version) is { } found ? Results.Ok(found) : Problem.Of(CommonProblems.NotFound))
            .WithName("GetResponseScriptVersion").WithSummary("The text of a version with its signature.").WithTags("Response")
            .Produces<ScriptVersion>().ProducesProblem(StatusCodes.Status404NotFound).Reads("responses");
        routes.Field.MapGet("/response-scripts/{name}/difference", DifferenceAsync)
            .WithName("CompareResponseScriptVersions").WithSummary("The lines that differ between two versions.").WithTags("Response")
            .Produces<IReadOnlyList<ComparedLine>>().ProducesProblem(StatusCodes.Status404NotFound).Reads("responses");
        routes.Field.MapGet("/response-scripts/{name}/runs", async (string fieldId, string name, int? version, int? limit, ScriptStore scripts, CancellationToken cancellation) =>
                Results.Ok(new Page<ScriptRunRecord>(await scripts.RunsAsync(fieldId, name, version, Paging.Limit(limit ?? UsualRuns), cancellation), null)))
            .WithName("ListResponseScriptRuns").WithSummary("The last runs on live detections, newest first: what was ordered, or on trial would have been, what was written down, what failed.").WithTags("Response")
            .Produces<Page<ScriptRunRecord>>().Reads("responses");
        routes.Field.MapPost("/response-scripts/{name}/versions", UploadAsync)
            .WithName("UploadResponseScript").WithSummary("Takes in a version of a response script; nothing of it runs until it is put in force.").WithTags("Response")
            .Produces<ScriptVersionView>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .Administers("responses", "response-script.upload");
    }

    private static async Task<IResult> GetAsync(HttpContext context, string fieldId, string name, ScriptStore scripts, IFileSignatures signatures, CancellationToken cancellation) =>
        await ScriptDetailView.OfAsync(fieldId, name, scripts, signatures, RequestLanguage.Of(context), cancellation) is { } script ? Results.Ok(script) : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> DifferenceAsync(string fieldId, string name, int from, int to, ScriptStore scripts, CancellationToken cancellation)
    {
        var book = await scripts.BookAsync(fieldId, name, cancellation);
        return book.Find(from) is { } older && book.Find(to) is { } newer ? Results.Ok(LineDifference.Of(older.Text, newer.Text)) : Problem.Of(CommonProblems.NotFound);
    }

    private static async Task<IResult> UploadAsync(
        HttpContext context, string fieldId, string name, UploadResponseScriptRequest request, ScriptStore scripts, IFileSignatures signatures, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        if (!ScriptName.IsGood(name))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("name", texts.Get("response-script.fault.name", language))]);
        }

        if (ScriptFaults.Body(request.Source ?? "", signatures, out var body, out var signer) is { } refused)
        {
            return refused;
        }

        var faults = ScriptFaults.Of(body, texts, language);
        if (request.Why is { } why && (why.Length > Leases.Lease.LongestReason || why.Any(char.IsControl)))
        {
            faults.Add(new Fault("/why", texts.Get("response.fault.reason", language, ("most", $"{Leases.Lease.LongestReason}"))));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        // What came unsigned is signed by the gateway for the person who brought it.
        var version = await scripts.AddAsync(
            fieldId, name, signer is null ? signatures.Sign(body) : request.Source!, signer ?? signatures.KeyId, request.Why, context.User.NameOf(), Correlation.Of(context), cancellation);
        return version is null
            ? Problem.Of(ResponseProblems.TooManyScripts, ("most", $"{ScriptStore.MostScripts}"), ("versions", $"{ScriptStore.MostVersions}"))
            : Results.Created((string?)null, ScriptVersionView.Of(version, await scripts.BookAsync(fieldId, name, cancellation), ran: false));
    }
}
