using System.Globalization;
using System.Text;

namespace Sekisho.Scripting;

/// <summary>Where in a script a fault is. Pure.</summary>
public static class FaultPlace
{
    /// <summary>
    /// Line, column (both from 1) and message. Lua names the line; the column is that of the first such token in it where Lua names one, else that of the line's first
    /// character that is no space. Line 0 when it names none.
    /// </summary>
    /// <param name="message">What the sandbox says.</param>
    /// <param name="chunk">Name that the script was opened with.</param>
    /// <param name="source">Its text (UTF-8).</param>
    public static (int Line, int Column, string Message) Of(string message, string chunk, ReadOnlySpan<byte> source)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(chunk);
        var rest = message.StartsWith(chunk + ":", StringComparison.Ordinal) ? message[(chunk.Length + 1)..] : "";
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !int.TryParse(rest[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var line))
        {
            return (0, 0, message);
        }

        var said = rest[(colon + 1)..].TrimStart();
        var text = Line(Encoding.UTF8.GetString(source), line);
        var near = said.LastIndexOf("near '", StringComparison.Ordinal);
        var token = near >= 0 ? said[(near + 6)..].TrimEnd('\'') : "";
        var at = token.Length > 0 ? text.IndexOf(token, StringComparison.Ordinal) : -1;
        return (line, (at >= 0 ? at : text.Length - text.TrimStart().Length) + 1, said);
    }

    private static string Line(string source, int number)
    {
        var lines = source.Split('\n');
        return number <= lines.Length ? lines[number - 1].TrimEnd('\r') : "";
    }
}
