using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Sekisho.Operations.Metrics;
using Sekisho.Tests.Support;

namespace Sekisho.Operations.Tests;

public sealed class MetricsTests : IDisposable
{
    private readonly Meter _meter = new("Sekisho");
    private readonly Collector _collector = new(NullLogger<Collector>.Instance);
    private readonly string _name = "test_" + Guid.NewGuid().ToString("N");

    [Fact]
    public void What_is_measured_is_what_a_reader_reads()
    {
        var counter = _meter.CreateCounter<long>(_name + "_total", description: "Back\\slash and\nnew line.");
        counter.Add(2, new KeyValuePair<string, object?>("reason", "quote \" back\\slash\nnew line 日本"));
        counter.Add(3, new KeyValuePair<string, object?>("reason", "quote \" back\\slash\nnew line 日本"));
        counter.Add(1, new KeyValuePair<string, object?>("reason", null), new KeyValuePair<string, object?>("we-ird.key", 7));

        var metric = PrometheusText.Parse(_collector.Scrape())[_name + "_total"];
        Assert.Equal(("counter", "Back\\slash and\nnew line."), (metric.Type, metric.Help));
        Assert.Equal(5, metric.Samples.Single(s => s.Labels["reason"] == "quote \" back\\slash\nnew line 日本").Value);
        Assert.Equal(1, metric.Samples.Single(s => s.Labels["reason"].Length == 0).Value);
        Assert.Equal("7", metric.Samples.Single(s => s.Labels.Count == 2).Labels["we_ird_key"]);
    }

    [Fact]
    public void A_histogram_has_cumulative_buckets_sum_and_count()
    {
        var histogram = _meter.CreateHistogram(_name, "s", "Time.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 10] });
        foreach (var value in (double[])[0.1, 0.5, 5, 50])
        {
            histogram.Record(value, new KeyValuePair<string, object?>("stage", "x"));
        }

        var metric = PrometheusText.Parse(_collector.Scrape())[_name];
        Assert.Equal("histogram", metric.Type);
        Assert.Equal(
            [("0.1", 1.0), ("1", 2.0), ("10", 3.0), ("+Inf", 4.0)],
            metric.Samples.Where(s => s.Name.EndsWith("_bucket", StringComparison.Ordinal)).Select(s => (s.Labels["le"], s.Value)));
        Assert.Equal(4, metric.Samples.Single(s => s.Name.EndsWith("_count", StringComparison.Ordinal)).Value);
        Assert.Equal(55.6, metric.Samples.Single(s => s.Name.EndsWith("_sum", StringComparison.Ordinal)).Value, 6);
    }

    [Fact]
    public void Gauges_show_the_present_and_forget_what_is_gone()
    {
        var values = new Dictionary<string, double> { ["a"] = 1, ["b"] = double.NaN, ["c"] = double.PositiveInfinity };
        _meter.CreateObservableGauge(_name, () => values.Select(v => new Measurement<double>(v.Value, new KeyValuePair<string, object?>("x", v.Key))));
        Assert.Equal(3, PrometheusText.Parse(_collector.Scrape())[_name].Samples.Count);
        values.Remove("b");
        values["a"] = -2;
        var now = PrometheusText.Parse(_collector.Scrape())[_name].Samples;
        Assert.Equal([-2, double.PositiveInfinity], now.Select(s => s.Value));

        var up = _meter.CreateUpDownCounter<int>(_name + "_open");
        up.Add(3);
        up.Add(-1);
        Assert.Equal(2, PrometheusText.Parse(_collector.Scrape())[_name + "_open"].Samples.Single().Value);
    }

    [Fact]
    public void Labels_without_end_are_counted_together_and_none_is_lost()
    {
        var counter = _meter.CreateCounter<long>(_name + "_total");
        for (var i = 0; i < 5000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("source", i));
        }

        var samples = PrometheusText.Parse(_collector.Scrape())[_name + "_total"].Samples;
        Assert.Equal(Family.MostSeries + 1, samples.Count);
        Assert.Equal(5000, samples.Sum(s => s.Value));
        Assert.Equal(5000 - Family.MostSeries, samples.Single(s => s.Labels.ContainsKey("overflow")).Value);
    }

    [Fact]
    public void A_gauge_that_throws_hides_no_other()
    {
        using var other = new Meter("Sekisho");
        other.CreateObservableGauge(_name + "_bad", new Func<int>(() => throw new InvalidOperationException("no")));
        _meter.CreateCounter<long>(_name + "_total").Add(1);
        Assert.Contains(_name + "_total", PrometheusText.Parse(_collector.Scrape()).Keys);
    }

    [Fact]
    public void A_measurement_with_a_known_label_set_holds_its_budget()
    {
        var counter = _meter.CreateCounter<long>(_name + "_total");
        var label = new KeyValuePair<string, object?>("outcome", "accepted");
        var measured = Budget.Measure("metric-record", () => counter.Add(1, label));
        TestContext.Current.TestOutputHelper!.WriteLine(measured.ToString());
        Assert.True(measured.Holds, measured.ToString());
    }

    [Fact]
    public void Measurements_from_many_threads_add_up()
    {
        var counter = _meter.CreateCounter<double>(_name + "_total");
        var histogram = _meter.CreateHistogram<double>(_name + "_seconds", "s");
        Parallel.For(0, 20_000, i =>
        {
            counter.Add(1, new KeyValuePair<string, object?>("n", i % 3));
            histogram.Record(0.5);
        });
        var metrics = PrometheusText.Parse(_collector.Scrape());
        Assert.Equal(20_000, metrics[_name + "_total"].Samples.Sum(s => s.Value));
        Assert.Equal(20_000, metrics[_name + "_seconds"].Samples.Single(s => s.Name.EndsWith("_count", StringComparison.Ordinal)).Value);
    }

    [Fact]
    public void Random_names_labels_and_values_always_give_text_that_reads_back()
    {
        var random = new Random(7);
        string Text(int most) => string.Concat(Enumerable.Range(0, random.Next(1, most)).Select(_ => (char)random.Next(1, 0xd7ff)));
        for (var round = 0; round < 300; round++)
        {
            var name = Exposition.NameOf(Text(12));
            var labels = Enumerable.Range(0, random.Next(4)).Select(i => new KeyValuePair<string, object?>($"l{i}", Text(20))).ToArray();
            var value = BitConverter.Int64BitsToDouble(random.NextInt64());
            var exposition = new Exposition();
            exposition.Write(name, Text(30), FamilyKind.Gauge, (labels, value));
            var sample = PrometheusText.Parse(exposition.ToString())[name].Samples.Single();
            Assert.Equal(value, sample.Value);
            Assert.Equal(labels.ToDictionary(l => l.Key, l => (string)l.Value!), sample.Labels);
        }
    }

    [Fact]
    public async Task The_scrape_shows_stages_process_and_runtime_to_maintainers()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        var answer = await host.SendAsync("GET", "/metrics", token: token);
        Assert.Equal((200, "text/plain; version=0.0.4; charset=utf-8"), (answer.Status, answer.ContentType));
        var metrics = PrometheusText.Parse(answer.Text);
        Assert.Equal(3, metrics["sekisho_stage_waiting"].Samples.Single(s => s.Labels["stage"] == "detection").Value);
        Assert.Contains(metrics["sekisho_sign_ins_total"].Samples, s => s.Labels["outcome"] == "accepted" && s.Value >= 1);
        Assert.True(metrics["process_resident_memory_bytes"].Samples.Single().Value > 1e6);
        Assert.Equal(3, metrics["dotnet_gc_collections_total"].Samples.Count);
    }

    public void Dispose()
    {
        _collector.Dispose();
        _meter.Dispose();
    }
}
