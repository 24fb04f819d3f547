namespace Sekisho.Verification.Rows;

/// <summary>One mark of the table: a case in a field. Without a play it is not built yet.</summary>
/// <param name="Id">Row or cause.</param>
/// <param name="Case">One of <see cref="Cases"/>.</param>
/// <param name="Number">Which of several of a cause.</param>
/// <param name="Field">Kind of field.</param>
/// <param name="Play">What is played; null while it is not built.</param>
internal sealed record Cell(string Id, string Case, int Number, string Field, Play? Play)
{
    /// <summary>Name of the field that it is played in.</summary>
    public string FieldId => (Case == Cases.Row ? Id : $"{Id}-{Case}-{Number}").ToLowerInvariant() + "-" + Field;

    /// <summary>Everything that the trial had, in the order of the table; of the rows and causes named only, when some are.</summary>
    public static IReadOnlyList<Cell> Of(Table table, IReadOnlyCollection<string> only)
    {
        var cells = new List<Cell>();
        foreach (var row in table.Rows.Where(r => only.Count == 0 || only.Contains(r.Id)))
        {
            cells.AddRange(Table.Fields.Where(row.Has).Select(f => Make(row.Id, Cases.Row, 1, f)));
        }

        foreach (var cause in table.Causes.Where(c => only.Count == 0 || only.Contains(c.Id)))
        {
            foreach (var field in Table.Fields.Where(f => table.Has(cause, f)))
            {
                cells.AddRange(Enumerable.Range(1, cause.Benign.Count).Select(n => Make(cause.Id, Cases.Benign, n, field)));
                cells.AddRange(Enumerable.Range(1, cause.Attack.Count).Select(n => Make(cause.Id, Cases.Attack, n, field)));
            }
        }

        return cells;
    }

    private static Cell Make(string id, string @case, int number, string field) => new(id, @case, number, field, Play.All.FirstOrDefault(p => p.Id == id && p.Case == @case && p.Number == number));
}
