using System.Text.Json;
using Sekisho.Response.Notification;
using Sekisho.Scripting;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>Takes what a script writes down with log.write(TEXT): the first lines of it. One run.</summary>
internal sealed class ScriptLog : IScriptHost
{
    /// <summary>Most lines that are kept.</summary>
    public const int MostLines = 32;

    /// <summary>Most characters of a line.</summary>
    public const int LongestLine = 200;

    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public HostAnswer Answer(string request, ReadOnlyMemory<byte> argument)
    {
        // A decision is not lost because a script talks too much: what is beyond is dropped.
        if (_lines.Count < MostLines)
        {
            using var given = JsonDocument.Parse(argument);
            var text = given.RootElement.ValueKind == JsonValueKind.String ? given.RootElement.GetString()! : given.RootElement.GetRawText();
            _lines.Add(FindingSentence.OneLine(text.Length <= LongestLine ? text : text[..LongestLine]));
        }

        return new HostAnswer("true"u8.ToArray());
    }
}
