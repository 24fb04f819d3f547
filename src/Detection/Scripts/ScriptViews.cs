using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Scripts;

/// <summary>What is in force, and how it fares.</summary>
internal sealed record ScriptInForceView(int Version, string Effect, DateTimeOffset At, string By, string? Why, bool IsOff, long Faults, string? LastFault)
{
    public static ScriptInForceView Of(KeptScript kept) => new(
        kept.Change.Version, kept.Change.Effect, kept.Change.ArrivedAt, kept.Change.By, kept.Change.Reason, kept.Health.IsOff, kept.Health.Faults, kept.Health.LastFault);
}

/// <summary>A script in a list.</summary>
internal sealed record ScriptView(string ScriptId, string? Title, string? Kind, int NewestVersion, ScriptInForceView? InForce)
{
    public static ScriptView Of(string scriptId, ScriptVersion newest, KeptScript? inForce, string language)
    {
        // The signature line is no Lua; what is before it is.
        var mark = newest.Text.LastIndexOf("\n# sekisho-signature ", StringComparison.Ordinal);
        ScriptSource.Open(System.Text.Encoding.UTF8.GetBytes(mark < 0 ? newest.Text : newest.Text[..mark]), out var manifest, out _)?.Dispose();
        return new ScriptView(scriptId, manifest?.Title.In(language), manifest?.Kind, newest.Version, inForce is null ? null : ScriptInForceView.Of(inForce));
    }
}

/// <summary>A version without its text.</summary>
internal sealed record ScriptVersionView(int Version, DateTimeOffset At, string By, string? Why, string Signer, string Hash)
{
    public static ScriptVersionView Of(ScriptVersion version) => new(version.Version, version.At, version.By, version.Why, version.Signer, version.Hash);
}

/// <summary>A script was put in force or withdrawn, at a position of the journal.</summary>
internal sealed record ScriptTurnView(long Position, int Version, bool InForce, string Effect, DateTimeOffset At, string By, string? Why)
{
    public static ScriptTurnView Of(ScriptChangedEvent change) => new(change.Position, change.Version, change.InForce, change.Effect, change.ArrivedAt, change.By, change.Reason);
}

/// <summary>One script.</summary>
internal sealed record ScriptDetailView(ScriptView Script, IReadOnlyList<ScriptVersionView> Versions, IReadOnlyList<ScriptTurnView> Turns);

/// <summary>A finding of a trial.</summary>
internal sealed record TriedFindingView(DateTimeOffset At, string Device, string Finding, string Level, string Risk, double Measured, double? Expected, string Sentence);

/// <summary>What a trial gave.</summary>
internal sealed record TrialView(
    int Messages, long Calls, long Instructions, long MostInstructions, long Budget, double Microseconds, long Faults, string? LastFault, bool IsOff, bool IsCut, int Found, int Devices, IReadOnlyList<TriedFindingView> Findings)
{
    public static TrialView Of(TrialResult result, Sentences sentences, string language) => new(
        result.Messages, result.Calls, result.Instructions, result.MostInstructions, result.Budget, result.Microseconds, result.Faults, result.LastFault, result.IsOff, result.IsCut, result.Found, result.Devices,
        [.. result.Findings.Select(f => new TriedFindingView(f.RaisedAt, f.ScopeKey, f.Evidence.Metric, f.Level, f.Risk, f.Evidence.Measured, f.Evidence.ExpectedHigh, sentences.Of(f, language)))]);
}
