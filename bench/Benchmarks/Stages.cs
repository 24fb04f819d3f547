using System.Globalization;

namespace Sekisho.Benchmarks;

/// <summary>
/// What a stage costs: CPU time of the gateway's threads per message under the load of the single case. Journal and lanes have threads of their
/// own and are read directly; forwarding is what the pool needs more with a destination than without one, measured by turns.
/// </summary>
internal static class Stages
{
    private const int WarmUp = 40;
    private const int Turns = 2;

    public static async Task<int> RunAsync(string gateway, double seconds, int devices)
    {
        await using var bench = new Bench();
        var (port, ca, process) = await bench.ServeAsync("bare", core: 0);
        var plan = new LoadPlan(port, "/device/v1/messages", ca, [new LoadDevice(new string('d', 16), new string('t', 43))], devices, 1, 512, 0, WarmUp, 0);
        await MeasureAsync(bench, process.Id, plan);
        var bare = await MeasureAsync(bench, process.Id, plan with { Seconds = seconds });
        process.Kill();
        await process.WaitForExitAsync();

        await bench.StartGatewayAsync(gateway, devices);
        plan = plan with { Port = bench.Gateway.Devices.Port, CaFile = bench.Gateway.CaFile, Devices = bench.Devices };
        await MeasureAsync(bench, bench.Gateway.Id, plan);
        var (with, without) = (default(Cost), default(Cost));
        for (var turn = 0; turn < Turns; turn++)
        {
            with += await MeasureAsync(bench, bench.Gateway.Id, plan with { Seconds = seconds });
            await bench.ForwardNothingAsync();
            without += await MeasureAsync(bench, bench.Gateway.Id, plan with { Seconds = seconds });
            await bench.ForwardAsync();
        }

        Console.WriteLine("| stage | CPU per message, µs |\n|---|---|");
        Row("TLS, HTTP, reading and dropping the body (bare endpoint)", bare.Process);
        Row("connect, authenticate, receive, answer (beyond the bare endpoint)", (without.Rest / Turns) - bare.Process);
        Row("journal: gather, encrypt, insert, sync", with.Journal / Turns);
        Row("detect, record: 12 conditions, findings, chunks, outbox rows, ledger", with.Lanes / Turns);
        Row("forward", (with.Rest - without.Rest) / Turns);
        Row("**all**", with.Process / Turns);
        return 0;
    }

    private static void Row(string what, double seconds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {seconds * 1e6:F1} |"));

    private static async Task<Cost> MeasureAsync(Bench bench, int process, LoadPlan plan)
    {
        var before = Cpu(process);
        var result = await bench.LoadAsync(plan);
        return (Cpu(process) - before) / result.Requests;
    }

    private static Cost Cpu(int process)
    {
        var threads = Directory.GetDirectories($"/proc/{process}/task").ToLookup(t => File.ReadAllText(t + "/comm").Trim(), t => Seconds(t + "/stat"));
        return new Cost(Seconds($"/proc/{process}/stat"), threads["journal"].Sum(), threads["lanes"].Sum());
    }

    // Fields 14 and 15 of proc(5) stat, user and system time in ticks of 10 ms; the name in parentheses may hold blanks.
    private static double Seconds(string stat)
    {
        var fields = File.ReadAllText(stat).Split(") ")[^1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    /// <summary>CPU seconds of the whole process, and of two of its threads.</summary>
    private readonly record struct Cost(double Process, double Journal, double Lanes)
    {
        public double Rest => Process - Journal - Lanes;

        public static Cost operator +(Cost a, Cost b) => new(a.Process + b.Process, a.Journal + b.Journal, a.Lanes + b.Lanes);

        public static Cost operator -(Cost a, Cost b) => new(a.Process - b.Process, a.Journal - b.Journal, a.Lanes - b.Lanes);

        public static Cost operator /(Cost a, double by) => new(a.Process / by, a.Journal / by, a.Lanes / by);
    }
}
