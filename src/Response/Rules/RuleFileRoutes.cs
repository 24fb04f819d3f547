using System.Text;
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
using Sekisho.Scripting;
using Sekisho.Storage;

namespace Sekisho.Response.Rules;

/// <summary>What came of an import.</summary>
/// <param name="Rules">The rules that are in force now.</param>
/// <param name="Scripts">The scripts of the file.</param>
internal sealed record RuleImportView(RulesView Rules, IReadOnlyList<ImportedScript> Scripts);

/// <summary>A script of an imported file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version here.</param>
/// <param name="State">Where it stands: a draft has to be tried and put in force by a person.</param>
internal sealed record ImportedScript(string Name, int Version, string State);

/// <summary>Rules and scripts of a field as a signed file, out and in.</summary>
internal static class RuleFileRoutes
{
    // Clocks of two gateways may differ; a file from the far future would keep every later one out.
    private static readonly TimeSpan MostAhead = TimeSpan.FromDays(1);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/response-rules/export", ExportAsync)
            .WithName("ExportResponseRules").WithSummary("The rules in force and the field's response scripts as one file, signed by this gateway.").WithTags("Response")
            .Produces(StatusCodes.Status200OK, contentType: "text/plain").ProducesProblem(StatusCodes.Status409Conflict).Reads("responses");
        routes.Field.MapPost("/response-rules/import", ImportAsync)
            .WithName("ImportResponseRules")
            .WithSummary("Takes in a signed file (the body): its rules are in force with the next detection, its scripts are drafts until they are tried and put in force. Altered files, unknown signers and files older than one that was imported are refused.")
            .WithTags("Response").Accepts<string>("text/plain", "application/json")
            .Produces<RuleImportView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .Administers("responses", "response.rules-import");
    }

    private static async Task<IResult> ExportAsync(string fieldId, ResponseRules rules, ScriptStore scripts, IFileSignatures signatures, Databases databases, TimeProvider clock, CancellationToken cancellation)
    {
        var own = await databases.State.ReadAsync(c => Task.FromResult(rules.Own(fieldId, c, null)), cancellation);
        if (own is { IsReadable: false })
        {
            return Problem.Of(ResponseProblems.RulesUnreadable);
        }

        var books = await scripts.ListAsync(fieldId, cancellation);
        var file = new RuleFile(
            RuleFile.KindName,
            1,
            fieldId,
            DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds()),
            [.. (own?.Rules ?? rules.OfTemplate(fieldId)).Select(r => new RuleRequest(r.Risk, r.MinimumLevel, r.Action, r.Condition, r.Threat, r.Approval, (long)r.After.TotalSeconds, r.Script))],
            [.. books.Where(b => b.Usual is not null).Select(b => new RuleFileScript(b.Name, b.Usual!.Version, b.Usual!.Text))]);
        return Results.File(Encoding.UTF8.GetBytes(signatures.Sign(file.Write())), "text/plain; charset=utf-8", $"response-rules-{fieldId}.txt");
    }

    private static async Task<IResult> ImportAsync(
        HttpContext context, string fieldId, string? reason, RuleStore store, ScriptStore scripts, ResponseRules rules, LeaseOrders orders, IFileSignatures signatures, Notices notices, QueueSignal signal,
        Texts texts, TimeProvider clock, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var (text, refused) = await TextAsync(context, texts, language, cancellation);
        if (text is null)
        {
            return refused!;
        }

        var verdict = signatures.Verify(text, out var body, out var signer);
        if (Refusal(verdict, signer) is { } untrusted)
        {
            return untrusted;
        }

        var why = reason?.Trim() ?? "";
        var faults = new List<Fault>();
        if (why.Length is 0 or > Lease.LongestReason || why.Any(char.IsControl))
        {
            faults.Add(new Fault("reason", texts.Get("response.fault.reason", language, ("most", $"{Lease.LongestReason}"))));
        }

        if (RuleFile.Read(body, out var place) is not { } file)
        {
            return Problem.Of(CommonProblems.Invalid, [.. faults, new Fault(place!, texts.Get("response-script.fault.file", language))]);
        }

        var (read, taken) = Check(file, orders, await scripts.NamesAsync(fieldId, cancellation), signatures, clock, texts, language, faults);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var revisions = await store.ListAsync(fieldId, cancellation);
        if (revisions.FirstOrDefault(r => r.Signer == signer && r.Origin is { } o && o.Field == file.Field && o.SignedAt >= file.SignedAt) is { } newer)
        {
            return Problem.Of(ResponseProblems.Older, ("revision", $"{newer.Revision}"), ("at", $"{newer.Origin!.SignedAt:u}"));
        }

        if (!await scripts.HasRoomAsync(fieldId, [.. taken.Select(s => (s.Name, s.Text))], cancellation))
        {
            return Problem.Of(ResponseProblems.TooManyScripts, ("most", $"{ScriptStore.MostScripts}"), ("versions", $"{ScriptStore.MostVersions}"));
        }

        var by = context.User.NameOf();
        var correlation = Correlation.Of(context);
        var versions = new List<(string Name, int Version)>();
        var revision = await store.AddAsync(
            fieldId, read, by, why, signer!, new RuleOrigin(file.Field!, file.SignedAt!.Value),
            (r, t) =>
            {
                foreach (var (name, script, own) in taken)
                {
                    // There was room a moment ago; when somebody else took it meanwhile, nothing of the file is kept.
                    var version = scripts.Add(fieldId, name, script, own ?? signer!, why, by, correlation, t) ?? throw new InvalidOperationException("There is no room for the scripts of the file any more.");
                    versions.Add((name, version.Version));
                }

                notices.Tell(fieldId, Notices.Names.RulesChanged, $"{r.Revision}", Levels.Warning, null, correlation, t, ("by", by), ("reason", why), ("revision", $"{r.Revision}"));
            },
            cancellation);
        rules.Changed(fieldId, revision);
        signal.Wake();
        var imported = new List<ImportedScript>();
        foreach (var (name, version) in versions)
        {
            imported.Add(new ImportedScript(name, version, (await scripts.BookAsync(fieldId, name, cancellation)).StateOf(version)));
        }

        return Results.Ok(new RuleImportView(RulesView.Of(revision, rules.OfTemplate(fieldId)), imported));
    }

    private static Problem? Refusal(SignatureVerdict verdict, string? signer) => verdict switch
    {
        SignatureVerdict.NotSigned => Problem.Of(ResponseProblems.Unsigned),
        SignatureVerdict.Tampered => Problem.Of(ResponseProblems.Tampered),
        SignatureVerdict.UnknownSigner => Problem.Of(ResponseProblems.UnknownSigner, ("key", signer!)),
        _ => null,
    };

    private static (IReadOnlyList<ResponseBinding> Rules, IReadOnlyList<(string Name, string Text, string? Signer)> Scripts) Check(
        RuleFile file, LeaseOrders orders, IReadOnlyList<string> present, IFileSignatures signatures, TimeProvider clock, Texts texts, string language, List<Fault> faults)
    {
        if (file.Kind != RuleFile.KindName || file.Format != 1 || file.Rules is null || file.Field is not { Length: > 0 and <= 40 })
        {
            faults.Add(new Fault("$", texts.Get("response-script.fault.file", language)));
        }

        if (file.SignedAt is null || file.SignedAt > clock.GetUtcNow() + MostAhead)
        {
            faults.Add(new Fault("/signedAt", texts.Get("response-script.fault.signed-at", language)));
        }

        var scripts = new List<(string Name, string Text, string? Signer)>();
        foreach (var (script, i) in (file.Scripts ?? []).Select((s, i) => (s, i)))
        {
            if (!ScriptName.IsGood(script?.Name) || script!.Text is null || scripts.Exists(s => s.Name == script.Name))
            {
                faults.Add(new Fault($"/scripts/{i}/name", texts.Get("response-script.fault.name", language)));
                continue;
            }

            var verdict = signatures.Verify(script.Text, out var body, out var signer);
            if (verdict is SignatureVerdict.Tampered or SignatureVerdict.UnknownSigner)
            {
                faults.Add(new Fault($"/scripts/{i}/text", texts.Get("response-script.fault.signature", language, ("key", signer ?? "-"))));
                continue;
            }

            ResponseScript.Open(body, out var wrong)?.Dispose();
            faults.AddRange(wrong.Select(w => new Fault($"/scripts/{i}{w.Place}", w.In(texts, language))));
            scripts.Add((script.Name!, verdict == SignatureVerdict.Good ? script.Text : signatures.Sign(body), signer));
        }

        var (rules, more) = RuleRequest.Read(file.Rules ?? [], orders.Actions, [.. present, .. scripts.Select(s => s.Name)], texts, language);
        faults.AddRange(more);
        return (rules, scripts);
    }

    private static async Task<(string? Text, IResult? Refused)> TextAsync(HttpContext context, Texts texts, string language, CancellationToken cancellation)
    {
        using var all = new MemoryStream();
        var piece = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(piece, cancellation) is > 0 and var count)
        {
            if (all.Length + count > RuleFile.MostBytes)
            {
                return (null, Problem.Of(CommonProblems.BodyTooLarge));
            }

            all.Write(piece, 0, count);
        }

        try
        {
            return (new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(all.ToArray()), null);
        }
        catch (DecoderFallbackException)
        {
            return (null, Problem.Of(CommonProblems.Invalid, [new Fault("$", texts.Get("response-script.fault.file", language))]));
        }
    }
}
