using Sekisho.Detection.Backtest;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Detection.Evaluate.Uplinks;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>False alarms of one template on one kind of data.</summary>
/// <param name="Template">Which.</param>
/// <param name="Version">Its version.</param>
/// <param name="Data">"simulated" or "recorded".</param>
/// <param name="Devices">Devices.</param>
/// <param name="DeviceMonths">Exposure after the days of learning, in devices times 30 days.</param>
/// <param name="Alarms">Findings of a warning or more that would act and were not taken back: all of them false, because nothing was wrong.</param>
/// <param name="Notes">Findings for information, and those that were taken back: nobody is called for them.</param>
/// <param name="Conditions">Alarms by condition.</param>
internal sealed record FalseAlarms(string Template, int Version, string Data, int Devices, double DeviceMonths, int Alarms, int Notes, IReadOnlyDictionary<string, int> Conditions)
{
    public double PerMonth => DeviceMonths > 0 ? Alarms / DeviceMonths : 0;

    public double UpperBound => DeviceMonths > 0 ? Poisson.UpperBound(Alarms, 0.95) / DeviceMonths : 0;
}

/// <summary>Runs a template as it is shipped over harmless operation and counts what it raises. Pure but for the files it is given.</summary>
internal static class TemplateTrial
{
    /// <summary>Days of a simulation. From April on: the national holidays of May are in it.</summary>
    public const int Days = 91;

    /// <summary>Days in which conditions learn and nothing is counted.</summary>
    public const int LearnDays = 7;

    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.FromHours(9));
    private static readonly FieldCalendar Calendar = new(japan: true, [], []);

    /// <summary>On a simulated fleet.</summary>
    public static FalseAlarms Simulated(Template template, FleetFile fleet, ulong seed)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo");
        var devices = new BenignFleet(fleet, Start, Days, Calendar, zone, seed);
        var counted = Count(template, zone, Calendar, devices, BenignFleet.FieldId, devices.Portions(), Start.AddDays(LearnDays));
        return new FalseAlarms(template.Id, template.Version, "simulated", devices.Devices, devices.Devices * (Days - LearnDays) / 30.0, counted.Alarms, counted.Notes, counted.ByCondition);
    }

    /// <summary>On recorded uplinks of sensors (their times, sizes and gateways; what they measured was not kept).</summary>
    public static FalseAlarms Recorded(Template template, IReadOnlyList<Uplink> uplinks)
    {
        var from = DateTimeOffset.FromUnixTimeMilliseconds(uplinks[0].At).AddDays(LearnDays);
        var directory = new UplinkDirectory(uplinks);
        var counted = Count(template, TimeZoneInfo.Utc, FieldCalendar.None, directory, BenignFleet.FieldId, Portions(uplinks), from);
        var days = uplinks.GroupBy(u => u.Device).Sum(g => Math.Max(0, (uplinks[^1].At - Math.Max(from.ToUnixTimeMilliseconds(), g.Min(u => u.At))) / 86_400_000.0));
        return new FalseAlarms(template.Id, template.Version, "recorded", directory.DevicesOf("").Count, days / 30, counted.Alarms, counted.Notes, counted.ByCondition);
    }

    private static Counter Count(
        Template template, TimeZoneInfo zone, FieldCalendar calendar, IDeviceDirectory directory, string fieldId, IEnumerable<IReadOnlyList<GatewayEvent>> portions, DateTimeOffset from)
    {
        var plan = new FieldPlan(new FieldTemplate(template, 1, FieldTemplate.NoValues), zone, calendar);
        var replay = new Replay(fieldId, plan, directory, LaneBooks.Empty, sources: 32_768, ticksFrom: DateTimeOffset.MinValue);
        var counter = new Counter(from);
        foreach (var portion in portions)
        {
            counter.Add(replay.Step(portion));
        }

        counter.End();
        return counter;
    }

    private static IEnumerable<IReadOnlyList<GatewayEvent>> Portions(IReadOnlyList<Uplink> uplinks)
    {
        const long Minute = 60_000;
        var position = 0L;
        var portion = new List<GatewayEvent>();
        var minute = ((uplinks[0].At / Minute) + 1) * Minute;
        var sequences = new Dictionary<string, long>();
        foreach (var uplink in uplinks)
        {
            for (; minute <= uplink.At; minute += Minute)
            {
                portion.Add(new TickEvent { Position = ++position, ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(minute), CorrelationId = "" });
            }

            var sequence = sequences[uplink.Device] = sequences.GetValueOrDefault(uplink.Device) + 1;
            portion.Add(new MessageEvent
            {
                Position = ++position,
                ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(uplink.At),
                CorrelationId = "",
                FieldId = BenignFleet.FieldId,
                DeviceId = uplink.Device,
                Epoch = 1,
                Source = "192.0.2.1",
                Size = uplink.Bytes,
                Payload = "{}"u8.ToArray(),
                MessageId = $"{uplink.Device}/{sequence}",
            });
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

    /// <summary>Counts alarms; a finding that is taken back later is none. One thread.</summary>
    private sealed class Counter(DateTimeOffset from)
    {
        private readonly Dictionary<(SubjectId Subject, ulong Identity), List<Finding>> _open = [];
        private readonly Dictionary<string, int> _byCondition = [];

        public int Alarms { get; private set; }

        public int Notes { get; private set; }

        public IReadOnlyDictionary<string, int> ByCondition => _byCondition;

        public void Add(StepResult result)
        {
            foreach (var raised in result.Raised.Where(r => r.Finding.RaisedAt >= from))
            {
                if (!_open.TryGetValue((raised.Subject, raised.Identity), out var findings))
                {
                    _open.Add((raised.Subject, raised.Identity), findings = []);
                }

                findings.Add(raised.Finding);
            }

            foreach (var back in result.Retracted)
            {
                if (_open.Remove((back.Subject, back.Identity), out var findings))
                {
                    Notes += findings.Count(f => f.Position <= back.Position);
                    Settle(findings.Where(f => f.Position > back.Position));
                }
            }

            foreach (var over in result.Cleared)
            {
                if (_open.Remove((over.Subject, over.Identity), out var findings))
                {
                    Settle(findings);
                }
            }
        }

        public void End()
        {
            foreach (var findings in _open.Values)
            {
                Settle(findings);
            }

            _open.Clear();
        }

        private void Settle(IEnumerable<Finding> findings)
        {
            foreach (var finding in findings)
            {
                if (finding.Effect != Effects.Act || Levels.Rank(finding.Level) < Levels.Rank(Levels.Warning))
                {
                    Notes++;
                    continue;
                }

                Alarms++;
                _byCondition[finding.ConditionKey] = _byCondition.GetValueOrDefault(finding.ConditionKey) + 1;
            }
        }
    }

    private sealed class UplinkDirectory(IReadOnlyList<Uplink> uplinks) : IDeviceDirectory
    {
        private readonly Dictionary<string, DeviceProfile> _devices = uplinks.GroupBy(u => u.Device).ToDictionary(g => g.Key, g => new DeviceProfile
        {
            DeviceId = g.Key,
            FieldId = BenignFleet.FieldId,
            Name = "",
            Kind = g.First().Kind,
            UniqueIdType = UniqueIdTypes.Vendor,
            Cadence = Cadences.Irregular,
            State = LifecycleStates.Active,
            Assurance = "device",
        });

        public IReadOnlyCollection<FieldProfile> Fields => [];

        public DeviceProfile? Device(string deviceId) => _devices.GetValueOrDefault(deviceId);

        public FieldProfile? Field(string fieldId) => null;

        public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => _devices.Values;
    }
}
