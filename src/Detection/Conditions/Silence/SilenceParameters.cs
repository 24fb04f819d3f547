namespace Sekisho.Detection.Conditions.Silence;

/// <summary>Parameters of <see cref="SilenceCondition"/>; durations in milliseconds, 0 where something is switched off.</summary>
/// <param name="DurationMs">From so long on a silence that nothing explains is a suspected theft.</param>
internal sealed record SilenceParameters(long DurationMs)
{
    /// <summary>From so long on it is late, unless the device usually takes longer; 0 for no such stage.</summary>
    public long LateMs { get; init; }

    /// <summary>From so long on it is unreachable, unless the device usually takes longer; 0 for no such stage.</summary>
    public long UnreachableMs { get; init; }

    /// <summary>From so long on it is a suspected theft while its SIM is attached to the network; 0 for never.</summary>
    public long AttachedMs { get; init; }

    /// <summary>However usual, from so long on it is a suspected theft.</summary>
    public long LongestMs { get; init; } = 3 * 86_400_000L;

    /// <summary>So many silences at an hour and a place make a habit; 0 for none.</summary>
    public int Habit { get; init; } = 5;

    /// <summary>So many neighbours must be known before their silence explains this one's; 0 for never.</summary>
    public int Neighbours { get; init; } = 3;

    /// <summary>True when time on holidays does not count.</summary>
    public bool PausesOnHolidays { get; init; }

    public static SilenceParameters Of(ConditionInput input) => new(input.Milliseconds("duration"))
    {
        LateMs = input.Milliseconds("late"),
        UnreachableMs = input.Milliseconds("unreachable"),
        AttachedMs = input.Milliseconds("attached"),
        LongestMs = Math.Max(input.Milliseconds("longest"), input.Milliseconds("duration")),
        Habit = input.Whole("habit"),
        Neighbours = input.Whole("neighbours"),
        PausesOnHolidays = input.Text("holidays") == "pause",
    };
}
