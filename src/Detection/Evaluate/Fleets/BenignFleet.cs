using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>
/// A simulated fleet in harmless operation, as events in the order of a journal: messages, repeats, backlogs, authentications, refusals, SIM facts,
/// the traffic of each minute, and a tick each minute. The same seed gives the same events. One thread.
/// </summary>
internal sealed class BenignFleet : IDeviceDirectory
{
    public const string FieldId = "fleet";

    private const long Minute = 60_000;
    private const long Day = 24 * 60 * Minute;
    private const int MostSeen = 100_000;
    private readonly Dictionary<string, DeviceProfile> _profiles = [];
    private readonly List<SimulatedSender> _senders = [];
    private readonly List<(long From, long To)> _stops = [];
    private readonly long _from;
    private readonly long _to;

    /// <param name="fleet">The devices.</param>
    /// <param name="from">Begin.</param>
    /// <param name="days">How long.</param>
    /// <param name="calendar">Holidays.</param>
    /// <param name="zone">Zone of the active hours.</param>
    /// <param name="seed">Of all chance.</param>
    public BenignFleet(FleetFile fleet, DateTimeOffset from, int days, FieldCalendar calendar, TimeZoneInfo zone, ulong seed)
    {
        var chance = new Chance(seed);
        (_from, _to) = (from.ToUnixTimeMilliseconds(), from.AddDays(days).ToUnixTimeMilliseconds());
        Fields = [new FieldProfile { FieldId = FieldId, Name = FieldId, Kind = "fleet", TimeZone = zone.Id, ContactPoint = "", Language = "en" }];
        foreach (var at in Times(chance, Troubles.GatewayStops))
        {
            _stops.Add((at, at + (long)(Minute * (2 + (18 * chance.Next())))));
        }

        var number = 0;
        foreach (var group in fleet.Groups)
        {
            var cuts = new List<(long From, long To)>();
            for (var i = 0; i < group.Devices; i++)
            {
                var id = $"d{number:d15}";
                if (group.PerPlace > 0 && i % group.PerPlace == 0)
                {
                    cuts = [.. Times(chance, Troubles.PowerCuts).Select(at => (at, at + (long)(Minute * (10 + (170 * chance.Next())))))];
                }

                var unit = group.PerParent > 0 ? $"d{number - (i % (group.PerParent + 1)):d15}" : null;
                _profiles[id] = new DeviceProfile
                {
                    DeviceId = id,
                    FieldId = FieldId,
                    Name = "",
                    Kind = group.Kind,
                    UniqueIdType = group.IsPersonal ? UniqueIdTypes.User : UniqueIdTypes.Serial,
                    Cadence = group.Interval is null || group.Rests || group.Trips > 0 ? Cadences.Irregular : Cadences.Interval,
                    Interval = group.Rests || group.Trips > 0 ? null : group.Interval,
                    State = LifecycleStates.Active,
                    Assurance = "device",
                    ParentId = unit == id ? null : unit,
                    UserId = group.IsPersonal ? id : null,
                };
                var off = new Absences(_stops, group.PerPlace > 0 ? cuts : [], [.. Outages(chance)], [.. Times(chance, Troubles.Reboots).Select(at => (at, at + (long)(Minute * (1 + (3 * chance.Next())))))]);
                var place = group.PerPlace > 0 ? $"{group.Kind}-{i / group.PerPlace}" : null;
                _senders.Add(new SimulatedSender(id, number, group, place, off, new SenderTimes(_from, _to, zone, calendar), new Chance(seed + (ulong)(++number * 7919))));
            }
        }
    }

    public IReadOnlyCollection<FieldProfile> Fields { get; }

    public int Devices => _senders.Count;

    public DeviceProfile? Device(string deviceId) => _profiles.GetValueOrDefault(deviceId);

    public FieldProfile? Field(string fieldId) => fieldId == FieldId ? Fields.First() : null;

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => _profiles.Values;

    /// <summary>All events, in portions.</summary>
    public IEnumerable<IReadOnlyList<GatewayEvent>> Portions()
    {
        var queue = new PriorityQueue<IEnumerator<GatewayEvent>, long>();
        foreach (var sender in _senders)
        {
            var events = sender.Events().GetEnumerator();
            if (events.MoveNext())
            {
                queue.Enqueue(events, events.Current.ArrivedAt.ToUnixTimeMilliseconds());
            }
        }

        var position = 0L;
        var portion = new List<GatewayEvent>();
        var seen = new HashSet<string>();
        for (var minute = _from + Minute; minute <= _to; minute += Minute)
        {
            var begin = portion.Count;
            while (queue.TryPeek(out var events, out var at) && at < minute)
            {
                queue.Dequeue();
                portion.Add(events.Current with { Position = ++position });
                if (events.MoveNext())
                {
                    queue.Enqueue(events, events.Current.ArrivedAt.ToUnixTimeMilliseconds());
                }
            }

            if (!_stops.Exists(s => minute >= s.From && minute < s.To))
            {
                position = AddTraffic(portion, begin, seen, minute, position);
                portion.Add(new TickEvent { Position = ++position, ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(minute), CorrelationId = "" });
            }

            if (portion.Count >= 2048)
            {
                yield return portion;
                portion = [];
            }
        }

        if (portion.Count > 0)
        {
            yield return portion;
        }
    }

    // What the gateway counts of each device that had traffic in the minute. A repeat comes within seconds, so a short memory is enough.
    private static long AddTraffic(List<GatewayEvent> portion, int begin, HashSet<string> seen, long minute, long position)
    {
        var counted = new SortedDictionary<string, (long Bytes, long Repeated, int Requests, int Retries)>(StringComparer.Ordinal);
        for (var i = begin; i < portion.Count; i++)
        {
            if (portion[i] is MessageEvent message)
            {
                var isNew = seen.Add(message.MessageId);
                var (bytes, repeated, requests, retries) = counted.GetValueOrDefault(message.DeviceId);
                counted[message.DeviceId] = (bytes + message.Size, repeated + (isNew ? 0 : message.Size), requests + 1, retries + (isNew ? 0 : 1));
            }
        }

        if (seen.Count > MostSeen)
        {
            seen.Clear();
        }

        foreach (var (device, (bytes, repeated, requests, retries)) in counted)
        {
            portion.Add(new TrafficFactEvent
            {
                Position = ++position,
                ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(minute),
                CorrelationId = "",
                FieldId = FieldId,
                DeviceId = device,
                From = DateTimeOffset.FromUnixTimeMilliseconds(minute - Minute),
                To = DateTimeOffset.FromUnixTimeMilliseconds(minute),
                AcceptedBytes = bytes,
                RepeatedBytes = repeated,
                FailedBytes = 0,
                Requests = requests,
                Retries = retries,
                Handshakes = 1,
                WireUp = SimulatedSender.WireUp(bytes, requests),
                WireDown = SimulatedSender.WireDown(requests),
            });
        }

        return position;
    }

    private IEnumerable<long> Times(Chance chance, double perMonth)
    {
        for (var at = _from + Wait(chance, perMonth); at < _to; at += Wait(chance, perMonth))
        {
            yield return at;
        }
    }

    private IEnumerable<(long From, long To)> Outages(Chance chance) => Times(chance, Troubles.Outages).Select(at =>
        (at, at + (long)(Minute * Math.Min(Troubles.LongestOutage, Troubles.OutageMedianMinutes * Math.Exp(Troubles.OutageSpread * Draw.Normal(chance))))));

    private static long Wait(Chance chance, double perMonth) => (long)(Draw.Exponential(chance) * 30 * Day / perMonth) + 1;
}

/// <summary>When a device is not heard.</summary>
/// <param name="Stops">The gateway is down.</param>
/// <param name="Cuts">Its place has no power.</param>
/// <param name="Outages">It has no coverage.</param>
/// <param name="Reboots">It boots.</param>
internal sealed record Absences(
    IReadOnlyList<(long From, long To)> Stops, IReadOnlyList<(long From, long To)> Cuts, IReadOnlyList<(long From, long To)> Outages, IReadOnlyList<(long From, long To)> Reboots);

/// <summary>The span, and what day it is. Unix milliseconds.</summary>
internal sealed record SenderTimes(long From, long To, TimeZoneInfo Zone, FieldCalendar Calendar);

/// <summary>Draws of some distributions.</summary>
internal static class Draw
{
    /// <summary>Mean 1.</summary>
    public static double Exponential(Chance chance) => -Math.Log(1 - chance.Next());

    /// <summary>Mean 0, standard deviation 1 (Box and Muller).</summary>
    public static double Normal(Chance chance) => Math.Sqrt(-2 * Math.Log(1 - chance.Next())) * Math.Cos(2 * Math.PI * chance.Next());
}
