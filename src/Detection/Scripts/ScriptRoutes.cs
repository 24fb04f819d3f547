using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;
using Sekisho.Scripting;

namespace Sekisho.Detection.Scripts;

/// <summary>A script to take in.</summary>
/// <param name="Source">Lua; signed in its last line, or unsigned: then the gateway signs it for whoever brings it.</param>
/// <param name="Why">For people.</param>
internal sealed record UploadScriptRequest(string? Source, string? Why);

/// <summary>A version to put in force.</summary>
/// <param name="Version">Which; the newest when absent.</param>
/// <param name="Effect">One of suggest, shadow and act; act when absent.</param>
/// <param name="Why">For people.</param>
internal sealed record ActivateScriptRequest(int? Version, string? Effect, string? Why);

/// <summary>What to try, and on what.</summary>
/// <param name="Version">A version; or give a source.</param>
/// <param name="Source">A text that is not uploaded yet.</param>
/// <param name="Sample">Messages; or give a span of time.</param>
/// <param name="From">First arrival of kept messages.</param>
/// <param name="To">Behind the last; now when absent.</param>
internal sealed record TryScriptRequest(int? Version, string? Source, IReadOnlyList<SampleMessage>? Sample, DateTimeOffset? From, DateTimeOffset? To);

/// <summary>Brings detection scripts in, shows and tries them, and puts them in force.</summary>
internal static class ScriptRoutes
{
    private const int MostSample = 1000;
    private static readonly ProblemType Unsigned = new("script-unsigned", StatusCodes.Status422UnprocessableEntity);
    private static readonly ProblemType Tampered = new("script-tampered", StatusCodes.Status422UnprocessableEntity);
    private static readonly ProblemType UnknownSigner = new("script-unknown-signer", StatusCodes.Status422UnprocessableEntity);
    private static readonly ProblemType TooMany = new("script-too-many", StatusCodes.Status409Conflict);
    private static readonly ProblemType NothingBefore = new("script-nothing-before", StatusCodes.Status409Conflict);
    private static readonly ProblemType NotInForce = new("script-not-in-force", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/scripts", ListAsync)
            .WithName("ListScripts").WithSummary("The field's detection scripts: newest version, what is in force and how it fares.").WithTags("Detection")
            .Produces<IReadOnlyList<ScriptView>>().Reads("templates");
        routes.Field.MapGet("/scripts/{scriptId}", GetAsync)
            .WithName("GetScript").WithSummary("One script with all its versions, and when which was put in force by whom and why.").WithTags("Detection")
            .Produces<ScriptDetailView>().Reads("templates");
        routes.Field.MapGet("/scripts/{scriptId}/versions/{version}", VersionAsync)
            .WithName("GetScriptVersion").WithSummary("The text of a version with its signature.").WithTags("Detection")
            .Produces<ScriptVersion>().Reads("templates");
        routes.Field.MapGet("/scripts/{scriptId}/difference", DifferenceAsync)
            .WithName("CompareScriptVersions").WithSummary("The lines that differ between two versions.").WithTags("Detection")
            .Produces<IReadOnlyList<ComparedLine>>().Reads("templates");
        routes.Field.MapPost("/scripts/{scriptId}/versions", UploadAsync)
            .WithName("UploadScript").WithSummary("Takes in a version; nothing of it runs until it is put in force.").WithTags("Detection")
            .Produces<ScriptVersionView>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("templates", "script.upload");
        routes.Field.MapPost("/scripts/{scriptId}/trial", TryAsync)
            .WithName("TryScript").WithSummary("Runs a script over kept messages or a sample: what it would find and what it costs. Nothing is stored, nobody is told.").WithTags("Detection")
            .Produces<TrialView>().ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("templates", "script.try");
        routes.Field.MapPost("/scripts/{scriptId}/activate", ActivateAsync)
            .WithName("ActivateScript").WithSummary("Puts a version in force, from its place in the journal on.").WithTags("Detection")
            .Produces<ScriptTurnView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("templates", "script.activate");
        routes.Field.MapPost("/scripts/{scriptId}/roll-back", RollBackAsync)
            .WithName("RollBackScript").WithSummary("Puts the version in force that was before the present one.").WithTags("Detection")
            .Produces<ScriptTurnView>().ProducesProblem(StatusCodes.Status409Conflict).Administers("templates", "script.roll-back");
        routes.Field.MapPost("/scripts/{scriptId}/withdraw", WithdrawAsync)
            .WithName("WithdrawScript").WithSummary("Takes the script out of force; its versions stay.").WithTags("Detection")
            .Produces<ScriptTurnView>().ProducesProblem(StatusCodes.Status409Conflict).Administers("templates", "script.withdraw");
    }

    private static async Task<IResult> ListAsync(string fieldId, ScriptStore store, ScriptTable table, HttpContext context, CancellationToken cancellation)
    {
        var inForce = await table.ListAsync(fieldId, cancellation).ConfigureAwait(false);
        var versions = await store.ListAsync(fieldId, null, cancellation).ConfigureAwait(false);
        return Results.Ok(versions.GroupBy(v => v.ScriptId).Select(g => ScriptView.Of(g.Key, g.First().Version, inForce.FirstOrDefault(s => s.Change.ScriptId == g.Key), RequestLanguage.Of(context))).ToList());
    }

    private static async Task<IResult> GetAsync(string fieldId, string scriptId, ScriptStore store, ScriptTable table, HttpContext context, CancellationToken cancellation)
    {
        var versions = await store.ListAsync(fieldId, scriptId, cancellation).ConfigureAwait(false);
        if (versions.Count == 0)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var inForce = (await table.ListAsync(fieldId, cancellation).ConfigureAwait(false)).FirstOrDefault(s => s.Change.ScriptId == scriptId);
        var turns = await table.TurnsAsync(fieldId, scriptId, cancellation).ConfigureAwait(false);
        return Results.Ok(new ScriptDetailView(
            ScriptView.Of(scriptId, versions[0].Version, inForce, RequestLanguage.Of(context)), [.. versions.Select(v => ScriptVersionView.Of(v.Version))], [.. turns.Select(ScriptTurnView.Of)]));
    }

    private static async Task<IResult> VersionAsync(string fieldId, string scriptId, int version, ScriptStore store, CancellationToken cancellation) =>
        await store.FindAsync(fieldId, scriptId, version, cancellation).ConfigureAwait(false) is { } found ? Results.Ok(found) : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> DifferenceAsync(string fieldId, string scriptId, int from, int to, ScriptStore store, CancellationToken cancellation)
    {
        var (older, newer) = (await store.FindAsync(fieldId, scriptId, from, cancellation).ConfigureAwait(false), await store.FindAsync(fieldId, scriptId, to, cancellation).ConfigureAwait(false));
        return older is null || newer is null ? Problem.Of(CommonProblems.NotFound) : Results.Ok(LineDifference.Of(older.Text, newer.Text));
    }

    private static async Task<IResult> UploadAsync(
        string fieldId, string scriptId, UploadScriptRequest request, ScriptStore store, TemplateSigner signer, ScriptSettings settings, Texts texts, HttpContext context)
    {
        var language = RequestLanguage.Of(context);
        if (!ScriptName.IsGood(scriptId))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("scriptId", texts.Get("script.fault.name", language))]);
        }

        if (Body(request.Source, signer, settings, out var body, out var by) is { } refused)
        {
            return refused;
        }

        if (Faults(body, texts, language) is { Count: > 0 } faults)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        // What came unsigned is signed by the gateway for the person who brought it, so that a change behind the gateway's back is noticed.
        var text = by is null ? signer.Sign(body) : request.Source!;
        var version = await store.AddAsync(fieldId, scriptId, text, by ?? signer.KeyId, Cut(request.Why), context.User.NameOf(), Correlation.Of(context)).ConfigureAwait(false);
        return Results.Created((string?)null, ScriptVersionView.Of(version));
    }

    private static async Task<IResult> TryAsync(
        string fieldId, string scriptId, TryScriptRequest request, ScriptStore store, ScriptTrial trial, TemplateSigner signer, Sentences sentences, TimeProvider time, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var source = request.Source;
        if (request.Version is { } wanted)
        {
            if (await store.FindAsync(fieldId, scriptId, wanted, cancellation).ConfigureAwait(false) is not { } version)
            {
                return Problem.Of(CommonProblems.NotFound);
            }

            source = version.Text;
        }

        // A trial of a text in hand asks for no signature: nothing of it stays.
        if (source is not null && signer.Verify(source, out var body, out _) is SignatureVerdict.Good or SignatureVerdict.NotSigned)
        {
            source = body;
        }

        if (Faults(source ?? "", texts, language) is { Count: > 0 } faults)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        if (request.Sample?.Count > MostSample || (request.Sample is null) == (request.From is null) || request.From >= (request.To ?? time.GetUtcNow()))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/sample", texts.Get("script.fault.trial", language, ("most", MostSample.ToString(CultureInfo.InvariantCulture))))]);
        }

        var result = request.Sample is { } sample
            ? await trial.TryAsync(fieldId, scriptId, source!, sample, cancellation).ConfigureAwait(false)
            : await trial.TryAsync(fieldId, scriptId, source!, request.From!.Value, request.To ?? time.GetUtcNow(), cancellation).ConfigureAwait(false);
        return Results.Ok(TrialView.Of(result, sentences, language));
    }

    private static async Task<IResult> ActivateAsync(
        string fieldId, string scriptId, ActivateScriptRequest request, ScriptStore store, ScriptTable table, TemplateSigner signer, ScriptSettings settings, IEventJournal journal, TimeProvider time, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        if (request.Effect is { } effect && !Effects.All.Contains(effect))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/effect", texts.Get("script.fault.one-of", RequestLanguage.Of(context), ("allowed", string.Join(", ", Effects.All))))]);
        }

        var versions = await store.ListAsync(fieldId, scriptId, cancellation).ConfigureAwait(false);
        return versions.Select(v => v.Version).FirstOrDefault(v => request.Version is null || v.Version == request.Version) is { } version
            ? await PutAsync(fieldId, scriptId, version, request.Effect ?? Effects.Act, request.Why, table, signer, settings, journal, time, texts, context, cancellation).ConfigureAwait(false)
            : Problem.Of(CommonProblems.NotFound);
    }

    private static async Task<IResult> RollBackAsync(
        string fieldId, string scriptId, ReasonRequest request, ScriptStore store, ScriptTable table, TemplateSigner signer, ScriptSettings settings, IEventJournal journal, TimeProvider time, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        var turns = await table.TurnsAsync(fieldId, scriptId, cancellation).ConfigureAwait(false);
        var present = turns.Count > 0 && turns[0].InForce ? turns[0].Version : 0;
        if (turns.FirstOrDefault(t => t.InForce && t.Version != present) is not { } before || await store.FindAsync(fieldId, scriptId, before.Version, cancellation).ConfigureAwait(false) is not { } version)
        {
            return Problem.Of(NothingBefore);
        }

        return await PutAsync(fieldId, scriptId, version, before.Effect, request.Reason, table, signer, settings, journal, time, texts, context, cancellation).ConfigureAwait(false);
    }

    private static async Task<IResult> WithdrawAsync(string fieldId, string scriptId, ReasonRequest request, ScriptTable table, IEventJournal journal, TimeProvider time, HttpContext context, CancellationToken cancellation)
    {
        if ((await table.ListAsync(fieldId, cancellation).ConfigureAwait(false)).FirstOrDefault(s => s.Change.ScriptId == scriptId) is not { } present)
        {
            return Problem.Of(NotInForce);
        }

        var change = Change(fieldId, scriptId, present.Change.Version, present.Change.Effect, request.Reason, time, context) with { InForce = false };
        return Results.Ok(ScriptTurnView.Of(change with { Position = await journal.AppendAsync([change], cancellation).ConfigureAwait(false) }));
    }

    private static async Task<IResult> PutAsync(
        string fieldId, string scriptId, ScriptVersion version, string effect, string? why, ScriptTable table, TemplateSigner signer, ScriptSettings settings, IEventJournal journal, TimeProvider time, Texts texts, HttpContext context, CancellationToken cancellation)
    {
        // Looked at again: a key may have been taken out of the settings, and another Sekisho may read scripts otherwise.
        if (Body(version.Text, signer, settings, out var body, out _) is { } refused)
        {
            return refused;
        }

        if (Faults(body, texts, RequestLanguage.Of(context)) is { Count: > 0 } faults)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var others = (await table.ListAsync(fieldId, cancellation).ConfigureAwait(false)).Count(s => s.Change.ScriptId != scriptId);
        if (others >= ScriptBook.MostOfField)
        {
            return Problem.Of(TooMany, ("most", ScriptBook.MostOfField.ToString(CultureInfo.InvariantCulture)));
        }

        var change = Change(fieldId, scriptId, version.Version, effect, why, time, context) with { Source = Encoding.UTF8.GetBytes(body) };
        return Results.Ok(ScriptTurnView.Of(change with { Position = await journal.AppendAsync([change], cancellation).ConfigureAwait(false) }));
    }

    private static ScriptChangedEvent Change(string fieldId, string scriptId, int version, string effect, string? why, TimeProvider time, HttpContext context) => new()
    {
        ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()),
        CorrelationId = Correlation.Of(context),
        FieldId = fieldId,
        ScriptId = scriptId,
        Version = version,
        InForce = true,
        Effect = effect,
        By = context.User.NameOf(),
        Reason = Cut(why),
    };

    /// <summary>The text without its signature, and whose that is.</summary>
    /// <returns>Why it is not taken; null when it is.</returns>
    private static Problem? Body(string? source, TemplateSigner signer, ScriptSettings settings, out string body, out string? by)
    {
        var verdict = signer.Verify(source ?? "", out body, out by);
        return verdict switch
        {
            SignatureVerdict.Tampered => Problem.Of(Tampered),
            SignatureVerdict.UnknownSigner => Problem.Of(UnknownSigner, ("key", by!)),
            SignatureVerdict.NotSigned when settings.RequireSignature => Problem.Of(Unsigned),
            _ => null,
        };
    }

    private static List<Fault> Faults(string source, Texts texts, string language)
    {
        ScriptSource.Open(Encoding.UTF8.GetBytes(source), out _, out var faults)?.Dispose();
        return [.. faults.Select(f => new Fault(f.Place, texts.Get("script.fault." + f.Key, language, f.Values)))];
    }

    private static string? Cut(string? why) => why is { Length: > 500 } ? why[..500] : why;
}
