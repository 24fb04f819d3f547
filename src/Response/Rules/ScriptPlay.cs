using Sekisho.Domain.Detection;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Rules;

/// <summary>What a script would have done about past detections.</summary>
/// <param name="Script">Its name.</param>
/// <param name="Version">The version that was played; 0 for a text that is not taken in.</param>
/// <param name="Calls">Detections that it was shown.</param>
/// <param name="Ordering">Of them, those about which it would have ordered something.</param>
/// <param name="Faults">Calls that failed.</param>
/// <param name="LastFault">Why the last of them did.</param>
/// <param name="Instructions">Instructions of a call, on average.</param>
/// <param name="MostInstructions">Of the most expensive one.</param>
/// <param name="Budget">Instructions that a call may use.</param>
/// <param name="Examples">The first detections about which it would have ordered something, or failed.</param>
internal sealed record ScriptPlayView(
    string Script, int Version, int Calls, int Ordering, int Faults, string? LastFault, long Instructions, long MostInstructions, long Budget, IReadOnlyList<ScriptPlayExample> Examples);

/// <summary>One detection.</summary>
/// <param name="Finding">Its identifier.</param>
/// <param name="At">When it was raised.</param>
/// <param name="Orders">What would have been ordered.</param>
/// <param name="Log">What the script wrote down.</param>
/// <param name="Fault">Why it failed; null when it did not.</param>
internal sealed record ScriptPlayExample(string Finding, DateTimeOffset At, IReadOnlyList<ScriptOrder> Orders, IReadOnlyList<string> Log, string? Fault);

/// <summary>Scripts that are played over past detections. One dry run.</summary>
internal sealed class ScriptPlay : IDisposable
{
    private const int MostExamples = 20;
    private readonly SortedDictionary<string, Played> _played = new(StringComparer.Ordinal);

    /// <summary>What was played.</summary>
    public IReadOnlyList<ScriptPlayView> Views => [.. _played.Select(p => p.Value.View(p.Key))];

    /// <summary>Opens the scripts that rules name, each in the version that is in force or else newest.</summary>
    public static async Task<ScriptPlay> OfAsync(IEnumerable<ResponseBinding> rules, string fieldId, ScriptStore store, IFileSignatures signatures, CancellationToken cancellation)
    {
        var play = new ScriptPlay();
        foreach (var name in rules.Select(r => r.Script).OfType<string>().Distinct())
        {
            if ((await store.BookAsync(fieldId, name, cancellation)).Usual is { } version && signatures.Verify(version.Text, out var body, out _) == SignatureVerdict.Good)
            {
                play.Add(name, version.Version, body, out _);
            }
        }

        return play;
    }

    /// <summary>Adds a script.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">Its version; 0 for none.</param>
    /// <param name="body">Its text without the signature.</param>
    /// <param name="faults">What is wrong with it; then it is not added.</param>
    public bool Add(string name, int version, string body, out IReadOnlyList<ScriptWrong> faults)
    {
        if (ResponseScript.Open(body, out faults) is not { } script)
        {
            return false;
        }

        _played.Add(name, new Played(version, script));
        return true;
    }

    /// <summary>Shows a detection to a script.</summary>
    /// <returns>What it orders.</returns>
    public IReadOnlyList<DueAction> Run(string name, Finding finding, ScriptSituation situation) => _played.TryGetValue(name, out var played) ? played.Run(name, finding, situation) : [];

    public void Dispose()
    {
        foreach (var played in _played.Values)
        {
            played.Dispose();
        }
    }

    private sealed class Played(int version, ResponseScript script) : IDisposable
    {
        private readonly List<ScriptPlayExample> _examples = [];
        private int _calls;
        private int _ordering;
        private int _faults;
        private string? _lastFault;
        private long _instructions;
        private long _most;

        public IReadOnlyList<DueAction> Run(string name, Finding finding, ScriptSituation situation)
        {
            var answer = script.Run(ScriptInput.Of(finding, situation));
            _calls++;
            _instructions += answer.Instructions;
            _most = Math.Max(_most, answer.Instructions);
            _ordering += answer.Orders.Count > 0 ? 1 : 0;
            _faults += answer.Fault is null ? 0 : 1;
            _lastFault = answer.Fault ?? _lastFault;
            if (_examples.Count < MostExamples && (answer.Fault is not null || answer.Orders.Count > 0))
            {
                _examples.Add(new ScriptPlayExample(finding.Id, finding.RaisedAt, [.. answer.Orders.Select(ScriptOrder.Of)], answer.Log, answer.Fault));
            }

            var owner = FormattableString.Invariant($"script {name} v{version}");
            return [.. answer.Orders.Select(o => o with { Owner = owner })];
        }

        public ScriptPlayView View(string name) => new(
            name, version, _calls, _ordering, _faults, _lastFault, _calls == 0 ? 0 : _instructions / _calls, _most, ResponseScript.Limits.Instructions, _examples);

        public void Dispose() => script.Dispose();
    }
}
