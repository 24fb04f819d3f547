using System.Globalization;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions;

/// <summary>Type of a parameter; its unit follows from it.</summary>
internal enum ParameterType
{
    /// <summary>Whole number, no unit.</summary>
    Count,

    /// <summary>Seconds; written as [d.]hh:mm:ss.</summary>
    Duration,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Whole percent.</summary>
    Percent,

    /// <summary>Decimal number in the unit of what is measured.</summary>
    Number,

    /// <summary>Time of day; written as HH:mm, kept as minutes.</summary>
    TimeOfDay,

    /// <summary>One of the words that the specification lists.</summary>
    Choice,

    /// <summary>A line of text; bounds are its length in characters.</summary>
    Text,

    /// <summary>A JSON pointer (RFC 6901).</summary>
    Pointer,

    /// <summary>Lines of text; bounds are their number.</summary>
    Texts,

    /// <summary>Networks in CIDR form; bounds are their number.</summary>
    Networks,

    /// <summary>A JSON document; bounds are its length in characters.</summary>
    Document,
}

/// <summary>One parameter of a kind of condition. Its label is the text condition.KIND.NAME, or condition.any.NAME where many kinds share it.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Type">Type, which gives the unit.</param>
/// <param name="Least">Smallest value allowed (seconds for durations, minutes for times of day, length or number for texts).</param>
/// <param name="Most">Largest value allowed.</param>
/// <param name="Default">Value when a template says nothing; null when it must.</param>
internal sealed record ParameterSpec(string Name, ParameterType Type, double Least, double Most, ParameterValue? Default = null)
{
    /// <summary>The words of a choice.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Stable name of the unit; null for that of the type.</summary>
    public string? Unit { get; init; }

    /// <summary>For documents of a form of their own: says what is wrong with one; null where every JSON will do.</summary>
    public Func<string, ParameterFault?>? Check { get; init; }

    public static ParameterSpec Choice(string name, string standard, params IReadOnlyList<string> choices) => new(name, ParameterType.Choice, 0, 0, ParameterValue.Of(standard)) { Choices = choices };
}

/// <summary>What is wrong with a document: the text detection.fault.KEY.</summary>
/// <param name="Key">Stable name.</param>
/// <param name="Values">Values for the text.</param>
internal sealed record ParameterFault(string Key, params IReadOnlyList<(string Name, string Value)> Values);

/// <summary>The value of a parameter: a number, a text or a list of texts, as its type says. Immutable; equal when it says the same.</summary>
internal sealed record ParameterValue
{
    private ParameterValue()
    {
    }

    public double Number { get; private init; }

    public string Text { get; private init; } = "";

    public IReadOnlyList<string> List { get; private init; } = [];

    public static implicit operator ParameterValue(double number) => Of(number);

    public static ParameterValue Of(double number) => new() { Number = number };

    public static ParameterValue Of(string text) => new() { Text = text };

    public static ParameterValue Of(IReadOnlyList<string> list) => new() { List = list };

    public bool Equals(ParameterValue? other) => other is not null && Number.Equals(other.Number) && Text == other.Text && List.SequenceEqual(other.List);

    public override int GetHashCode() => HashCode.Combine(Number, Text, List.Count);
}

/// <summary>What a condition is made of.</summary>
/// <param name="Scope">One of <see cref="Scopes"/>.</param>
/// <param name="Mode">Operating mode it is limited to; null for all.</param>
/// <param name="Values">A value for each parameter of the kind and the judge.</param>
internal sealed record ConditionInput(string Scope, string? Mode, IReadOnlyDictionary<string, ParameterValue> Values)
{
    /// <summary>Name of the judge of a threshold condition; null for kinds with a machine of their own.</summary>
    public string? Judge { get; init; }

    /// <summary>Zone that people of the field live in.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>The field's holidays.</summary>
    public Schedules.FieldCalendar Calendar { get; init; } = Schedules.FieldCalendar.None;

    public int Whole(string name) => checked((int)Values[name].Number);

    public double Number(string name) => Values[name].Number;

    public long Milliseconds(string name) => checked((long)(Values[name].Number * 1000));

    public string Text(string name) => Values[name].Text;

    public IReadOnlyList<string> List(string name) => Values[name].List;

    public TimeOnly Time(string name) => TimeOnly.MinValue.AddMinutes(Values[name].Number);
}

/// <summary>A kind of condition that templates may use: one line in <see cref="DetectionFeature"/>.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="AllowedScopes">What it can watch.</param>
/// <param name="TakesMode">True when it can be limited to an operating mode.</param>
/// <param name="Parameters">Its parameters, without those of a judge.</param>
/// <param name="Create">Makes it.</param>
internal sealed record ConditionKind(
    string Name, IReadOnlyList<string> AllowedScopes, bool TakesMode, IReadOnlyList<ParameterSpec> Parameters, Func<ConditionInput, ICondition> Create)
{
    /// <summary>Judges it can be combined with, the one it has when a template names none first, each with its parameters; empty when it judges by itself.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<ParameterSpec> Parameters)> Judges { get; init; } = [];

    /// <summary>Stable names of the stages it can reach, mildest first; empty when it has only one.</summary>
    public IReadOnlyList<string> Stages { get; init; } = [];

    /// <summary>True when it asks for the neighbours at the device's place (<see cref="Signal.Neighbours"/>).</summary>
    public bool AsksNeighbours { get; init; }

    /// <summary>Reasons for which it takes findings back; each has the text finding.retracted.REASON.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>All parameters of the kind with a judge.</summary>
    public IReadOnlyList<ParameterSpec> ParametersWith(string? judge) => judge is null ? Parameters : [.. Parameters, .. Judges.First(j => j.Name == judge).Parameters];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} ({Parameters.Count} parameters)");
}
