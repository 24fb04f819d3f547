namespace Sekisho.Scripting;

/// <summary>A line of a comparison.</summary>
/// <param name="Change">"same", "gone" or "new".</param>
/// <param name="From">Its number in the older text; null for a new one.</param>
/// <param name="To">Its number in the newer text; null for one that is gone.</param>
/// <param name="Text">The line.</param>
public sealed record ComparedLine(string Change, int? From, int? To, string Text);

/// <summary>Compares two texts line by line (longest common subsequence). Pure.</summary>
public static class LineDifference
{
    /// <summary>The changed lines with the lines around them that are the same.</summary>
    /// <param name="older">One text.</param>
    /// <param name="newer">The other.</param>
    /// <param name="around">Equal lines shown before and behind each change.</param>
    public static IReadOnlyList<ComparedLine> Of(string older, string newer, int around = 3)
    {
        ArgumentNullException.ThrowIfNull(older);
        ArgumentNullException.ThrowIfNull(newer);
        var (a, b) = (older.Split('\n'), newer.Split('\n'));
        var first = 0;
        while (first < a.Length && first < b.Length && a[first] == b[first])
        {
            first++;
        }

        var last = 0;
        while (last < a.Length - first && last < b.Length - first && a[^(last + 1)] == b[^(last + 1)])
        {
            last++;
        }

        var all = new List<ComparedLine>();
        for (var i = 0; i < first; i++)
        {
            all.Add(new ComparedLine("same", i + 1, i + 1, a[i]));
        }

        Middle(a, b, first, a.Length - last, b.Length - last, all);
        for (var i = last; i > 0; i--)
        {
            all.Add(new ComparedLine("same", a.Length - i + 1, b.Length - i + 1, a[^i]));
        }

        var changed = all.Select((line, at) => (line, at)).Where(l => l.line.Change != "same").Select(l => l.at).ToArray();
        return [.. all.Where((_, at) => Array.Exists(changed, c => Math.Abs(c - at) <= around))];
    }

    private static void Middle(string[] a, string[] b, int first, int endA, int endB, List<ComparedLine> all)
    {
        // Texts of 64 KiB with all lines different would need a table of a billion: then everything is gone and new.
        var (n, m) = (endA - first, endB - first);
        var small = (long)n * m <= 4_000_000;
        var common = small ? new ushort[n + 1, m + 1] : new ushort[1, 1];
        for (var i = n - 1; small && i >= 0; i--)
        {
            for (var j = m - 1; j >= 0; j--)
            {
                common[i, j] = a[first + i] == b[first + j] ? (ushort)(common[i + 1, j + 1] + 1) : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        for (int i = 0, j = 0; i < n || j < m;)
        {
            if (small && i < n && j < m && a[first + i] == b[first + j])
            {
                all.Add(new ComparedLine("same", first + i + 1, first + j + 1, a[first + i]));
                (i, j) = (i + 1, j + 1);
            }
            else if (i < n && (j == m || !small || common[i + 1, j] >= common[i, j + 1]))
            {
                all.Add(new ComparedLine("gone", first + i + 1, null, a[first + i]));
                i++;
            }
            else
            {
                all.Add(new ComparedLine("new", null, first + j + 1, b[first + j]));
                j++;
            }
        }
    }
}
