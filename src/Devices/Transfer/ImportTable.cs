using System.Globalization;
using System.Text;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;

namespace Sekisho.Devices.Transfer;

/// <summary>A row to register, with what it says of others by their unique IDs.</summary>
/// <param name="Number">Row in the file.</param>
/// <param name="Device">The device; null when its row is broken.</param>
/// <param name="Parent">Unique ID of its parent as written; null when none.</param>
/// <param name="User">Unique ID of its user as written; null when none.</param>
/// <param name="Line">Name of its product line; null when none.</param>
internal sealed record ImportRow(int Number, NewDevice? Device, string? Parent, string? User, string? Line);

/// <summary>Reads the file of an import. Pure but for the identifiers it makes.</summary>
internal static class ImportTable
{
    /// <summary>Devices at most.</summary>
    public const int MostRows = 10_000;

    /// <summary>Columns that an import reads.</summary>
    public static readonly IReadOnlyList<string> Columns = ["uniqueIdType", "uniqueId", "name", "kind", "cadence", "intervalSeconds", "parentUniqueId", "userUniqueId", "productLine"];

    /// <summary>Columns that an export has beyond those; an import passes over them, so that an exported file can be read again.</summary>
    public static readonly IReadOnlyList<string> ExportOnly = ["deviceId", "state", "assurance"];

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static (IReadOnlyList<ImportRow> Rows, IReadOnlyList<BrokenRule> Broken) Read(ReadOnlySpan<byte> file)
    {
        string text;
        try
        {
            text = Strict.GetString(file.StartsWith(Encoding.UTF8.Preamble) ? file[Encoding.UTF8.Preamble.Length..] : file);
        }
        catch (DecoderFallbackException)
        {
            return ([], [new BrokenRule("file", "csv-encoding")]);
        }

        var (records, brokenRow) = Csv.Read(text, MostRows + 2);
        var broken = new List<BrokenRule>();
        if (brokenRow > 0)
        {
            broken.Add(new BrokenRule(Row(brokenRow), "csv-quotes"));
        }

        if (records.Count < 2 && brokenRow == 0)
        {
            broken.Add(new BrokenRule("file", "csv-empty"));
        }

        if (records.Count > MostRows + 1)
        {
            broken.Add(new BrokenRule("file", "csv-rows"));
        }

        if (records.Count == 0 || records.Count > MostRows + 1)
        {
            return ([], broken);
        }

        var header = records[0].Cells.Select(c => c.Trim()).ToList();
        if (header.Any(c => !Columns.Contains(c) && !ExportOnly.Contains(c)) || header.Distinct().Count() != header.Count || !header.Contains("uniqueId") || !header.Contains("uniqueIdType"))
        {
            broken.Add(new BrokenRule(Row(records[0].Number), "csv-columns"));
            return ([], broken);
        }

        return ([.. records.Skip(1).Select(r => Judge(r, header, broken))], broken);
    }

    public static string Row(int number) => "row " + number.ToString(CultureInfo.InvariantCulture);

    private static ImportRow Judge(CsvRow record, List<string> header, List<BrokenRule> broken)
    {
        if (record.Cells.Count != header.Count)
        {
            broken.Add(new BrokenRule(Row(record.Number), "csv-cells"));
            return new ImportRow(record.Number, null, null, null, null);
        }

        string? Cell(string column) => header.IndexOf(column) is >= 0 and var i && Csv.Plain(record.Cells[i].Trim()) is { Length: > 0 } cell ? cell : null;
        var seconds = Cell("intervalSeconds");
        var interval = double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : seconds is null ? (double?)null : double.NaN;
        var asked = new Registration(Cell("uniqueIdType"), Cell("uniqueId"), Cell("name"), Cell("kind"), Cell("cadence"), interval, null, null, null, null);
        var device = DeviceRules.Judge(asked, NewCredential.Id('d'), _ => Row(record.Number), broken);
        return new ImportRow(record.Number, device, Cell("parentUniqueId"), Cell("userUniqueId"), Cell("productLine"));
    }
}
