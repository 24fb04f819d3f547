using System.Globalization;

namespace Sekisho.Tests.Support;

/// <summary>
/// Seeded fuzz tests: the same inputs each time as a rule. SEKISHO_FUZZ is how many times as long they run (1 unless set; 100 is a long form that a
/// night bears), SEKISHO_SEED changes the inputs.
/// </summary>
public static class Fuzz
{
    /// <summary>Rounds of a test that usually runs this many.</summary>
    public static int Rounds(int usual) => checked(usual * Math.Max(1, Number("SEKISHO_FUZZ", 1)));

    /// <summary>Where a test takes its inputs from.</summary>
    /// <param name="seed">The test's own number.</param>
    public static Random Source(int seed) => new(unchecked(seed + Number("SEKISHO_SEED", 0)));

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
