namespace Sekisho.Detection.Evaluate.Uplinks;

/// <summary>What was counted on uplinks.</summary>
/// <param name="DeviceDays">Days in which devices were watched after learning.</param>
/// <param name="FalseAlerts">Alerts on the unchanged recording, for each of <see cref="Wrongs"/>.</param>
/// <param name="Faults">For each kind of fault: how many were put in, and how many were found.</param>
/// <param name="Missed">The faults that were not found.</param>
internal sealed record UplinkResult(double DeviceDays, IReadOnlyDictionary<string, int> FalseAlerts, IReadOnlyDictionary<string, FaultCount> Faults, IReadOnlyList<Fault> Missed)
{
    /// <summary>False silence alerts per device and day.</summary>
    public double SilencePerDay => FalseAlerts[Wrongs.Silence] / DeviceDays;
}

/// <summary>Faults of a kind that were put in and found: in all devices, and in those that send at least hourly.</summary>
internal sealed record FaultCount(int Injected, int Found, int InjectedHourly, int FoundHourly);

/// <summary>
/// Learns on the first seven days of recorded uplinks and detects on the rest: once on the recording as it is, for false alerts, and once for
/// each kind of fault and seed. The watch never knows which part it is in.
/// </summary>
internal static class UplinkTrial
{
    private const long Minute = 60_000;
    private const long Day = 24 * 60 * Minute;
    private const int LearnDays = 7;

    public static UplinkResult Run(IReadOnlyList<Uplink> uplinks, Func<IFleetWatch> watch, int seeds)
    {
        var from = uplinks[0].At + (LearnDays * Day);
        var falses = Play(uplinks, watch()).Where(a => a.At >= from).ToList();
        var days = uplinks.GroupBy(u => u.Device).Sum(g => (double)Math.Max(0, uplinks[^1].At - Math.Max(from, g.Min(u => u.At))) / Day);
        var hourly = uplinks.GroupBy(u => u.Device).Where(g => Faults.SendsHourly([.. g])).Select(g => g.Key).ToHashSet();
        var (faults, missed) = (new Dictionary<string, FaultCount>(), new List<Fault>());
        foreach (var name in Faults.All)
        {
            var (injected, lost) = (new List<Fault>(), new List<Fault>());
            for (var seed = 1; seed <= seeds; seed++)
            {
                var (changed, all) = Faults.Inject(uplinks, name, from, (ulong)seed);
                var alerts = Play(changed, watch()).ToLookup(a => (a.Device, a.Wrong));
                injected.AddRange(all);
                lost.AddRange(all.Where(f => !alerts[(f.Device, f.Wrong)].Any(a => a.At >= f.From && a.At <= f.To)));
            }

            var (regular, lostRegular) = (injected.Count(f => hourly.Contains(f.Device)), lost.Count(f => hourly.Contains(f.Device)));
            faults[name] = new FaultCount(injected.Count, injected.Count - lost.Count, regular, regular - lostRegular);
            missed.AddRange(lost);
        }

        string[] wrongs = [Wrongs.Silence, Wrongs.Rate, Wrongs.Size, Wrongs.Clock, Wrongs.Network];
        return new UplinkResult(days, wrongs.ToDictionary(w => w, w => falses.Count(a => a.Wrong == w)), faults, missed);
    }

    /// <summary>Shows a recording to a watch.</summary>
    public static IReadOnlyList<Alert> Play(IReadOnlyList<Uplink> uplinks, IFleetWatch watch)
    {
        var alerts = new List<Alert>();
        var tick = (uplinks[0].At / Minute) + 1;
        foreach (var uplink in uplinks)
        {
            for (; tick * Minute <= uplink.At; tick++)
            {
                alerts.AddRange(watch.Tick(tick * Minute));
            }

            alerts.AddRange(watch.Take(uplink));
        }

        return alerts;
    }
}
