using System.Globalization;
using System.Text;
using Sekisho.Detection;
using Sekisho.Detection.Templates;

namespace Sekisho.Benchmarks;

/// <summary>Twelve conditions for each device as a field would have them: limits, learnt ones, presence, times.</summary>
internal static class TwelveConditions
{
    public static Template Template()
    {
        var text = new StringBuilder("id: bench\nversion: 1\ntitle: { ja: 性能測定, en: Benchmark }\ndescription: { ja: 性能測定用です。, en: For measurements. }\nconditions:\n");
        var number = 0;
        void Add(string kind, string parameters, string more = "") => text.Append(CultureInfo.InvariantCulture,
            $"  - {{ key: c{++number}, kind: {kind}, scope: device, risk: takeover, level: warning, label: {{ ja: 条件, en: Condition }}, parameters: {{ {parameters} }}{more} }}\n");
        Add("frequency", "messages: 60, window: \"00:01:00\"");
        Add("frequency", "messages: 1, window: \"06:00:00\"", ", mode: \"off\"");
        Add("silence", "duration: \"06:00:00\", late: \"00:15:00\", unreachable: \"00:30:00\"");
        Add("cadence", "interval: \"00:05:00\", rarer: 3, stop: \"06:00:00\"");
        Add("timestamp", "ahead: \"00:02:00\", back: \"00:01:00\", repeats: 2, drift: 120");
        Add("size", "bytes: 65536");
        Add("size", "sides: both, alarms: 0.2", ", judge: learnt");
        Add("volume", "bytes: 1048576, period: \"1.00:00:00\"");
        Add("volume", "sides: both, alarms: 0.2, period: \"01:00:00\", window: fixed", ", judge: learnt");
        Add("volume", "sides: both, alarms: 0.2, period: \"1.00:00:00\", window: fixed", ", judge: learnt");
        Add("malformed", "refusals: 3, window: \"00:10:00\"");
        Add("malformed", "refusals: 50, window: \"01:00:00\"");
        var faults = new List<string>();
        return new TemplateReader(DetectionFeature.Kinds).Read("bench.yaml", text.ToString(), faults) ?? throw new InvalidOperationException(string.Join(Environment.NewLine, faults));
    }
}
