using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Events;

namespace Sekisho.Benchmarks;

/// <summary>
/// The lanes alone, on one core: devices that send every five minutes through twelve conditions each, with the ticks of each second between them.
/// No journal, no commit. A stretch is what a commit would take.
/// </summary>
internal static class DetectCase
{
    private const int Stretch = 2000;
    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Run(int devices, double seconds, bool json)
    {
        var template = TwelveConditions.Template();
        var plan = new FieldPlan(new FieldTemplate(template, 1, FieldTemplate.NoValues), TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"));
        var book = new PlanBook(FieldPlan.None, new Dictionary<string, FieldPlan> { [Bench.Field] = plan });
        var directory = new Sensors(devices);
        using var events = Events(devices).GetEnumerator();

        // Two rounds of all devices: their subjects are made, code is compiled.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var table = new SubjectTable(directory, 16);
        var runner = new LaneRunner(table, default);
        for (var i = 0; i < 2 * devices; i += Stretch)
        {
            runner.Step(Next(events).Events, book);
        }

        var heap = (GC.GetTotalMemory(forceFullCollection: true) - before) / devices;
        var stored = table.All.Sum(s => (long)SubjectCodec.Encode(s).Length) / devices;

        // Only the steps are timed: making the events is not part of it.
        var (messages, findings, ticks, elapsed) = (0L, 0L, 0L, TimeSpan.Zero);
        while (elapsed.TotalSeconds < seconds)
        {
            var (stretch, count) = Next(events);
            var started = Stopwatch.GetTimestamp();
            findings += runner.Step(stretch, book).Raised.Count;
            elapsed += Stopwatch.GetElapsedTime(started);
            (messages, ticks) = (messages + count, ticks + stretch.Count - count);
        }

        var result = new
        {
            @case = "detect",
            devices,
            conditions = template.Conditions.Count,
            messages_per_second = Math.Round(messages / elapsed.TotalSeconds),
            microseconds_per_message = Math.Round(elapsed.TotalMicroseconds / messages, 2),
            messages,
            ticks,
            findings,
            heap_bytes_per_device = heap,
            stored_bytes_per_device = stored,
        };
        Console.WriteLine(json
            ? JsonSerializer.Serialize(result)
            : string.Create(CultureInfo.InvariantCulture, $"{result.devices} devices, {result.conditions} conditions each: {result.messages_per_second} messages per second and core ({result.microseconds_per_message} µs), state {result.heap_bytes_per_device} bytes per device in memory, {result.stored_bytes_per_device} stored"));
    }

    private static (List<GatewayEvent> Events, int Messages) Next(IEnumerator<GatewayEvent> events)
    {
        var (stretch, messages) = (new List<GatewayEvent>(Stretch * 2), 0);
        while (messages < Stretch && events.MoveNext())
        {
            stretch.Add(events.Current);
            messages += events.Current is MessageEvent ? 1 : 0;
        }

        return (stretch, messages);
    }

    // Devices are spread evenly over the five minutes.
    private static IEnumerable<GatewayEvent> Events(int devices)
    {
        var position = 0L;
        for (var second = 0; ; second++)
        {
            var at = Start.AddSeconds(second);
            yield return new TickEvent { Position = ++position, ArrivedAt = at, CorrelationId = "" };
            for (var device = second % Sensors.Cadence; device < devices; device += Sensors.Cadence)
            {
                yield return Sensors.Message(++position, at.AddMilliseconds(5 + (device % 900)), second / Sensors.Cadence, device);
            }
        }
    }
}
