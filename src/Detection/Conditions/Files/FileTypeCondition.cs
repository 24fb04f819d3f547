using System.Collections.Frozen;
using System.Text.Json;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Files;

/// <summary>
/// Files that a device should not send, by their names (a text, or an array of texts, at a pointer) and by the beginning of the content where the
/// message carries it. What is denied stays denied where it is allowed as well; an empty list of allowed extensions allows all that is
/// not denied.
/// <code>
/// cell 0  stage of the last violation
/// </code>
/// </summary>
internal sealed class FileTypeCondition(string pointer, string content, IReadOnlyList<string> allowed, IReadOnlyList<string> denied) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "file-type",
        [Scopes.Device],
        TakesMode: false,
        [
            new ParameterSpec("pointer", ParameterType.Pointer, 0, 0),
            new ParameterSpec("content", ParameterType.Pointer, 0, 0, ParameterValue.Of("")),
            new ParameterSpec("allowed", ParameterType.Texts, 0, 64, ParameterValue.Of([])),
            new ParameterSpec("denied", ParameterType.Texts, 0, 64, ParameterValue.Of(Programs)),
        ],
        input => new FileTypeCondition(input.Text("pointer"), input.Text("content"), input.List("allowed"), input.List("denied")))
    {
        Stages = ["not-allowed", "denied", "disguised", "contradiction"],
    };

    private const int NotAllowedStage = 0;
    private const int DeniedStage = 1;
    private const int DisguisedStage = 2;
    private const int ContradictionStage = 3;

    private readonly JsonPointerReader _names = new(pointer);
    private readonly JsonPointerReader? _content = content.Length == 0 ? null : new JsonPointerReader(content);
    private readonly FrozenSet<UInt128> _allowed = allowed.Select(FileName.Packed).ToFrozenSet();
    private readonly FrozenSet<UInt128> _denied = denied.Select(FileName.Packed).ToFrozenSet();

    public int Cells => 1;

    /// <summary>An hour: a file sent later is a matter of its own.</summary>
    public long QuietAfter => 3_600_000;

    // What runs when somebody opens it.
    private static IReadOnlyList<string> Programs =>
    [
        "apk", "app", "bat", "bin", "cmd", "com", "cpl", "dll", "dmg", "elf", "exe", "hta", "jar", "js", "jse", "lnk", "msi", "php", "ps1", "py", "scr", "sh", "vbe", "vbs", "wsf",
    ];

    // What people open without a thought, and what is no program and no archive inside.
    private static readonly FrozenSet<UInt128> Harmless = new[]
    {
        "avi", "bmp", "csv", "gif", "heic", "jpeg", "jpg", "json", "mov", "mp3", "mp4", "pdf", "png", "tif", "tiff", "txt", "wav", "webp", "xml",
    }.Select(FileName.Packed).ToFrozenSet();

    // The same, and documents that are archives inside.
    private static readonly FrozenSet<UInt128> Cloaks = Harmless.Concat(new[] { "doc", "docx", "ppt", "pptx", "xls", "xlsx" }.Select(FileName.Packed)).ToFrozenSet();

    private static readonly FrozenSet<UInt128> Runs = Programs.Select(FileName.Packed).ToFrozenSet();

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || !Look(signal, out var seen))
        {
            return Verdict.None;
        }

        if (seen.Stage < 0)
        {
            return Verdict.Calm;
        }

        state[0] = seen.Stage;
        return Verdict.Violation;
    }

    public int Stage(ReadOnlySpan<long> state) => (int)state[0];

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        Look(signal, out var seen);
        var extension = FileName.Text(seen.Extension);
        return new Evidence
        {
            Metric = "file-type",
            Unit = "count",
            Measured = 1,
            ExpectedHigh = 0,
            Origin = "template",
            Events = [signal.Position],
            Counterfactual = seen.Stage == NotAllowedStage ? new Counterfactual("allowed", "includes", 0, "") : new Counterfactual("denied", "excludes", 0, ""),
            Claim = extension,
            Facts = new Dictionary<string, string> { ["extension"] = extension, ["pointer"] = pointer, ["begins"] = FileContents.Name(seen.Content) },
        };
    }

    /// <summary>Looks at all names and the content.</summary>
    /// <returns>False when the message carries no file.</returns>
    private bool Look(in Signal signal, out Seen seen)
    {
        seen = new Seen(-1, FileName.None, FileContent.Unknown);
        var names = 0;
        if (_names.TryFind(signal, out var value, out var kind) && kind is JsonTokenType.String or JsonTokenType.StartArray)
        {
            var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = JsonPointerReader.Deepest });
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.String && reader.CurrentDepth <= 1 && reader.ValueSpan.Length > 0)
                {
                    names++;
                    var one = Judge(reader.ValueSpan);
                    seen = names == 1 || one.Stage > seen.Stage ? one : seen;
                }
            }
        }

        return (_content is not null && names <= 1 && Contradicts(signal, names == 1, ref seen)) || names > 0;
    }

    private Seen Judge(ReadOnlySpan<byte> raw)
    {
        Span<byte> room = stackalloc byte[FileName.MostBytes];
        var written = JsonText.Unescape(raw.Length > room.Length ? raw[^room.Length..] : raw, room);
        var name = FileName.Of(room[..written]);
        var isDenied = _denied.Contains(name.Extension);
        var isAllowed = _allowed.Count == 0 || _allowed.Contains(name.Extension);
        var isDisguised = name.IsReversed || ((isDenied || (!isAllowed && Runs.Contains(name.Extension))) && Cloaks.Contains(name.Before));
        return new Seen(isDisguised ? DisguisedStage : isDenied ? DeniedStage : isAllowed ? -1 : NotAllowedStage, name.Extension, FileContent.Unknown);
    }

    private bool Contradicts(in Signal signal, bool isNamed, ref Seen seen)
    {
        if (!_content!.TryFind(signal, out var value, out var kind) || kind != JsonTokenType.String)
        {
            return false;
        }

        var found = FileContents.Of(value[1..^1], out var declaresMedia);
        if (found != FileContent.Unknown && (declaresMedia || (isNamed && Harmless.Contains(seen.Extension))))
        {
            seen = new Seen(ContradictionStage, seen.Extension, found);
        }

        return true;
    }

    private readonly record struct Seen(int Stage, UInt128 Extension, FileContent Content);
}
