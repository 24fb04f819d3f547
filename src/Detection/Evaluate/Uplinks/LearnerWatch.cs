using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Evaluate.Uplinks;

/// <summary>
/// Watches a fleet with nothing but the learners: intervals, hours, bursts, sizes, clock offsets, known networks and sizes. A young device leans
/// on devices of its kind, then on all, but for intervals and bursts on its kind only. What was found unusual is not learnt, unless it was the peers who thought so.
/// </summary>
/// <param name="target">False alarms per device, metric and 30 days.</param>
internal sealed class LearnerWatch(double target) : IFleetWatch
{
    private const long Hour = 3_600_000;
    private const long Day = 24 * Hour;

    private readonly TailLearner _interval = new(new LearnerSettings(target, 60, HasLow: false));
    private readonly TailLearner _size = new(new LearnerSettings(target, 1, MostOfLargest: 1.5));
    private readonly TailLearner _clock = new(new LearnerSettings(target, 30));
    private readonly TailLearner _burst = new(Learners.Burst(target));
    private readonly HoursLearner _hours = new(target, 1);
    private readonly SortedDictionary<string, Device> _devices = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Metric, string? Kind), Prior> _priors = [];
    private readonly long[] _networks = new long[KnownSet.Cells];
    private long _day;

    public IEnumerable<Alert> Take(Uplink uplink)
    {
        if (!_devices.TryGetValue(uplink.Device, out var device))
        {
            device = new Device(uplink.Kind, _interval.Cells, _size.Cells, _clock.Cells, _burst.Cells, _hours.Cells) { Hour = uplink.At / Hour };
            _devices.Add(uplink.Device, device);
        }

        var found = new List<Alert>();
        CloseHours(device, uplink.At);
        if (device.Last != 0)
        {
            _interval.Observe(device.Interval, (uplink.At - device.Last) / 1000.0, uplink.At, isClean: !device.IsSilent || device.IsSilentByPeers || !_interval.HasGrown(device.Interval));
        }

        (device.Last, device.IsSilent) = (uplink.At, false);
        Judge(found, uplink, Wrongs.Size, _size, device.Size, uplink.Bytes, PriorOf(Wrongs.Size, device.Kind));
        if (KnownSet.Observe(device.Sizes, uplink.Bytes + 1, uplink.At, isClean: true) == Membership.New)
        {
            found.Add(new Alert(uplink.Device, uplink.At, Wrongs.Size, uplink.Bytes, 0));
        }

        Burst(found, uplink, device);
        Judge(found, uplink, Wrongs.Clock, _clock, device.Clock, (uplink.Taken - uplink.At) / 1000.0, PriorOf(Wrongs.Clock, device.Kind));
        foreach (var network in uplink.Networks)
        {
            // To a newcomer every network is new: what no other device uses either is told. The fleet knows a network when a device came back to it.
            var key = unchecked((long)StableHash.Of("network", network));
            var (own, all) = (KnownSet.Observe(device.Networks, key, uplink.At, isClean: true), KnownSet.Of(_networks, key, uplink.At));
            if (all != Membership.New || own == Membership.Known)
            {
                KnownSet.Observe(_networks, key, uplink.At, isClean: true);
            }

            if (own == Membership.New || (own == Membership.Learning && all == Membership.New))
            {
                found.Add(new Alert(uplink.Device, uplink.At, Wrongs.Network, 1, 0));
            }
        }

        device.InHour++;
        var most = _hours.At(device.Hours, PriorOf(Wrongs.Rate, device.Kind), uplink.At).High;
        if (device.InHour > most && !device.IsRaised)
        {
            device.IsRaised = true;
            if (!device.WasRaised)
            {
                // Hours in a row are one thing.
                found.Add(new Alert(uplink.Device, uplink.At, Wrongs.Rate, device.InHour, most.Value));
            }
        }

        return found;
    }

    public IEnumerable<Alert> Tick(long at)
    {
        if (at / Day != _day)
        {
            _day = at / Day;
            Teach();
        }

        var found = new List<Alert>();
        foreach (var (name, device) in _devices)
        {
            CloseHours(device, at);
            var threshold = _interval.Current(device.Interval, _priors.GetValueOrDefault((Wrongs.Silence, device.Kind)));
            var silent = (at - device.Last) / 1000.0;
            if (silent > threshold.High && !device.IsSilent)
            {
                (device.IsSilent, device.IsSilentByPeers) = (true, threshold.Origin == "peer");
                found.Add(new Alert(name, at, Wrongs.Silence, silent, threshold.High.Value));
            }
        }

        return found;
    }

    private static void Judge(List<Alert> found, Uplink uplink, string wrong, TailLearner learner, long[] state, double value, in Prior prior)
    {
        var threshold = learner.Current(state, prior);
        var isUsual = threshold.Contains(value);
        if (!isUsual)
        {
            found.Add(new Alert(uplink.Device, uplink.At, wrong, value, value > threshold.High ? threshold.High.Value : threshold.Low!.Value));
        }

        learner.Observe(state, value, uplink.At, isUsual || threshold.Origin == "peer");
    }

    private void Burst(List<Alert> found, Uplink uplink, Device device)
    {
        if (BurstMetric.Take(device.Times, BurstMetric.Usual, uplink.At, position: 0) is not { } seconds)
        {
            return;
        }

        var low = _burst.Current(device.Burst, _priors.GetValueOrDefault((Wrongs.Rate, device.Kind + "/burst"))).Low;
        var isBurst = seconds < low;
        if (isBurst && !device.IsBurst)
        {
            found.Add(new Alert(uplink.Device, uplink.At, Wrongs.Rate, seconds, low!.Value));
        }

        device.IsBurst = isBurst;
        _burst.Observe(device.Burst, seconds, uplink.At, isClean: !isBurst || !_burst.HasGrown(device.Burst));
    }

    private void CloseHours(Device device, long at)
    {
        for (; device.Hour < at / Hour; device.Hour++)
        {
            _hours.Observe(device.Hours, device.InHour, device.Hour * Hour, isClean: !device.IsRaised);
            (device.InHour, device.IsRaised, device.WasRaised) = (0, false, device.IsRaised);
        }
    }

    private Prior PriorOf(string metric, string kind) =>
        _priors.TryGetValue((metric, kind), out var ofKind) && ofKind.Version > 0 ? ofKind : _priors.GetValueOrDefault((metric, null));

    private void Teach()
    {
        var version = (int)_day;
        foreach (var peers in _devices.Values.GroupBy(d => d.Kind).Select(g => (Kind: (string?)g.Key, Devices: g.ToArray())).Append((null, _devices.Values.ToArray())))
        {
            _priors[(Wrongs.Silence, peers.Kind)] = _interval.PriorOf(version, [.. peers.Devices.Select(d => (ReadOnlyMemory<long>)d.Interval)]);
            _priors[(Wrongs.Size, peers.Kind)] = _size.PriorOf(version, [.. peers.Devices.Select(d => (ReadOnlyMemory<long>)d.Size)]);
            _priors[(Wrongs.Rate, peers.Kind)] = _hours.PriorOf(version, [.. peers.Devices.Select(d => (ReadOnlyMemory<long>)d.Hours)]);
            if (peers.Kind is not null)
            {
                _priors[(Wrongs.Rate, peers.Kind + "/burst")] = _burst.PriorOf(version, [.. peers.Devices.Select(d => (ReadOnlyMemory<long>)d.Burst)]);
            }

            _priors[(Wrongs.Clock, peers.Kind)] = _clock.PriorOf(version, [.. peers.Devices.Select(d => (ReadOnlyMemory<long>)d.Clock)]);
        }
    }

    private sealed class Device(string kind, int interval, int size, int clock, int burst, int hours)
    {
        public string Kind { get; } = kind;

        public long[] Interval { get; } = new long[interval];

        public long[] Size { get; } = new long[size];

        public long[] Clock { get; } = new long[clock];

        public long[] Burst { get; } = new long[burst];

        public long[] Times { get; } = new long[Ring.CellsFor(BurstMetric.Usual)];

        public long[] Sizes { get; } = new long[KnownSet.Cells];

        public long[] Hours { get; } = new long[hours];

        public long[] Networks { get; } = new long[KnownSet.Cells];

        public long Last { get; set; }

        public bool IsSilent { get; set; }

        public bool IsSilentByPeers { get; set; }

        public long Hour { get; set; }

        public int InHour { get; set; }

        public bool IsBurst { get; set; }

        public bool IsRaised { get; set; }

        public bool WasRaised { get; set; }
    }
}
