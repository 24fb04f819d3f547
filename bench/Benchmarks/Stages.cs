using System.Globalization;

namespace Sekisho.Benchmarks;

/// <summary>
/// What a stage costs: CPU time of the gateway's process per message under the same load, first with all running, then with
/// forwarding held, then with detection held too. The journal has a thread of its own, so its share is read directly.
/// </summary>
internal static class Stages
{
    private const int Connections = 64;

    public static async Task<int> RunAsync(string gateway, double seconds, int devices)
    {
        await using var bench = new Bench();
        var (port, ca, process) = await bench.ServeAsync("bare", core: 0);
        var bare = await MeasureAsync(bench, process.Id, new LoadPlan(port, "/device/v1/messages", ca, [new LoadDevice(new string('d', 16), new string('t', 43))], Connections, 1, 512, 5, seconds, 0));
        process.Kill();
        await bench.StartGatewayAsync(gateway, devices);
        var plan = new LoadPlan(bench.Gateway.Devices.Port, "/device/v1/messages", bench.Gateway.CaFile, bench.Devices, Connections, 1, 512, 5, seconds, 0);
        await MeasureAsync(bench, bench.Gateway.Id, plan with { Seconds = 45 }); // until what is hot is compiled
        var all = await MeasureAsync(bench, bench.Gateway.Id, plan);
        await HoldAsync(bench, "forwarding", "pause");
        var detecting = await MeasureAsync(bench, bench.Gateway.Id, plan);
        await HoldAsync(bench, "detection", "pause");
        var receiving = await MeasureAsync(bench, bench.Gateway.Id, plan);

        Console.WriteLine("| stage | CPU per message, µs |\n|---|---|");
        Row("TLS, HTTP, reading and dropping the body (bare endpoint)", bare.Process);
        Row("connect, authenticate, receive (beyond the bare endpoint)", receiving.Process - receiving.Journal - bare.Process);
        Row("journal: gather, encrypt, insert, sync", receiving.Journal);
        Row("detect, record: 12 conditions, findings, chunks, outbox rows, ledger", detecting.Process - receiving.Process);
        Row("forward", all.Process - detecting.Process);
        Row("**all**", all.Process);
        return 0;
    }

    private static void Row(string what, double seconds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {seconds * 1e6:F1} |"));

    private static async Task<(double Process, double Journal)> MeasureAsync(Bench bench, int process, LoadPlan plan)
    {
        var before = Cpu(process);
        var result = await bench.LoadAsync(plan with { WarmUp = 0 });
        var after = Cpu(process);
        return ((after.Process - before.Process) / result.Requests, (after.Journal - before.Journal) / result.Requests);
    }

    private static (double Process, double Journal) Cpu(int process)
    {
        var journal = Directory.GetDirectories($"/proc/{process}/task").Where(t => File.ReadAllText(t + "/comm").Trim() == "journal").Select(t => Seconds(t + "/stat")).Sum();
        return (Seconds($"/proc/{process}/stat"), journal);
    }

    // Fields 14 and 15 of proc(5) stat, user and system time in ticks of 10 ms; the name in parentheses may hold blanks.
    private static double Seconds(string stat)
    {
        var fields = File.ReadAllText(stat).Split(") ")[^1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    private static async Task HoldAsync(Bench bench, string stage, string what)
    {
        var answer = await bench.Admin.PostAsync($"/ops/v1/stages/{stage}/{what}", null);
        if (answer.Status >= 300)
        {
            throw new InvalidOperationException($"{stage} {what}: {answer.Status} {answer.Text}");
        }
    }
}
