using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
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
            var template = templateId.Length > 0 ? services.GetRequiredService<TemplateCatalog>().Find(templateId)! : TwelveConditions.Template();
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
        if (outcome.Messages == 0)
        {
            throw new InvalidOperationException("The back-test has read no message.");
        }

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
        var parts = services.GetServices<ILaneCommitPart>().ToList();
        var position = 0L;
        for (var slot = 0; slot < days * 86_400 / Sensors.Cadence; slot++)
        {
            var at = Start.AddSeconds(slot * Sensors.Cadence);
            var batch = Batch(at, slot, devices, ref position);
            databases.State.Write(t => parts.ForEach(p => p.Write(batch, t)));
            parts.ForEach(p => p.Committed(batch));
        }
    }

    // Devices are spread over the first minute of a slot, then the gateway tells of that minute, then only the clock runs.
    private static LaneBatch Batch(DateTimeOffset at, int slot, int devices, ref long position)
    {
        var first = position + 1;
        var messages = new List<MessageEvent>(devices);
        var ticks = new List<TickEvent>(Sensors.Cadence);
        for (var second = 0; second < 60; second++)
        {
            ticks.Add(new TickEvent { Position = ++position, ArrivedAt = at.AddSeconds(second), CorrelationId = "" });
            for (var device = second; device < devices; device += 60)
            {
                messages.Add(Sensors.Message(++position, at.AddSeconds(second).AddMilliseconds(5 + (device % 900)), slot, device));
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
                DeviceId = Sensors.Id(device),
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

        for (var second = 60; second < Sensors.Cadence; second++)
        {
            ticks.Add(new TickEvent { Position = ++position, ArrivedAt = at.AddSeconds(second), CorrelationId = "" });
        }

        // As the lanes group them: at most a thousand messages each.
        var chunks = messages.Chunk(1000).Select(m => new MessageChunk(Bench.Field, Backlog: false, m)).ToList();
        return new LaneBatch { FirstPosition = first, LastPosition = position, Chunks = chunks, Duplicates = [], Findings = [], Facts = facts, Ticks = ticks };
    }

    private static ServiceProvider Services(Databases databases, int devices)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(TimeProvider.System).AddSingleton(databases).AddSingleton(new MasterKey(RandomNumberGenerator.GetBytes(MasterKey.Size)));
        var others = new Sensors(devices);
        services.AddSingleton<IDeviceDirectory>(others).AddSingleton<IFlowSwitches>(others).AddSingleton<IPayloadMarks>(others).AddSingleton<IEventFeed>(others).AddSingleton<ILedgerSource>(others);
        services.AddHistory();
        services.AddDetection();
        return services.BuildServiceProvider();
    }
}
