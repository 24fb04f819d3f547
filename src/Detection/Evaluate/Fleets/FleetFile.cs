using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>Devices as a template's fleet.json describes them, for the simulation of harmless operation.</summary>
/// <param name="About">What they are, for people.</param>
/// <param name="Groups">Devices that are alike.</param>
internal sealed record FleetFile(string About, IReadOnlyList<FleetGroup> Groups)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true };

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is none; the message names it and what is wrong.</exception>
    public static FleetFile Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<FleetFile>(File.ReadAllText(file), Json) is { Groups.Count: > 0 } fleet ? fleet : throw new InvalidDataException($"{file}: groups of devices are missing.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file}: {e.Message}", e);
        }
    }
}

/// <summary>Devices that are alike. Rates and times are those of normal operation; what goes wrong now and then is the same for all (<see cref="Troubles"/>).</summary>
internal sealed record FleetGroup
{
    /// <summary>Kind of device.</summary>
    public required string Kind { get; init; }

    /// <summary>How many.</summary>
    public required int Devices { get; init; }

    /// <summary>Sends at this interval; null when it sends on events only.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Standard deviation of the interval, as a share of it.</summary>
    public double Jitter { get; init; } = 0.01;

    /// <summary>Events an hour within the active hours, on top of the interval.</summary>
    public double PerHour { get; init; }

    /// <summary>Events an hour outside of the active hours.</summary>
    public double PerHourOutside { get; init; }

    /// <summary>Begin of the active hours in the field's zone.</summary>
    public TimeOnly From { get; init; }

    /// <summary>End of the active hours; equal to the begin for all day.</summary>
    public TimeOnly To { get; init; }

    /// <summary>True when Saturdays, Sundays and holidays have no active hours.</summary>
    public bool WeekdaysOnly { get; init; }

    /// <summary>True when it is switched off outside of the active hours.</summary>
    public bool Rests { get; init; }

    /// <summary>Trips of a vehicle a day; more than 0 gives it the modes "on" (at the interval) and "off".</summary>
    public double Trips { get; init; }

    /// <summary>Interval while the engine is off.</summary>
    public TimeSpan? OffInterval { get; init; }

    /// <summary>Bytes of a message: smallest and largest.</summary>
    public IReadOnlyList<int> Size { get; init; } = [120, 180];

    /// <summary>Share of messages that are of a second size (an image, a report).</summary>
    public double LargeShare { get; init; }

    /// <summary>The second size.</summary>
    public IReadOnlyList<int> LargeSize { get; init; } = [];

    /// <summary>Devices at one place; 0 for no places.</summary>
    public int PerPlace { get; init; }

    /// <summary>Devices behind one gateway unit (the unit is one more); 0 when they connect themselves.</summary>
    public int PerParent { get; init; }

    /// <summary>True when each belongs to a person.</summary>
    public bool IsPersonal { get; init; }

    /// <summary>True when readings of an outage are stored and sent afterwards.</summary>
    public bool Stores { get; init; } = true;

    /// <summary>True when its carrier reports each hour.</summary>
    public bool HasSim { get; init; }

    /// <summary>Numbers in the payload, by property.</summary>
    public IReadOnlyDictionary<string, FleetValue> Values { get; init; } = new Dictionary<string, FleetValue>();
}

/// <summary>A number in the payload: mean, swing over the day, noise that lasts (a first-order autoregression), noise of each reading.</summary>
internal sealed record FleetValue(double Mean, double Swing, double Slow, double Noise, int Digits = 1)
{
    /// <summary>True when it only ever grows (a meter): the mean is what is added an hour.</summary>
    public bool Counts { get; init; }
}
