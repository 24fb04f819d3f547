using System.Globalization;
using System.Text;
using System.Text.Json;
using Sekisho.Domain.Localization;
using Sekisho.Response.Policies;
using Sekisho.Scripting;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>Something wrong with a script.</summary>
/// <param name="Place">JSON pointer into what the script returns; "/source" for the text itself.</param>
/// <param name="Key">Text that says what is wrong: response-script.fault.KEY.</param>
/// <param name="Values">Values of the text.</param>
internal sealed record ScriptWrong(string Place, string Key, params (string Name, string Value)[] Values)
{
    /// <summary>The sentence.</summary>
    public string In(Texts texts, string language) => texts.Get("response-script.fault." + Key, language, Values);
}

/// <summary>What one run gave.</summary>
/// <param name="Orders">What is to be done; empty after a fault.</param>
/// <param name="Log">What it wrote down for people.</param>
/// <param name="Fault">Why it failed; null when it did not.</param>
/// <param name="Instructions">Instructions that it used.</param>
internal sealed record ScriptAnswer(IReadOnlyList<DueAction> Orders, IReadOnlyList<string> Log, string? Fault, long Instructions);

/// <summary>
/// A response script that was opened. Each run starts from the beginning in a fresh environment, within its budget, so what it orders depends on the
/// detection it is given alone. One thread at a time.
/// </summary>
internal sealed class ResponseScript : IDisposable
{
    /// <summary>Budgets of a run.</summary>
    public static readonly SandboxLimits Limits = SandboxLimits.Response;

    private const string Chunk = "script";
    private const string Function = "respond";
    private const int LongestTitle = 300;
    private static readonly IReadOnlyList<HostLibrary> Libraries = [new HostLibrary("log", ["write"])];

    private readonly Sandbox _sandbox;

    private ResponseScript(Sandbox sandbox, string ja, string en) => (_sandbox, Ja, En) = (sandbox, ja, en);

    /// <summary>Its title in Japanese.</summary>
    public string Ja { get; }

    /// <summary>Its title in English.</summary>
    public string En { get; }

    /// <summary>Opens the text of a script, without its signature.</summary>
    /// <param name="source">Lua.</param>
    /// <param name="faults">What is wrong, all at once; empty when nothing is.</param>
    /// <returns>The script; null when something is wrong.</returns>
    public static ResponseScript? Open(string source, out IReadOnlyList<ScriptWrong> faults)
    {
        var bytes = Encoding.UTF8.GetBytes(source);
        var sandbox = Sandbox.Open(bytes, Chunk, Limits, Libraries, out var fault);
        if (sandbox is null)
        {
            faults = [Wrong(fault!, bytes)];
            return null;
        }

        var run = sandbox.Describe();
        if (run.Fault is null && Read(run.Result, out faults) is { } title)
        {
            return new ResponseScript(sandbox, title.Ja, title.En);
        }

        faults = run.Fault is { } wrong ? [Wrong(wrong, bytes)] : Faults(run.Result);
        sandbox.Dispose();
        return null;
    }

    /// <summary>Shows it a detection.</summary>
    /// <param name="detection">As <see cref="ScriptInput"/> writes it.</param>
    public ScriptAnswer Run(ReadOnlyMemory<byte> detection)
    {
        var log = new ScriptLog();
        ScriptRun run;
        try
        {
            run = _sandbox.CallWith(Function, log, detection);
        }
        catch (JsonException)
        {
            // A lone surrogate in a name or a fact: the detection's doing, seen as a fault of this run alone.
            return new ScriptAnswer([], [], "the detection cannot be given to a script", 0);
        }

        if (run.Fault is { } fault)
        {
            return new ScriptAnswer([], log.Lines, fault.Message, run.Instructions);
        }

        var orders = new List<DueAction>();
        var wrong = ScriptOrders.Read(run.Result, orders);
        return new ScriptAnswer(wrong is null ? orders : [], log.Lines, wrong, run.Instructions);
    }

    public void Dispose() => _sandbox.Dispose();

    private static (string Ja, string En)? Read(ReadOnlyMemory<byte> described, out IReadOnlyList<ScriptWrong> faults)
    {
        faults = Faults(described);
        if (faults.Count > 0)
        {
            return null;
        }

        using var document = JsonDocument.Parse(described);
        var title = document.RootElement[0].GetProperty("manifest").GetProperty("title");
        return (title.GetProperty("ja").GetString()!, title.GetProperty("en").GetString()!);
    }

    private static List<ScriptWrong> Faults(ReadOnlyMemory<byte> described)
    {
        using var document = JsonDocument.Parse(described);
        var script = document.RootElement.GetArrayLength() > 0 ? document.RootElement[0] : default;
        if (script.ValueKind != JsonValueKind.Object || !script.TryGetProperty("manifest", out var manifest) || manifest.ValueKind != JsonValueKind.Object)
        {
            return [new ScriptWrong("/manifest", "no-manifest")];
        }

        var faults = manifest.EnumerateObject().Where(p => p.Name != "title").Select(p => new ScriptWrong("/manifest/" + p.Name, "unknown", ("allowed", "title"))).ToList();
        if (!script.TryGetProperty(Function, out var function) || function.ValueKind != JsonValueKind.String || function.GetString() != "function")
        {
            faults.Add(new ScriptWrong("/" + Function, "no-function", ("name", Function)));
        }

        var title = manifest.TryGetProperty("title", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        foreach (var language in Texts.Languages)
        {
            var text = title.ValueKind == JsonValueKind.Object && title.TryGetProperty(language, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            if (text.Length is 0 or > LongestTitle || text.Any(char.IsControl))
            {
                faults.Add(new ScriptWrong("/manifest/title/" + language, "text", ("most", LongestTitle.ToString(CultureInfo.InvariantCulture))));
            }
        }

        return faults;
    }

    private static ScriptWrong Wrong(ScriptFault fault, ReadOnlySpan<byte> source)
    {
        var (line, column, message) = FaultPlace.Of(fault.Message, Chunk, source);
        return fault.Kind is FaultKind.Instructions or FaultKind.Time or FaultKind.Memory ? new ScriptWrong("/source", "budget", ("message", message))
            : line == 0 ? new ScriptWrong("/source", "lua", ("message", message))
            : new ScriptWrong(
                string.Create(CultureInfo.InvariantCulture, $"/source line {line} column {column}"),
                "lua-at",
                ("line", line.ToString(CultureInfo.InvariantCulture)),
                ("column", column.ToString(CultureInfo.InvariantCulture)),
                ("message", message));
    }
}
