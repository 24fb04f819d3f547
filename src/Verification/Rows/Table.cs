using System.Text.Json;

namespace Sekisho.Verification.Rows;

/// <summary>A text in both languages.</summary>
public sealed record BothLanguages(string Ja, string En)
{
    /// <summary>In one of them.</summary>
    public string In(string language) => language == "ja" ? Ja : En;
}

/// <summary>A row of the published table.</summary>
/// <param name="Id">"V01" to "V31".</param>
/// <param name="Class">Class of verification.</param>
/// <param name="Name">What is verified.</param>
/// <param name="Risk">Assumed risks.</param>
/// <param name="Trial">What the trial published, by field: "o" shown, "p" shown with false alarms, "-" not part of that field.</param>
public sealed record TableRow(string Id, BothLanguages Class, BothLanguages Name, BothLanguages Risk, IReadOnlyDictionary<string, string> Trial)
{
    /// <summary>True when the trial had it in this field.</summary>
    public bool Has(string field) => Trial[field] != "-";
}

/// <summary>A cause of false alarms that the trial reported.</summary>
/// <param name="Id">"F1" to "F5".</param>
/// <param name="Rows">Rows it spoilt.</param>
/// <param name="Name">The cause.</param>
/// <param name="Benign">Harmless twins.</param>
/// <param name="Attack">Attacks that look alike.</param>
public sealed record TableCause(string Id, IReadOnlyList<string> Rows, BothLanguages Name, IReadOnlyList<BothLanguages> Benign, IReadOnlyList<BothLanguages> Attack);

/// <summary>The table of the published field trial, as data.</summary>
public sealed record Table(IReadOnlyList<TableRow> Rows, IReadOnlyList<TableCause> Causes)
{
    /// <summary>The three fields of the trial, by the names of their templates, in the trial's order.</summary>
    public static readonly IReadOnlyList<string> Fields = ["car-mobility", "smart-home", "education"];

    /// <summary>The table.</summary>
    public static Table Published { get; } = Load();

    /// <summary>True when the trial had a row that this cause spoilt in this field.</summary>
    public bool Has(TableCause cause, string field)
    {
        ArgumentNullException.ThrowIfNull(cause);
        return Rows.Any(r => cause.Rows.Contains(r.Id) && r.Has(field));
    }

    private static Table Load()
    {
        using var stream = typeof(Table).Assembly.GetManifestResourceStream("Rows/table.json")!;
        return JsonSerializer.Deserialize<Table>(stream, JsonSerializerOptions.Web)!;
    }
}
