using System.Globalization;
using System.Text;

namespace Sekisho.Operations.Metrics;

/// <summary>
/// Writes the Prometheus text format, version 0.0.4 (prometheus.io, "Exposition formats"): HELP and TYPE once per name, labels escaped,
/// histograms as cumulative buckets with sum and count. One thread at a time.
/// </summary>
internal sealed class Exposition
{
    /// <summary>Content type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new(16 * 1024);

    public override string ToString() => _text.ToString();

    /// <summary>A name as the format allows it: [a-zA-Z_:][a-zA-Z0-9_:]*.</summary>
    public static string NameOf(string name) => Allowed(name, colon: true);

    public void Write(Family family)
    {
        var series = family.All.Where(s => s.IsSet).ToArray();
        if (series.Length == 0)
        {
            return;
        }

        Head(family.Name, family.Help, family.Kind);
        foreach (var one in series)
        {
            if (family.Kind != FamilyKind.Histogram)
            {
                Line(family.Name, one.Labels, null, one.Value);
                continue;
            }

            var total = 0L;
            var buckets = one.Buckets();
            for (var i = 0; i < buckets.Length; i++)
            {
                total += buckets[i];
                Line(family.Name + "_bucket", one.Labels, i < family.Bounds.Count ? Number(family.Bounds[i]) : "+Inf", total);
            }

            Line(family.Name + "_sum", one.Labels, null, one.Value);
            Line(family.Name + "_count", one.Labels, null, total);
        }
    }

    /// <summary>A metric that is read at this moment.</summary>
    public void Write(string name, string help, FamilyKind kind, params ReadOnlySpan<(KeyValuePair<string, object?>[] Labels, double Value)> series)
    {
        Head(name, help, kind);
        foreach (var (labels, value) in series)
        {
            Line(name, labels, null, value);
        }
    }

    private static string Allowed(string name, bool colon)
    {
        var kept = new StringBuilder(name.Length + 1);
        foreach (var c in name)
        {
            kept.Append(char.IsAsciiLetterOrDigit(c) || c == '_' || (colon && c == ':') ? c : '_');
        }

        if (kept.Length == 0 || char.IsAsciiDigit(kept[0]))
        {
            kept.Insert(0, '_');
        }

        return kept.ToString();
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private void Head(string name, string help, FamilyKind kind)
    {
        _text.Append("# HELP ").Append(name).Append(' ');
        Escaped(help, quotes: false);
        _text.Append("\n# TYPE ").Append(name).Append(' ').Append(kind switch { FamilyKind.Counter => "counter", FamilyKind.Gauge => "gauge", _ => "histogram" }).Append('\n');
    }

    private void Line(string name, IReadOnlyList<KeyValuePair<string, object?>> labels, string? bucket, double value)
    {
        _text.Append(name);
        if (labels.Count > 0 || bucket is not null)
        {
            _text.Append('{');
            var first = true;
            foreach (var (key, label) in labels)
            {
                Label(Allowed(key, colon: false), Convert.ToString(label, CultureInfo.InvariantCulture) ?? "", ref first);
            }

            if (bucket is not null)
            {
                Label("le", bucket, ref first);
            }

            _text.Append('}');
        }

        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    private void Label(string name, string value, ref bool first)
    {
        if (!first)
        {
            _text.Append(',');
        }

        first = false;
        _text.Append(name).Append("=\"");
        Escaped(value, quotes: true);
        _text.Append('"');
    }

    private void Escaped(string value, bool quotes)
    {
        foreach (var c in value)
        {
            switch (c)
            {
                case '\\':
                    _text.Append("\\\\");
                    break;
                case '\n':
                    _text.Append("\\n");
                    break;
                case '"' when quotes:
                    _text.Append("\\\"");
                    break;
                default:
                    _text.Append(c);
                    break;
            }
        }
    }
}
