using System.Globalization;
using System.Text;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;

namespace Sekisho.Benchmarks;

/// <summary>A field of sensors that send every five minutes: their messages, and what the other stages say of them. Any thread.</summary>
internal sealed class Sensors(int devices) : IDeviceDirectory, IFlowSwitches, IPayloadMarks, IEventFeed, ILedgerSource
{
    /// <summary>Seconds between two messages of a sensor.</summary>
    public const int Cadence = 300;

    private readonly Dictionary<string, DeviceProfile> _devices = Enumerable.Range(0, devices).Select(i => new DeviceProfile
    {
        DeviceId = Id(i),
        FieldId = Bench.Field,
        Name = "",
        Kind = "sensor",
        UniqueIdType = UniqueIdTypes.Serial,
        Cadence = Cadences.Interval,
        Interval = TimeSpan.FromSeconds(Cadence),
        State = LifecycleStates.Active,
        Assurance = "device",
    }).ToDictionary(d => d.DeviceId);

    public IReadOnlyCollection<FieldProfile> Fields { get; } = [new FieldProfile { FieldId = Bench.Field, Name = "", Kind = "benchmark", TimeZone = "Asia/Tokyo", ContactPoint = "", Language = "en" }];

    public long LastPosition => 0;

    public static string Id(int device) => $"d{device:d15}";

    /// <summary>The message of a sensor in one of its slots of five minutes.</summary>
    public static MessageEvent Message(long position, DateTimeOffset at, int slot, int device)
    {
        var payload = string.Create(CultureInfo.InvariantCulture, $"{{\"time\":\"{at:yyyy-MM-ddTHH:mm:ss.fffZ}\",\"seq\":{slot},\"mode\":\"on\",\"temperature\":{20 + (device % 7) + (slot % 12 / 10.0):F1},\"humidity\":{40 + (slot % 20)},\"battery\":3.6}}");
        return new MessageEvent
        {
            Position = position,
            ArrivedAt = at,
            CorrelationId = $"{position:x32}",
            FieldId = Bench.Field,
            DeviceId = Id(device),
            Epoch = 1,
            DeviceTime = at,
            Sequence = slot.ToString(CultureInfo.InvariantCulture),
            Mode = "on",
            Source = $"198.51.{device / 250}.{device % 250}",
            Size = payload.Length,
            Payload = Encoding.UTF8.GetBytes(payload),
            MessageId = $"{position:x16}{position:x16}", // repeats are recognised by its first half
        };
    }

    public DeviceProfile? Device(string deviceId) => _devices.GetValueOrDefault(deviceId);

    public FieldProfile? Field(string fieldId) => Fields.First();

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => _devices.Values;

    public FlowSwitches Of(string fieldId) => FlowSwitches.Default;

    public IReadOnlyList<string> Sensitive(string fieldId) => [];

    public IReadOnlyList<string> Transient(string fieldId) => [];

    public async ValueTask<IReadOnlyList<GatewayEvent>> ReadAsync(long afterPosition, int limit, CancellationToken cancellation)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        return [];
    }

    public void Release(long position)
    {
    }

    public Task<LedgerInFlight> CountAsync(CancellationToken cancellation) => Task.FromResult(new LedgerInFlight(0, 0, new Dictionary<string, long>()));
}
