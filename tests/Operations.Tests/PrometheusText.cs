using System.Globalization;
using System.Text;

namespace Sekisho.Operations.Tests;

/// <summary>A strict reader of the Prometheus text format 0.0.4, written from its description and not from our writer.</summary>
internal static class PrometheusText
{
    internal sealed record Sample(string Name, Dictionary<string, string> Labels, double Value);

    internal sealed record Metric(string Name, string Help, string Type, List<Sample> Samples);

    public static Dictionary<string, Metric> Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var metrics = new Dictionary<string, Metric>();
        var help = "";
        Metric? current = null;
        foreach (var line in text.Split('\n')[..^1])
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                help = line.Split(' ', 4)[3].Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ');
                current = new Metric(parts[2], help, parts[3], []);
                Assert.Contains(current.Type, (string[])["counter", "gauge", "histogram"]);
                Assert.True(metrics.TryAdd(current.Name, current), $"{current.Name} stands twice");
            }
            else
            {
                var sample = ParseSample(line);
                Assert.NotNull(current);
                Assert.Contains(sample.Name, current.Type == "histogram" ? [current.Name + "_bucket", current.Name + "_sum", current.Name + "_count"] : new[] { current.Name });
                Assert.DoesNotContain(current.Samples, s => s.Name == sample.Name && s.Labels.Count == sample.Labels.Count && !s.Labels.Except(sample.Labels).Any());
                current.Samples.Add(sample);
            }
        }

        return metrics;
    }

    private static Sample ParseSample(string line)
    {
        var at = 0;
        var name = Name(line, ref at, colon: true);
        var labels = new Dictionary<string, string>();
        if (line[at] == '{')
        {
            at++;
            while (line[at] != '}')
            {
                var label = Name(line, ref at, colon: false);
                Assert.Equal("=\"", line.Substring(at, 2));
                at += 2;
                var value = new StringBuilder();
                while (line[at] != '"')
                {
                    if (line[at] == '\\')
                    {
                        at++;
                        value.Append(line[at] switch { 'n' => '\n', '\\' => '\\', '"' => '"', var c => throw new FormatException($"\\{c}") });
                    }
                    else
                    {
                        value.Append(line[at]);
                    }

                    at++;
                }

                at++;
                labels.Add(label, value.ToString());
                if (line[at] == ',')
                {
                    at++;
                }
            }

            at++;
        }

        Assert.Equal(' ', line[at]);
        var number = line[(at + 1)..];
        return new Sample(name, labels, number switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            "NaN" => double.NaN,
            _ => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture),
        });
    }

    private static string Name(string line, ref int at, bool colon)
    {
        var start = at;
        while (at < line.Length && (char.IsAsciiLetter(line[at]) || line[at] == '_' || (colon && line[at] == ':') || (at > start && char.IsAsciiDigit(line[at]))))
        {
            at++;
        }

        Assert.True(at > start, $"no name at {start} in '{line}'");
        return line[start..at];
    }
}
