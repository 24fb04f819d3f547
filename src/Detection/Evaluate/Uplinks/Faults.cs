namespace Sekisho.Detection.Evaluate.Uplinks;

/// <summary>Something put into a recording.</summary>
/// <param name="Name">Name of the kind of fault.</param>
/// <param name="Wrong">What must be found; one of <see cref="Wrongs"/>.</param>
/// <param name="Device">Where.</param>
/// <param name="From">From, Unix milliseconds.</param>
/// <param name="To">Until when it must be found.</param>
internal sealed record Fault(string Name, string Wrong, string Device, long From, long To);

/// <summary>
/// Puts faults into recorded uplinks at places drawn from a seed, one of a kind into each device that can have it: when it has been
/// heard for seven days, within the time in which is detected. Silence goes to devices that send at least hourly: in nine of ten of their hours.
/// </summary>
internal static class Faults
{
    public const string Rate = "rate × 5";
    public const string Silence = "silence of 6 h";
    public const string Size = "size × 4";
    public const string Clock = "wrong clock";
    public const string Network = "new gateway";
    public const string Night = "night burst";

    public static readonly IReadOnlyList<string> All = [Rate, Silence, Size, Clock, Network, Night];

    private const long Minute = 60_000;
    private const long Hour = 60 * Minute;
    private const long Day = 24 * Hour;

    /// <summary>Days in which a device is learnt before anything is put into it.</summary>
    private const int LearnDays = 7;

    /// <summary>How far the clock of the recorded place is behind UTC (longitude −117).</summary>
    private const long Zone = -7 * Hour;

    /// <summary>True for a device that was heard in at least nine of ten of its hours.</summary>
    public static bool SendsHourly(IReadOnlyList<Uplink> own)
    {
        var hours = own.Select(u => u.At / Hour).Distinct().Count();
        return own.Count > 24 && hours >= 0.9 * ((own[^1].At - own[0].At) / Hour);
    }

    /// <summary>The recording with one fault of a kind in each device that can have it.</summary>
    public static (IReadOnlyList<Uplink> Uplinks, IReadOnlyList<Fault> Faults) Inject(IReadOnlyList<Uplink> clean, string name, long from, ulong seed)
    {
        var chance = new Chance(seed);
        var (uplinks, faults) = (new List<Uplink>(), new List<Fault>());
        var end = clean[^1].At;
        foreach (var own in clean.GroupBy(u => u.Device).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToList()))
        {
            var earliest = Math.Max(from, own[0].At + (LearnDays * Day));
            var places = own.Where(u => u.At >= earliest && u.At < end - (7 * Hour) && (name != Size || u.Bytes > 0)).ToArray();
            if (places.Length == 0 || (name == Silence && !SendsHourly(own)))
            {
                uplinks.AddRange(own);
                continue;
            }

            var place = places[(int)(chance.Next() * places.Length)];
            var (changed, fault) = One(own, name, place);
            uplinks.AddRange(changed);
            faults.Add(fault);
        }

        return ([.. uplinks.OrderBy(u => u.At).ThenBy(u => u.Device, StringComparer.Ordinal)], faults);
    }

    private static (IEnumerable<Uplink> Changed, Fault Fault) One(List<Uplink> own, string name, Uplink place)
    {
        var (device, at) = (place.Device, place.At);
        IEnumerable<Uplink> Replaced(Func<Uplink, Uplink> change) => own.Select(u => u == place ? change(u) : u);
        switch (name)
        {
            case Rate:
                // Five where there was one, for two hours; seldom heard devices send little even so.
                return (own.SelectMany(u => u.At >= at && u.At < at + (2 * Hour) ? Spread(u, 5, 30_000) : [u]), new Fault(name, Wrongs.Rate, device, at, at + (3 * Hour)));
            case Silence:
                return (own.Where(u => u.At <= at || u.At > at + (6 * Hour)), new Fault(name, Wrongs.Silence, device, at, at + (6 * Hour)));
            case Size:
                return (Replaced(u => u with { Bytes = 4 * u.Bytes }), new Fault(name, Wrongs.Size, device, at, at));
            case Clock:
                return (Replaced(u => u with { Taken = u.Taken + Hour }), new Fault(name, Wrongs.Clock, device, at, at));
            case Network:
                return (Replaced(u => u with { Networks = ["unknown-" + u.Device] }), new Fault(name, Wrongs.Network, device, at, at));
            case Night:
                // Five times what an hour brings on average, at least thirty, within half an hour at two in the night after the place.
                var times = (int)Math.Max(30, 5.0 * own.Count * Hour / (own[^1].At - own[0].At));
                var night = ((((at + Zone) / Day) + 1) * Day) - Zone + (2 * Hour);
                night = night > own[^1].At ? night - Day : night;
                return (own.Concat(Spread(place with { At = night, Taken = night }, times, 30 * Minute / times)), new Fault(name, Wrongs.Rate, device, night, night + Hour));
            default:
                throw new ArgumentOutOfRangeException(nameof(name), name, "No such fault.");
        }
    }

    private static IEnumerable<Uplink> Spread(Uplink uplink, int times, long apart) =>
        Enumerable.Range(0, times).Select(i => uplink with { At = uplink.At + (i * apart), Taken = uplink.Taken + (i * apart) });
}
