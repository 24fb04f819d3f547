using System.Text;

namespace Sekisho.Devices.Transfer;

/// <summary>A record of a CSV text.</summary>
/// <param name="Number">Counted from 1 as a spreadsheet does: the header is row 1.</param>
/// <param name="Cells">Its cells.</param>
internal sealed record CsvRow(int Number, IReadOnlyList<string> Cells);

/// <summary>Comma-separated values (RFC 4180): quotes double themselves, cells may hold line breaks, lines end with LF or CRLF. Pure.</summary>
internal static class Csv
{
    /// <summary>Reads all records. Empty lines count as rows and are left out.</summary>
    /// <param name="text">The text without byte order mark.</param>
    /// <param name="most">Records at most; what follows is not read.</param>
    /// <returns>The records, and the row of the first broken quote (0 when there is none); records end before it.</returns>
    public static (IReadOnlyList<CsvRow> Rows, int BrokenRow) Read(ReadOnlySpan<char> text, int most)
    {
        var rows = new List<CsvRow>();
        var number = 0;
        var at = 0;
        while (at < text.Length && rows.Count < most)
        {
            number++;
            var cells = new List<string>();
            do
            {
                if (Cell(text, ref at) is not { } cell)
                {
                    return (rows, number);
                }

                cells.Add(cell);
            }
            while (Take(text, ref at, ','));

            Take(text, ref at, '\r');
            if (!Take(text, ref at, '\n') && at < text.Length)
            {
                return (rows, number);
            }

            if (cells.Count > 1 || cells[0].Length > 0)
            {
                rows.Add(new CsvRow(number, cells));
            }
        }

        return (rows, 0);
    }

    /// <summary>Appends one record, quoting where needed.</summary>
    public static void Append(StringBuilder target, params ReadOnlySpan<string?> cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            if (i > 0)
            {
                target.Append(',');
            }

            var cell = Harmless(cells[i] ?? "");
            if (cell.AsSpan().IndexOfAny("\",\r\n") < 0)
            {
                target.Append(cell);
            }
            else
            {
                target.Append('"').Append(cell.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            }
        }

        target.Append("\r\n");
    }

    /// <summary>Takes back what <see cref="Append"/> put before a cell that a spreadsheet would run.</summary>
    public static string Plain(string cell) => cell.Length > 1 && cell[0] == '\'' && (Runs(cell[1]) || cell[1] == '\'') ? cell[1..] : cell;

    // A spreadsheet runs a cell that begins like this as a formula. An apostrophe is doubled, so that reading takes back exactly one.
    private static string Harmless(string cell) => cell.Length > 0 && (Runs(cell[0]) || cell[0] == '\'') ? "'" + cell : cell;

    private static bool Runs(char first) => first is '=' or '+' or '-' or '@' or '\t' or '\r' or '＝' or '＋' or '－' or '＠';

    private static string? Cell(ReadOnlySpan<char> text, ref int at)
    {
        if (!Take(text, ref at, '"'))
        {
            var rest = text[at..];
            var end = rest.IndexOfAny(",\r\n\"");
            var plain = end < 0 ? rest : rest[..end];
            at += plain.Length;
            return at < text.Length && text[at] == '"' ? null : plain.ToString();
        }

        var cell = new StringBuilder();
        while (true)
        {
            var rest = text[at..];
            var quote = rest.IndexOf('"');
            if (quote < 0)
            {
                return null;
            }

            cell.Append(rest[..quote]);
            at += quote + 1;
            if (!Take(text, ref at, '"'))
            {
                return cell.ToString();
            }

            cell.Append('"');
        }
    }

    private static bool Take(ReadOnlySpan<char> text, ref int at, char expected)
    {
        if (at < text.Length && text[at] == expected)
        {
            at++;
            return true;
        }

        return false;
    }
}
