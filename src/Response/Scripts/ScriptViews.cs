using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Rules;

namespace Sekisho.Response.Scripts;

/// <summary>A version without its text.</summary>
/// <param name="Version">From 1.</param>
/// <param name="State">draft, trial, active or stopped.</param>
/// <param name="Tried">Whether it was played over past detections, ran on trial, or was active before: then it can be put in force.</param>
/// <param name="At">When it was taken in.</param>
/// <param name="By">Who brought it.</param>
/// <param name="Why">Why.</param>
/// <param name="Signer">Short name of the key that signed it.</param>
internal sealed record ScriptVersionView(int Version, string State, bool Tried, DateTimeOffset At, string By, string? Why, string Signer)
{
    public static ScriptVersionView Of(ScriptVersion version, ScriptBook book, bool ran) =>
        new(version.Version, book.StateOf(version.Version), ran || book.IsTried(version.Version), version.At, version.By, version.Why, version.Signer);
}

/// <summary>A script in a list.</summary>
/// <param name="Name">Its name, as rules give it.</param>
/// <param name="Title">Its title in the reader's language; null when its text cannot be read.</param>
/// <param name="NewestVersion">Its newest version.</param>
/// <param name="State">active when a version is, else trial when a version is, else the state of the newest one.</param>
/// <param name="Active">The version whose orders are followed.</param>
/// <param name="Trial">The version that only records what it would order.</param>
internal sealed record ScriptView(string Name, string? Title, int NewestVersion, string State, int? Active, int? Trial)
{
    public static ScriptView Of(ScriptBook book, IFileSignatures signatures, string language)
    {
        var shown = book.Usual!;
        signatures.Verify(shown.Text, out var body, out _);
        using var script = ResponseScript.Open(body, out _);
        var state = book.Active is not null ? ScriptStates.Active : book.Trial is not null ? ScriptStates.Trial : book.StateOf(book.Versions[0].Version);
        return new ScriptView(book.Name, script is null ? null : language == Texts.Languages[0] ? script.Ja : script.En, book.Versions[0].Version, state, book.Active?.Version, book.Trial?.Version);
    }
}

/// <summary>One script with its versions and what was decided about them, newest first.</summary>
internal sealed record ScriptDetailView(ScriptView Script, IReadOnlyList<ScriptVersionView> Versions, IReadOnlyList<ScriptTurn> Turns)
{
    /// <summary>The script as it stands; null when there is none of that name.</summary>
    public static async Task<ScriptDetailView?> OfAsync(string fieldId, string name, ScriptStore scripts, IFileSignatures signatures, string language, CancellationToken cancellation)
    {
        var book = await scripts.BookAsync(fieldId, name, cancellation);
        if (book.Versions.Count == 0)
        {
            return null;
        }

        var ran = await scripts.RanAsync(fieldId, name, cancellation);
        return new ScriptDetailView(ScriptView.Of(book, signatures, language), [.. book.Versions.Select(v => ScriptVersionView.Of(v, book, ran.Contains(v.Version)))], book.Turns);
    }
}

/// <summary>A script to take in.</summary>
/// <param name="Source">Lua; signed in its last line, or unsigned: then the gateway signs it for whoever brings it.</param>
/// <param name="Why">For people.</param>
internal sealed record UploadResponseScriptRequest(string? Source, string? Why);

/// <summary>What to play over past detections.</summary>
/// <param name="Version">A version; the newest when neither this nor a source is given.</param>
/// <param name="Source">A text that is not taken in yet.</param>
/// <param name="Days">Over so many past days, 1 to 92; 30 when absent.</param>
/// <param name="Risk">Only detections of this risk.</param>
/// <param name="Level">Only detections from this level on.</param>
/// <param name="Condition">Only detections of this condition key.</param>
internal sealed record TryResponseScriptRequest(int? Version, string? Source, int? Days, string? Risk, string? Level, string? Condition);

/// <summary>A version to put in force.</summary>
/// <param name="Version">Which; the newest when absent.</param>
/// <param name="State">"active" or "trial"; active when absent.</param>
/// <param name="Why">For people, 1 to 500 characters.</param>
/// <param name="WithoutTrial">Why it becomes active although it was never tried, 1 to 500 characters.</param>
internal sealed record ActivateResponseScriptRequest(int? Version, string? State, string? Why, string? WithoutTrial);

/// <summary>Stops a script.</summary>
/// <param name="Version">Only this version; whatever is active or on trial when absent.</param>
/// <param name="Reason">Why, 1 to 500 characters.</param>
internal sealed record StopResponseScriptRequest(int? Version, string? Reason);

/// <summary>What a dry run gave.</summary>
/// <param name="Version">The version; 0 for a text that is not taken in.</param>
/// <param name="Played">What it would have done.</param>
internal sealed record ScriptDryRunView(int Version, DryRunView Played);
