using System.Globalization;
using System.Text.Json;

namespace Sekisho.Tests.Support;

/// <summary>What one hot path allocated, against its line in bench/budgets.json (bytes per operation).</summary>
/// <param name="Path">Name of the hot path.</param>
/// <param name="Bytes">Bytes that one operation allocated.</param>
/// <param name="Most">Bytes that it may.</param>
public sealed record Budget(string Path, double Bytes, double Most)
{
    private const int Rounds = 5;
    private const int Operations = 1000;

    public bool Holds => Bytes <= Most;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Path}: {Bytes:F1} bytes per operation, budget {Most:F0}");

    /// <summary>Runs the operation on this thread until what it allocates is what it always allocates: the runtime's own first-time work is left out.</summary>
    /// <exception cref="InvalidOperationException">bench/budgets.json has no line for the path.</exception>
    public static Budget Measure(string path, Action operation)
    {
        if (!Lines().TryGetValue(path, out var most))
        {
            throw new InvalidOperationException($"bench/budgets.json has no line for {path}.");
        }

        var least = long.MaxValue;
        for (var round = 0; round <= Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Operations; i++)
            {
                operation();
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            least = round == 0 ? least : Math.Min(least, allocated);
        }

        return new Budget(path, least / (double)Operations, most);
    }

    private static Dictionary<string, double> Lines()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "bench", "budgets.json")))
        {
            folder = System.IO.Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("bench/budgets.json was not found above the test.");
        }

        return JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(System.IO.Path.Combine(folder, "bench", "budgets.json")))!;
    }
}
