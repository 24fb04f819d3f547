using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The traffic sensor: files against its peers, and live traffic on a cable of its own.</summary>
internal static class SensorCase
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Command(Option<bool> json, Option<string> gateway)
    {
        var pcap = new Option<FileInfo>("--pcap") { Description = "The capture to read; several hundred megabytes, or the start of the process is what is measured. 読み込むキャプチャ(数百MB以上)" }.AcceptExistingOnly();
        var load = new Option<string?>("--load") { Description = "Which load the capture is, for its goals: iot and real 3 times the better of softflowd -6 and nfpcapd, synth100k (64-byte frames over 100,000 flows) 12 times; each at least half of the C floor. キャプチャの種類(目標の判定に使う)" };
        load.AcceptOnlyFromAmong([.. Goals.Loads]);
        var runs = new Option<int>("--runs") { Description = "How often each program reads the file, and with --inline how often each transfer is made; medians are shown. 測定回数(中央値を表示)", DefaultValueFactory = _ => 3 };
        var peers = new Option<string[]>("--peers") { Description = $"Only these of {string.Join(", ", Peers.Names)}, or none. 比較対象", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [.. Peers.Names] };
        peers.AcceptOnlyFromAmong([.. Peers.Names, "none"]);
        var memory = new Option<int>("--flow-memory") { Description = "Memory for flows, MiB. フロー表のメモリ(MiB)", DefaultValueFactory = _ => 32 };
        var live = new Option<bool>("--live") { Description = "Live traffic instead, between two network namespaces: the factory, 60-byte frames over 100,000 flows at rising rates, and with --pcap that file at 0.9 Gbps. Goals: no loss (60-byte frames at 400,000/s), the factory 2 % of a core and 64 MiB, the file 12 % of a core. Needs root and two cores. ネットワーク名前空間での実通信(root権限が必要)" };
        var inline = new Option<bool>("--inline") { Description = $"The sensor on a router and on a bridge instead, in network namespaces: TCP throughput with it and without in turns, and {Cameras.Count} cameras of 4 Mbps for 20 s. Goals: no drops, no gaps, packets as the kernel's counters. Needs root. ルーター・ブリッジ上で転送しながらの測定(スループットの有無比較とカメラ100台、root権限が必要)" };
        var factory = new Option<bool>("--factory") { Description = "The sensor's program at the load of the factory for 20 s instead: size, start, memory, processor time. Goals: no loss, 2 % of a core, 64 MiB. Needs root and two cores. 工場相当の負荷でのプログラムの大きさ・起動時間・メモリの測定(root権限が必要)" };
        var program = new Option<FileInfo>("--program") { Description = "With --inline or --factory: Sekisho.Sensor.dll, or an executable that was published; the built one when absent. 測定するセンサーのプログラム" }.AcceptExistingOnly();
        var command = new Command("sensor", "The traffic sensor: a capture against its peers in the same run, or live. Exit code 1 when a goal is missed. トラフィックセンサーの性能(目標未達なら終了コード1)") { gateway, json, pcap, load, runs, peers, memory, live, inline, factory, program };
        command.SetAction(parsed =>
        {
            var file = parsed.GetValue(pcap);
            if (parsed.GetValue(live))
            {
                var rows = Live.Run(file?.FullName);
                return Tell([.. Live.Goals(rows)], parsed.GetValue(json), goals => new { @case = "sensor-live", form = SensorProcess.Form, rows, goals }, () => Show(rows));
            }

            if (parsed.GetValue(inline) || parsed.GetValue(factory))
            {
                if (parsed.GetValue(program)?.FullName is not { } sensor)
                {
                    Console.Error.WriteLine("--program FILE is needed. --program FILE を指定してください。");
                    return 2;
                }

                if (parsed.GetValue(factory))
                {
                    var row = Factory.Run(sensor);
                    return Tell([.. Factory.Goals(row)], parsed.GetValue(json), goals => new { @case = "sensor-factory", row, goals }, () => InlineTables.Show(row));
                }

                var forwarded = new Inline(sensor).Run(parsed.GetValue(runs));
                return Tell([.. Inline.Goals(forwarded)], parsed.GetValue(json), goals => new { @case = "sensor-inline", forwarded.Transfers, forwarded.Cameras, goals }, () => InlineTables.Show(forwarded));
            }

            if (file is null)
            {
                Console.Error.WriteLine("--pcap FILE is needed, or --live, --inline or --factory. --pcap FILE、--live、--inline、--factory のいずれかを指定してください。");
                return 2;
            }

            var names = Peers.Names.Intersect(parsed.GetValue(peers) ?? []).ToList();
            var kind = parsed.GetValue(load);
            var result = Offline.Run(file.FullName, parsed.GetValue(runs), parsed.GetValue(memory), names);
            return Tell(Goals.Of(result, kind), parsed.GetValue(json), goals => new { @case = "sensor", load = kind, result.Pcap, form = SensorProcess.Form, result.Rows, result.Sensor, result.BytesPerFlow, result.TotalsAgree, goals }, () => Show(result));
        });
        return command;
    }

    /// <summary>The processes that the measurements start; before any command line is read, for that would be measured too. Null when it is none of them.</summary>
    public static int? Child(string[] args) => args switch
    {
        ["sensor-read", var path, var memory, var stage] => FileReading.Run(path, int.Parse(memory, CultureInfo.InvariantCulture), Enum.Parse<Stage>(stage, ignoreCase: true)),
        ["sensor-capture", var name, var ring] => LiveReading.Run(name, int.Parse(ring, CultureInfo.InvariantCulture)),
        ["sensor-send", var load, var name, var rate, var seconds] => FrameSending.Run(load, name, double.Parse(rate, CultureInfo.InvariantCulture), double.Parse(seconds, CultureInfo.InvariantCulture)),
        ["sensor-serve", var address, var connections, var seconds] => Transfers.Serve(address, int.Parse(connections, CultureInfo.InvariantCulture), double.Parse(seconds, CultureInfo.InvariantCulture)),
        ["sensor-connect", var address, var connections, var seconds] => Transfers.Connect(address, int.Parse(connections, CultureInfo.InvariantCulture), double.Parse(seconds, CultureInfo.InvariantCulture)),
        _ => null,
    };

    private static int Tell(IReadOnlyList<Goal> goals, bool json, Func<IReadOnlyList<Goal>, object> whole, Action show)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(whole(goals), Json));
        }
        else
        {
            show();
            Show(goals);
        }

        return goals.Any(g => g.Met == false) ? 1 : 0;
    }

    private static void Show(IReadOnlyList<LiveRow> rows)
    {
        Line($"| {"load",-12} | {"wanted/s",10} | {"sent/s",10} | {"Mbit/s",8} | {"sent",12} | {"lost",10} | {"in the ring",11} | {"core",6} | {"MiB",6} |");
        Line($"|{new string('-', 14)}|{new string('-', 12)}|{new string('-', 12)}|{new string('-', 10)}|{new string('-', 14)}|{new string('-', 12)}|{new string('-', 13)}|{new string('-', 8)}|{new string('-', 8)}|");
        foreach (var row in rows)
        {
            Line($"| {Path.GetFileName(row.Load),-12} | {row.Rate,10:N0} | {row.SentRate,10:N0} | {row.BitsPerSecond / 1e6,8:N1} | {row.Sent,12:N0} | {row.Lost,10:N0} | {row.KernelDrops,11:N0} | {row.CpuShare,6:P1} | {row.PeakMebibytes,6:N1} |");
        }
    }

    private static void Show(OfflineResult result)
    {
        Line($"{result.Sensor["packets"]:N0} packets, {result.Sensor["bytes"]:N0} bytes, {result.Sensor["intervals"]:N0} intervals, {result.Sensor["flow_records"]:N0} records of flows, {result.Sensor["device_records"]:N0} of devices");
        Line($"| {"program",-12} | {"CPU s",8} | {"M packets/CPU s",16} | {"MiB",8} | {"ours is times",14} | {"spread",7} |");
        Line($"|{new string('-', 14)}|{new string('-', 10)}|{new string('-', 18)}|{new string('-', 10)}|{new string('-', 16)}|{new string('-', 9)}|");
        foreach (var row in result.Rows)
        {
            Line(row.Cpu is null
                ? $"| {row.Name,-12} | {row.State}"
                : (FormattableString)$"| {row.Name,-12} | {row.Cpu,8:F2} | {row.PacketsPerCpuSecond / 1e6,16:F2} | {row.PeakMebibytes,8:F1} | {row.Ratio,14:F2} | {row.Spread,7:P0} |");
        }

        var millions = result.Sensor["packets"] / 1e6;
        Line($"intervals: {result.Sensor["flush_cpu_seconds"]:F2} CPU s, {result.Sensor["uplink_bytes"]:N0} bytes for the gateway ({result.Sensor["uplink_bytes"] / result.Sensor["bytes"]:P2} of what was seen)");
        Line($"allocated: {result.Sensor["allocated_by_packets"] / millions:N0} bytes per million packets, {result.Sensor["allocated_in_flushes"] / Math.Max(1, result.Sensor["intervals"]):N0} per interval; collections {result.Sensor["collections_0"]}/{result.Sensor["collections_1"]}/{result.Sensor["collections_2"]}");
        Line($"flows: {result.Sensor["flows_held"]:N0} held at most of {result.Sensor["flows_limit"]:N0}, {result.Sensor["flows_evicted"]:N0} evicted, {result.Sensor["flows_omitted"]:N0} records omitted; {result.BytesPerFlow:F0} bytes each by the limit, {result.Sensor["native_growth_bytes"] / Math.Max(1, result.Sensor["flows_held"]):F0} resident, devices included");
    }

    private static void Show(IReadOnlyList<Goal> goals)
    {
        foreach (var goal in goals)
        {
            var met = goal.Met switch { true => "met", false => "MISSED", null => "not decided" };
            Line($"goal: {goal.What}: {(goal.AtMost ? "at most" : "at least")} {goal.Wanted}, measured {goal.Measured?.ToString("F2", CultureInfo.InvariantCulture) ?? "nothing"}: {met}");
        }
    }

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
