using System.Text;

namespace Sekisho.Response.Tests.Soc;

/// <summary>Reads CEF as a receiver does (ArcSight's implementation standard), to check what was written.</summary>
internal sealed record CefText(string[] Header, IReadOnlyDictionary<string, string> Extension)
{
    public static CefText Parse(string text)
    {
        var header = new List<string>();
        var part = new StringBuilder();
        var at = 0;
        for (; header.Count < 7; at++)
        {
            if (text[at] == '\\')
            {
                part.Append(text[++at]);
            }
            else if (text[at] == '|')
            {
                header.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(text[at]);
            }
        }

        // Keys end at an equals sign without backslash; the value goes on until the space before the next key.
        var rest = text[at..];
        var signs = Enumerable.Range(0, rest.Length).Where(i => rest[i] == '=' && !Escaped(rest, i)).ToList();
        var extension = new Dictionary<string, string>();
        for (var i = 0; i < signs.Count; i++)
        {
            var begin = rest.LastIndexOf(' ', signs[i]) + 1;
            var end = i + 1 < signs.Count ? rest.LastIndexOf(' ', signs[i + 1]) : rest.Length;
            extension.Add(rest[begin..signs[i]], Unescape(rest[(signs[i] + 1)..end]));
        }

        return new CefText([.. header], extension);
    }

    private static bool Escaped(string text, int at)
    {
        var backslashes = 0;
        while (at - backslashes > 0 && text[at - backslashes - 1] == '\\')
        {
            backslashes++;
        }

        return backslashes % 2 == 1;
    }

    private static string Unescape(string text)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            result.Append(text[i] != '\\' ? text[i] : text[++i] switch { 'n' => '\n', 'r' => '\r', var c => c });
        }

        return result.ToString();
    }
}
