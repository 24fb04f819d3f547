using System.Text.Json;

namespace Sekisho.Benchmarks;

/// <summary>One line of the result.</summary>
internal sealed record IngestCase(
    [property: System.Text.Json.Serialization.JsonPropertyName("case")] string Case,
    [property: System.Text.Json.Serialization.JsonPropertyName("ratio")] double Ratio,
    [property: System.Text.Json.Serialization.JsonPropertyName("rps")] double Rps,
    [property: System.Text.Json.Serialization.JsonPropertyName("messages_per_second")] double MessagesPerSecond,
    [property: System.Text.Json.Serialization.JsonPropertyName("baseline_rps")] double BaselineRps,
    [property: System.Text.Json.Serialization.JsonPropertyName("p50_ms")] double P50,
    [property: System.Text.Json.Serialization.JsonPropertyName("p99_ms")] double P99,
    [property: System.Text.Json.Serialization.JsonPropertyName("rss_mib")] double RssMiB,
    [property: System.Text.Json.Serialization.JsonPropertyName("lag_ms")] double LagMs,
    [property: System.Text.Json.Serialization.JsonPropertyName("refused")] long Refused,
    [property: System.Text.Json.Serialization.JsonPropertyName("client_cpu")] double ClientCpu);

/// <summary>
/// Single messages of 512 bytes, batches of 50, and an open loop at 70 % of the single rate; everything on. The bare endpoint is measured before and
/// after in the same run, its mean is the base of the ratio.
/// </summary>
internal static class Ingest
{
    private const int MessageBytes = 512;

    /// <summary>Gateway units that send batches at the same time.</summary>
    private const int BatchSenders = 64;

    /// <summary>Seconds until the runtime has compiled what is hot, on the one core it shares with the load.</summary>
    private const double WarmUp = 30;

    private const string Single = "single";
    private const string Open = "single-open-70";
    private const string Batch = "batch-50";
    private const string Memory = "memory-10000-devices";

    public static async Task<int> RunAsync(string gateway, double seconds, int devices, int connections, IReadOnlyList<string> only, bool json)
    {
        bool Wanted(string name) => only.Count == 0 || only.Contains(name);
        await using var bench = new Bench();
        Note("bare endpoint …");
        var before = await BaselineAsync(bench, connections, seconds);
        Note($"  {before:F0} requests/s; gateway with {devices} devices …");
        await bench.StartGatewayAsync(gateway, devices);
        var cases = new List<IngestCase>();
        if (Wanted(Single) || Wanted(Open))
        {
            var single = await CaseAsync(bench, Single, connections, before, 1, 0, seconds);
            Note($"  {single.Rps:F0} requests/s single");
            cases.Add(single);
            if (Wanted(Open))
            {
                cases.Add(await CaseAsync(bench, Open, connections, before, 1, single.Rps * 0.7, seconds));
                Note($"  p99 {cases[^1].P99:F1} ms in the open loop at 70 % of that");
            }
        }

        if (Wanted(Batch))
        {
            cases.Add(await CaseAsync(bench, Batch, Math.Min(connections, BatchSenders), before, 50, 0, seconds));
            Note($"  {cases[^1].MessagesPerSecond:F0} messages/s in batches of 50");
        }

        if (Wanted(Memory))
        {
            await bench.RegisterAsync(Math.Max(0, 10_000 - devices), "M", authenticate: false);
            cases.Add(new IngestCase(Memory, 0, 0, 0, 0, 0, 0, Math.Round(bench.ResidentMiB(), 1), 0, 0, 0));
            Note($"  {cases[^1].RssMiB:F0} MiB with 10,000 devices");
        }

        await bench.StopGatewayAsync();
        Note("bare endpoint again …");
        var after = await BaselineAsync(bench, connections, seconds);
        var mean = (before + after) / 2;
        cases = cases.ConvertAll(c => c.Rps == 0 ? c : c with { BaselineRps = Math.Round(mean), Ratio = Math.Round(c.Rps / mean, 3) });
        foreach (var one in cases)
        {
            Console.WriteLine(json
                ? JsonSerializer.Serialize(one)
                : $"{one.Case,-22} ratio {one.Ratio,6:F3}  {one.Rps,8:F0} req/s  {one.MessagesPerSecond,8:F0} msg/s  base {one.BaselineRps,8:F0} req/s  p50 {one.P50,6:F1} ms  p99 {one.P99,6:F1} ms  {one.RssMiB,7:F1} MiB  lag {one.LagMs,6:F0} ms");
        }

        return cases.TrueForAll(c => c.Case != Single || c.Ratio >= 0.5) ? 0 : 1;
    }

    private static async Task<double> BaselineAsync(Bench bench, int connections, double seconds)
    {
        var (port, ca, process) = await bench.ServeAsync("bare", core: 0);
        var result = await bench.LoadAsync(new LoadPlan(port, "/device/v1/messages", ca, [new LoadDevice(new string('d', 16), new string('t', 43))], connections, 1, MessageBytes, 5, Math.Min(seconds, 20), 0));
        process.Kill();
        await process.WaitForExitAsync();
        return result.RequestsPerSecond;
    }

    private static async Task<IngestCase> CaseAsync(Bench bench, string name, int connections, double baseline, int batch, double rate, double seconds)
    {
        var load = bench.LoadAsync(new LoadPlan(bench.Gateway.Devices.Port, "/device/v1/messages", bench.Gateway.CaFile, bench.Devices, connections, batch, MessageBytes, WarmUp, seconds, rate));
        (double Milliseconds, string Stage) lag = default;
        while (!load.IsCompleted)
        {
            // The last look while the load still runs is the one that counts.
            lag = await bench.LagAsync();
            await Task.WhenAny(load, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
        }

        var result = await load;
        if (lag.Milliseconds > 1000)
        {
            Note($"  {lag.Stage} is {lag.Milliseconds / 1000:F1} s behind at the end");
        }

        if (result.FirstRefusal is not null)
        {
            Note($"  {result.Refused} refused, the first: {result.FirstRefusal}");
        }

        return new IngestCase(
            name,
            Math.Round(result.RequestsPerSecond / baseline, 3),
            Math.Round(result.RequestsPerSecond),
            Math.Round(result.RequestsPerSecond * batch),
            Math.Round(baseline),
            Math.Round(result.P50, 2),
            Math.Round(result.P99, 2),
            Math.Round(bench.ResidentMiB(), 1),
            Math.Round(lag.Milliseconds),
            result.Refused,
            Math.Round(result.CpuShare, 2));
    }

    private static void Note(string text) => Console.Error.WriteLine(text);
}
