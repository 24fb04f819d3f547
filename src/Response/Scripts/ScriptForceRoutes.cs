using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;
using Sekisho.Response.Rules;

namespace Sekisho.Response.Scripts;

/// <summary>Tries response scripts on past detections, puts them in force and stops them.</summary>
internal static class ScriptForceRoutes
{
    private const int LongestCondition = 100;

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapPost("/response-scripts/{name}/dry-run", DryRunAsync)
            .WithName("TryResponseScript")
            .WithSummary("Plays a response script over the detections of past days: what it would have ordered, how much of it the guard would have held, what failed and what a run costs. Nothing is done; a version that ran counts as tried.")
            .WithTags("Response").Produces<ScriptDryRunView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .Administers("responses", "response-script.dry-run");
        routes.Field.MapPost("/response-scripts/{name}/activate", ActivateAsync)
            .WithName("ActivateResponseScript")
            .WithSummary("Puts a version in force (active), or has it only record what it would order (trial), wherever a rule runs the script. Active takes a dry run or trial of this very version before, or a reason why not.")
            .WithTags("Response").Produces<ScriptDetailView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity).Administers("responses", "response-script.activate");
        routes.Field.MapPost("/response-scripts/{name}/stop", StopAsync)
            .WithName("StopResponseScript").WithSummary("Stops the versions that are active or on trial; what they ordered stays, and the versions stay.").WithTags("Response")
            .Produces<ScriptDetailView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .Administers("responses", "response-script.stop");
    }

    private static async Task<IResult> DryRunAsync(
        HttpContext context, string fieldId, string name, TryResponseScriptRequest request, ScriptStore scripts, IFileSignatures signatures, DryRun dryRun, IFindings findings, Texts texts, TimeProvider clock,
        CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var book = await scripts.BookAsync(fieldId, name, cancellation);
        var version = request.Source is not null ? null : request.Version is { } wanted ? book.Find(wanted) : book.Newest;
        if (request.Source is null && version is null)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        // A trial of a text in hand asks for no signature: nothing of it stays.
        var verdict = signatures.Verify(version?.Text ?? request.Source!, out var body, out var signer);
        if (verdict is not (SignatureVerdict.Good or SignatureVerdict.NotSigned) && ScriptFaults.Body(version?.Text ?? request.Source!, signatures, out body, out signer) is { } refused)
        {
            return refused;
        }

        var faults = Faults(request, texts, language);
        using var play = new ScriptPlay();
        if (!play.Add(name, version?.Version ?? 0, body, out var wrong))
        {
            faults.AddRange(wrong.Select(w => new Fault(w.Place, w.In(texts, language))));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var rule = new ResponseBinding(request.Risk ?? "*", request.Level ?? Levels.All[0], RunScriptAction.ActionName, request.Condition, Approvals.Automatic) { Script = name };
        var past = await findings.SinceAsync(fieldId, clock.GetUtcNow().AddDays(-(request.Days ?? RuleRoutes.UsualDays)), DryRun.MostFindings + 1, cancellation);
        var played = dryRun.Of(past, [rule], fieldId, play, cancellation);
        if (version is not null && played.Scripts is [{ } run] && run.Calls > run.Faults)
        {
            await scripts.TurnAsync(
                fieldId, name, b => b.IsTried(version.Version) ? [] : [(version.Version, ScriptStates.Tried)], context.User.NameOf(), null, null, Correlation.Of(context), null, cancellation);
        }

        return Results.Ok(new ScriptDryRunView(version?.Version ?? 0, played));
    }

    private static async Task<IResult> ActivateAsync(
        HttpContext context, string fieldId, string name, ActivateResponseScriptRequest request, ScriptStore scripts, IFileSignatures signatures, Notices notices, QueueSignal signal, Texts texts,
        CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var state = request.State ?? ScriptStates.Active;
        var faults = new List<Fault>();
        var why = Reason("/why", request.Why, required: true, faults, texts, language);
        var withoutTrial = Reason("/withoutTrial", request.WithoutTrial, required: false, faults, texts, language);
        if (state is not (ScriptStates.Active or ScriptStates.Trial))
        {
            faults.Add(new Fault("/state", texts.Get("response.fault.one-of", language, ("allowed", $"{ScriptStates.Active}, {ScriptStates.Trial}"))));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var book = await scripts.BookAsync(fieldId, name, cancellation);
        if ((request.Version is { } wanted ? book.Find(wanted) : book.Newest) is not { } version)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        // Looked at again: a key may have been taken out of the settings, and another Sekisho may read scripts otherwise.
        if (ScriptFaults.Body(version.Text, signatures, out var body, out _) is { } refused)
        {
            return refused;
        }

        if (ScriptFaults.Of(body, texts, language) is { Count: > 0 } wrong)
        {
            return Problem.Of(CommonProblems.Invalid, wrong);
        }

        var tried = book.IsTried(version.Version) || (await scripts.RanAsync(fieldId, name, cancellation)).Contains(version.Version);
        if (state == ScriptStates.Active && !tried && withoutTrial is null)
        {
            return Problem.Of(ResponseProblems.Untried, ("version", $"{version.Version}"));
        }

        var (by, correlation) = (context.User.NameOf(), Correlation.Of(context));
        await scripts.TurnAsync(
            fieldId,
            name,
            b => b.StateOf(version.Version) == state ? [] : [.. Replaced(b, state, version.Version).Select(v => (v, ScriptStates.Stopped)), (version.Version, state)],
            by, why, tried ? null : withoutTrial, correlation,
            t => notices.Tell(
                fieldId, Changed(by, name, $"{version.Version}", state, tried || withoutTrial is null ? why! : $"{why} / {withoutTrial}"), $"{name} {version.Version} {state} {correlation}", Levels.Warning, null, correlation, t),
            cancellation);
        signal.Wake();
        return Results.Ok(await ScriptDetailView.OfAsync(fieldId, name, scripts, signatures, language, cancellation));
    }

    private static async Task<IResult> StopAsync(
        HttpContext context, string fieldId, string name, StopResponseScriptRequest request, ScriptStore scripts, IFileSignatures signatures, Notices notices, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        var why = Reason("/reason", request.Reason, required: true, faults, texts, language);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        if ((await scripts.BookAsync(fieldId, name, cancellation)).Versions.Count == 0)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var (by, correlation) = (context.User.NameOf(), Correlation.Of(context));
        var stopped = await scripts.TurnAsync(
            fieldId,
            name,
            b => [.. new[] { b.Active, b.Trial }.OfType<ScriptVersion>().Where(v => request.Version is null || request.Version == v.Version).Select(v => (v.Version, ScriptStates.Stopped))],
            by, why, null, correlation,
            t => notices.Tell(
                fieldId, Changed(by, name, request.Version is { } one ? $"{one}" : "*", ScriptStates.Stopped, why!), $"{name} {request.Version} {ScriptStates.Stopped} {correlation}", Levels.Warning, null, correlation, t),
            cancellation);
        return stopped ? Results.Ok(await ScriptDetailView.OfAsync(fieldId, name, scripts, signatures, language, cancellation)) : Problem.Of(ResponseProblems.ScriptNotInForce);
    }

    private static LeaseNotice Changed(string by, string name, string version, string state, string reason) =>
        new(Notices.Names.ScriptChanged, new Dictionary<string, string> { ["by"] = by, ["script"] = name, ["version"] = version, ["reason"] = reason })
        {
            Texts = new Dictionary<string, string> { ["state"] = "response.script-state." + state },
        };

    /// <summary>What stands where the version is going to stand: one version is active at a time, and one on trial. A version that goes from trial to active leaves nothing behind.</summary>
    private static IEnumerable<int> Replaced(ScriptBook book, string state, int version) =>
        (state == ScriptStates.Active ? book.Active : book.Trial) is { } present && present.Version != version ? [present.Version] : [];

    private static List<Fault> Faults(TryResponseScriptRequest request, Texts texts, string language)
    {
        var faults = new List<Fault>();
        if (request.Days is < 1 or > RuleRoutes.MostDays)
        {
            faults.Add(new Fault("/days", texts.Get("response.fault.days", language, ("most", $"{RuleRoutes.MostDays}"))));
        }

        OneOf("/risk", request.Risk, ["*", .. Risks.All]);
        OneOf("/level", request.Level, Levels.All);
        if (request.Condition is { } condition && (condition.Length is 0 or > LongestCondition || condition.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-')))
        {
            faults.Add(new Fault("/condition", texts.Get("response.fault.condition", language)));
        }

        return faults;

        void OneOf(string place, string? value, IReadOnlyList<string> allowed)
        {
            if (value is not null && !allowed.Contains(value))
            {
                faults.Add(new Fault(place, texts.Get("response.fault.one-of", language, ("allowed", string.Join(", ", allowed)))));
            }
        }
    }

    private static string? Reason(string place, string? given, bool required, List<Fault> faults, Texts texts, string language)
    {
        var reason = given?.Trim();
        if (reason is null ? required : reason.Length is 0 or > Lease.LongestReason || reason.Any(char.IsControl))
        {
            faults.Add(new Fault(place, texts.Get("response.fault.reason", language, ("most", $"{Lease.LongestReason}"))));
        }

        return reason;
    }
}
