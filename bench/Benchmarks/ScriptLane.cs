using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Benchmarks;

/// <summary>What one simple script adds to a message in the lane: 1,000 devices, messages of 200 bytes, no commit.</summary>
internal static class ScriptLane
{
    private const int Devices = 1000;
    private const string Source = """
        return {
          manifest = { title = { ja = "試", en = "t" }, state = 64, findings = { hot = { ja = "熱", en = "hot", risk = "takeover", level = "warning" } } },
          step = function(event, state)
            local t = event.payload.temperature
            return { n = (state.n or 0) + 1, last = t }, { hot = t > 80 }
          end,
        }
        """;

    public static void Run(double seconds)
    {
        var without = Measure(source: null, seconds);
        var with = Measure(Source, seconds);
        Console.WriteLine("\n| lane | µs per message |\n|---|---|");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| without a script | {without:F2} |\n| with one simple script | {with:F2} |\n| the script | {with - without:F2} |"));
    }

    private static double Measure(string? source, double seconds)
    {
        var plan = new FieldPlan(FieldTemplate.None, TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"));
        var book = new PlanBook(FieldPlan.None, new Dictionary<string, FieldPlan> { ["field"] = plan });
        var runner = new LaneRunner(new SubjectTable(new NoDevices(), 16), default);
        var at = new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);
        var position = 0L;
        if (source is not null)
        {
            runner.Step(
                [new ScriptChangedEvent { Position = ++position, ArrivedAt = at, CorrelationId = "", FieldId = "field", ScriptId = "bench", Version = 1, InForce = true, Effect = Effects.Act, Source = Encoding.UTF8.GetBytes(source), By = "bench" }],
                book);
        }

        var payload = Encoding.UTF8.GetBytes("""{"temperature":21.5,"humidity":48,"state":"on","position":{"lat":35.68,"lon":139.76},"firmware":"1.20.3","battery":88,"signal":-71,"uptime":381223,"errors":[]}""");
        double best = double.MaxValue;
        var until = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < until)
        {
            var stretch = new List<GatewayEvent>(2000);
            for (var i = 0; i < 2000; i++)
            {
                at = at.AddMilliseconds(5);
                stretch.Add(new MessageEvent
                {
                    Position = ++position,
                    ArrivedAt = at,
                    CorrelationId = "c",
                    FieldId = "field",
                    DeviceId = $"d{i % Devices}",
                    Epoch = 1,
                    Source = "192.0.2.1",
                    Size = 200,
                    Payload = payload,
                    MessageId = "00ff",
                });
            }

            var started = Stopwatch.GetTimestamp();
            runner.Step(stretch, book);
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMicroseconds / stretch.Count);
        }

        return best;
    }

    private sealed class NoDevices : IDeviceDirectory
    {
        public IReadOnlyCollection<FieldProfile> Fields => [];

        public DeviceProfile? Device(string deviceId) => null;

        public FieldProfile? Field(string fieldId) => null;

        public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [];
    }
}
