using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Schemas;

/// <summary>
/// Messages that do not follow the JSON schema that the template declares: what is kept of a message, so without the properties that the field's
/// mapping drops or shows to detection only. It keeps no state.
/// </summary>
internal sealed class SchemaCondition(SchemaNode schema) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "schema",
        [Scopes.Device],
        TakesMode: false,
        [new ParameterSpec("schema", ParameterType.Document, 2, SchemaReader.LongestText) { Check = SchemaReader.Check }],
        input => new SchemaCondition(SchemaReader.Read(input.Text("schema"), out _) ?? throw new ArgumentException("A schema that was checked is expected.", nameof(input))));

    private const int LongestFact = 256;

    public int Cells => 0;

    /// <summary>An hour: long enough that one message in between does not hide a series.</summary>
    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message && !signal.Payload.IsEmpty;

    public Verdict Step(Span<long> state, in Signal signal) =>
        !Concerns(signal) ? Verdict.None : new SchemaCheck(place: null).Follows(signal.Payload, schema) ? Verdict.Calm : Verdict.Violation;

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var place = new List<string>();
        var check = new SchemaCheck(place);
        check.Follows(signal.Payload, schema);
        place.Reverse();
        return new Evidence
        {
            Metric = "schema",
            Unit = "count",
            Measured = 1,
            ExpectedHigh = 0,
            Origin = "template",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("schema", "allows", 0, ""),

            // As an exception would name it: for every element of a list.
            Claim = Cut("/" + string.Join('/', place.Select(p => p.All(char.IsAsciiDigit) ? "*" : p))),
            Facts = new Dictionary<string, string> { ["pointer"] = Cut("/" + string.Join('/', place)), ["keyword"] = check.Keyword, ["expected"] = Cut(check.Expected) },
        };
    }

    private static string Cut(string text) => text.Length <= LongestFact ? text : text[..LongestFact] + "…";
}
