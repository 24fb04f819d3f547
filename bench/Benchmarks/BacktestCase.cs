using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Detection;
using Sekisho.Detection.Backtest;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;
using Sekisho.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Benchmarks;

/// <summary>
/// A back-test as the gateway runs it, from the encrypted store on disk: devices that send every five minutes, what the gateway counted of each
/// such minute, and a tick each second. Writing the history is not measured.
/// </summary>
internal static class BacktestCase
{
    private const int Cadence = 300;
    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task<int> RunAsync(int days, int devices, string templateId, bool json)
    {
        var folder = Directory.CreateTempSubdirectory("sekisho-bench-").FullName;
        try
        {
            var state = Database.Sqlite(Path.Combine(folder, "state.db"));
            var databases = new Databases(state, state);
            await using var services = Services(databases, devices);
            await Migrations.ApplyAsync(databases, services.GetServices<StageMigrations>(), TimeProvider.System);
            await Console.Error.WriteLineAsync($"writing {days} days of {devices} devices …");
            Write(services, databases, days, devices);
            var template = templateId.Length > 0 ? services.GetRequiredService<TemplateCatalog>().Find(templateId)! : Twelve(services.GetRequiredService<TemplateReader>());
            await MeasureAsync(services, template, days, devices, json);
            await state.DisposeAsync();
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(ServiceProvider services, Template template, int days, int devices, bool json)
    {
        var proposed = new FieldTemplate(template, 1, FieldTemplate.NoValues);
        var plan = new FieldPlan(proposed, TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"));
        using var job = new BacktestJob("b", new BacktestPlan(Bench.Field, proposed, plan, null, null, Start, Start, Start.AddDays(days)), "bench", Start);
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var outcome = await services.GetRequiredService<BacktestRunner>().RunAsync(job);
        var seconds = clock.Elapsed.TotalSeconds;
        using var process = Process.GetCurrentProcess();
        var result = new
        {
            @case = "backtest",
            days,
            devices,
            conditions = template.Conditions.Count,
            messages = outcome.Messages,
            events = job.Events,
            seconds = Math.Round(seconds, 1),
            cpu_seconds = Math.Round((process.TotalProcessorTime - cpu).TotalSeconds, 1),
            messages_per_second = Math.Round(outcome.Messages / seconds),
            findings = outcome.Proposed.Findings,
            heap_mib = Math.Round((GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0, 1),
            peak_resident_mib = Math.Round(process.PeakWorkingSet64 / 1048576.0),
        };
        Console.WriteLine(json
            ? JsonSerializer.Serialize(result)
            : string.Create(CultureInfo.InvariantCulture, $"{result.days} days × {result.devices} devices, {result.messages} messages ({result.events} events) through {result.conditions} conditions: {result.seconds} s, {result.messages_per_second} messages/s, {result.findings} findings, {result.peak_resident_mib} MiB resident at most"));
    }

    private static void Write(ServiceProvider services, Databases databases, int days, int devices)
    {
        var part = services.GetRequiredService<ILaneCommitPart>();
        var position = 0L;
        for (var slot = 0; slot < days * 86_400 / Cadence; slot++)
        {
            var at = Start.AddSeconds(slot * Cadence);
            var batch = Batch(at, slot, devices, ref position);
            databases.State.Write(t => part.Write(batch, t));
            part.Committed(batch);
        }
    }

    // Devices are spread over the first minute of a slot, then the gateway tells of that minute, then only the clock runs.
    private static LaneBatch Batch(DateTimeOffset at, int slot, int devices, ref long position)
    {
        var first = position + 1;
        var messages = new List<MessageEvent>(devices);
        var ticks = new List<TickEvent>(Cadence);
        for (var second = 0; second < 60; second++)
        {
            ticks.Add(new TickEvent { Position = ++position, ArrivedAt = at.AddSeconds(second), CorrelationId = "" });
            for (var device = second; device < devices; device += 60)
            {
                messages.Add(Message(++position, at.AddSeconds(second).AddMilliseconds(5 + (device % 900)), slot, device));
            }
        }

        var told = at.AddSeconds(60);
        var correlation = $"{position:x32}";
        var facts = new List<GatewayEvent>(devices);
        for (var device = 0; device < devices; device++)
        {
            facts.Add(new TrafficFactEvent
            {
                Position = ++position,
                ArrivedAt = told,
                CorrelationId = correlation,
                FieldId = Bench.Field,
                DeviceId = Id(device),
                From = at,
                To = told,
                AcceptedBytes = 180,
                RepeatedBytes = 0,
                FailedBytes = 0,
                Requests = 1,
                Retries = 0,
                Handshakes = 0,
                WireUp = 640,
                WireDown = 320,
            });
        }

        for (var second = 60; second < Cadence; second++)
        {
            ticks.Add(new TickEvent { Position = ++position, ArrivedAt = at.AddSeconds(second), CorrelationId = "" });
        }

        // As the lanes group them: at most a thousand messages each.
        var chunks = messages.Chunk(1000).Select(m => new MessageChunk(Bench.Field, Backlog: false, m)).ToList();
        return new LaneBatch { FirstPosition = first, LastPosition = position, Chunks = chunks, Duplicates = [], Findings = [], Facts = facts, Ticks = ticks };
    }

    private static MessageEvent Message(long position, DateTimeOffset at, int slot, int device)
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

    private static string Id(int device) => $"d{device:d15}";

    private static ServiceProvider Services(Databases databases, int devices)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(TimeProvider.System).AddSingleton(databases).AddSingleton(new MasterKey(RandomNumberGenerator.GetBytes(MasterKey.Size)));
        var others = new Others(devices);
        services.AddSingleton<IDeviceDirectory>(others).AddSingleton<IFlowSwitches>(others).AddSingleton<IPayloadMarks>(others).AddSingleton<IEventFeed>(others).AddSingleton<ILedgerSource>(others);
        services.AddHistory();
        services.AddDetection();
        return services.BuildServiceProvider();
    }

    private static Template Twelve(TemplateReader reader)
    {
        var text = new StringBuilder("id: bench\nversion: 1\ntitle: { ja: 性能測定, en: Benchmark }\ndescription: { ja: 性能測定用です。, en: For measurements. }\nconditions:\n");
        var number = 0;
        void Add(string kind, string parameters, string more = "") => text.Append(CultureInfo.InvariantCulture,
            $"  - {{ key: c{++number}, kind: {kind}, scope: device, risk: takeover, level: warning, label: {{ ja: 条件, en: Condition }}, parameters: {{ {parameters} }}{more} }}\n");
        Add("frequency", "messages: 60, window: \"00:01:00\"");
        Add("frequency", "messages: 1, window: \"06:00:00\"", ", mode: \"off\"");
        Add("silence", "duration: \"06:00:00\"");
        Add("silence", "duration: \"12:00:00\"", ", mode: \"on\"");
        Add("size", "bytes: 65536");
        Add("size", "sides: both, alarms: 0.2", ", judge: learnt");
        Add("volume", "bytes: 1048576, period: \"1.00:00:00\"");
        Add("volume", "sides: both, alarms: 0.2, period: \"01:00:00\", window: fixed", ", judge: learnt");
        Add("volume", "sides: both, alarms: 0.2, period: \"1.00:00:00\", window: fixed", ", judge: learnt");
        Add("malformed", "refusals: 3, window: \"00:10:00\"");
        Add("malformed", "refusals: 50, window: \"01:00:00\"");
        Add("size", "least: 2", ", judge: below");
        var faults = new List<string>();
        return reader.Read("bench.yaml", text.ToString(), faults) ?? throw new InvalidOperationException(string.Join(Environment.NewLine, faults));
    }

    /// <summary>What the other stages would say. Any thread.</summary>
    private sealed class Others(int devices) : IDeviceDirectory, IFlowSwitches, IPayloadMarks, IEventFeed, ILedgerSource
    {
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
}
