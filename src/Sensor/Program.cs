using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Sekisho.Sensor.Commands;
using Sekisho.Sensor.Enforcement;
using Sekisho.Sensor.Live;
using Sekisho.Sensor.Texts;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;

var read = new Option<string?>("--read") { Description = "A capture (pcap, pcapng, plain or in gzip or xz; - for standard input): prints what was in it. キャプチャファイルを読み、内容を表示する", HelpName = "FILE" };
var json = new Option<bool>("--json") { Description = "With --read: one JSON object; with --interface: a line of JSON for each interval. JSONで出力する" };
var export = new Option<string?>("--export") { Description = "With --read: flows of each interval to a collector (ipfix) or to standard output (csv). フローを出力する" };
export.AcceptOnlyFromAmong("ipfix", "csv");
var collector = new Option<string?>("--collector") { Description = "Where --export ipfix sends to. IPFIXの送り先", HelpName = "HOST:PORT" };
var tcp = new Option<bool>("--tcp") { Description = "Sends IPFIX over TCP instead of UDP. TCPで送る" };
var top = new Option<int>("--top") { Description = "How many devices and flows are listed. 表示するデバイスとフローの数", DefaultValueFactory = _ => 20 };
var interfaces = new Option<string[]>("--interface") { Description = "Interface that the mirror port is connected to; may be repeated. ミラーポートにつながるインターフェース", HelpName = "NAME", DefaultValueFactory = _ => [] };
var flows = new Option<int?>("--flows") { Description = "Port on which NetFlow v5, v9 and IPFIX of the site's exporters are taken in (UDP and TCP). NetFlow・IPFIXを受け付けるポート", HelpName = "PORT" };
var exporters = new Option<string[]>("--exporter") { Description = "With --flows: network that exporters may send from, as 192.0.2.0/28; may be repeated. Flow protocols know no authentication. エクスポーターのネットワーク", HelpName = "NETWORK", DefaultValueFactory = _ => [] };
var gateway = new Option<Uri?>("--gateway") { Description = "With --interface or --flows: where features go, https://HOST:PORT. ゲートウェイのセンサー用アドレス", HelpName = "URL", CustomParser = Https };
var folder = new Option<DirectoryInfo>("--folder") { Description = "Where the sensor keeps who it is and what waits. センサーの識別情報と送信待ちデータを置くフォルダー", DefaultValueFactory = _ => new DirectoryInfo("sekisho-sensor") };
var buffer = new Option<int>("--buffer") { Description = "MiB on disk for what waits while the gateway is away. 送信待ちに使うディスク容量(MiB)", DefaultValueFactory = _ => 128 };
var inline = new Option<bool>("--inline") { Description = "This machine forwards the traffic (bridge or router): give the one interface towards the devices, and both directions are read there; or all ports of the bridge, and each frame is read where it comes in. この機器自身が転送する場合に指定する" };
var enforce = new Option<bool>("--enforce") { Description = "With --inline and --gateway: blocks and quarantines devices with nftables as the gateway orders. Needs CAP_NET_ADMIN. ゲートウェイの指示に従い、nftablesでデバイスの通信を遮断・隔離する" };
var protect = new Option<string[]>("--protect") { Description = "With --enforce: network that no order touches, as 192.0.2.0/28; may be repeated. 遮断の対象にしないネットワーク", HelpName = "NETWORK", DefaultValueFactory = _ => [] };
var readers = new Option<int>("--readers") { Description = "Threads that read, 1 to 16. 読み取りスレッドの数", DefaultValueFactory = _ => 1 };
var ring = new Option<int>("--ring") { Description = "MiB that the kernel may fill with headers, per interface and reader. リングバッファー(MiB)", DefaultValueFactory = _ => 8 };
var quiet = new Option<int>("--quiet-after") { Description = "Seconds without a frame until \"no traffic\" is an alarm. 無通信を警報とするまでの秒数", DefaultValueFactory = _ => 60 };
var plain = new Option<bool>("--no-view") { Description = "Prints a line each minute instead of a screen. 画面の代わりに1分ごとに1行を表示する" };
var interval = new Option<int?>("--interval") { Description = "Seconds of an interval, 1 to 3600; 10 when absent, 2 for the screen alone, 300 for --export. 集計間隔(秒)" };
var flowMemory = new Option<int?>("--flow-memory") { Description = "MiB for flows, about 4,700 in each; 32 when absent, 256 for --read. フロー表のメモリー(MiB)" };
var deviceMemory = new Option<int>("--device-memory") { Description = "MiB for devices, about 1,200 in each. デバイス表のメモリー(MiB)", DefaultValueFactory = _ => 8 };
var local = new Option<string[]>("--local") { Description = "Network that belongs to the site besides private ones, as 203.0.113.0/24; may be repeated. 拠点のネットワーク", HelpName = "NETWORK", DefaultValueFactory = _ => [] };
var language = new Option<string>("--language") { Description = "ja or en; that of the terminal when absent. 言語", DefaultValueFactory = _ => SensorTexts.Language };
language.AcceptOnlyFromAmong("ja", "en");

foreach (var (option, least, most) in (ReadOnlySpan<(Option, int, int)>)[(top, 0, 1_000_000), (buffer, 1, 65_536), (readers, 1, 16), (ring, 1, 64), (flows, 1, 65_535), (quiet, 1, 86_400), (interval, 1, 3600), (flowMemory, 1, 65_536), (deviceMemory, 1, 13)])
{
    option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && (value < least || value > most))
        {
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name}: {least}–{most}"));
        }
    });
}

foreach (var option in (ReadOnlySpan<Option<string[]>>)[local, exporters, protect])
{
    option.Validators.Add(result =>
    {
        foreach (var token in result.Tokens.Where(t => !IPNetwork.TryParse(t.Value, out _)))
        {
            result.AddError($"{option.Name} {token.Value}: 203.0.113.0/24, 2001:db8::/32 …");
        }
    });
}

collector.Validators.Add(result =>
{
    if (result.Tokens.Count == 1 && !(result.Tokens[0].Value.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(result.Tokens[0].Value.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0))
    {
        result.AddError("--collector: HOST:PORT");
    }
});

var root = new RootCommand("Sekisho traffic sensor: reads headers of layers 2 to 4, of a file or of a mirror port, and tells what each device does. トラフィックセンサー: レイヤー2～4のヘッダーだけを読み、各デバイスの通信を示す")
{
    read, json, export, collector, tcp, top, interfaces, flows, exporters, gateway, folder, buffer, inline, enforce, protect, readers, ring, quiet, plain, interval, flowMemory, deviceMemory, local, language,
};
root.Validators.Add(result =>
{
    // As written: the value of an option that is itself wrong cannot be asked for.
    string? Given(Option option) => result.GetResult(option)?.Tokens is [var first, ..] ? first.Value : null;
    if (new Option[] { read, interfaces, flows }.Count(o => Given(o) is not null) != 1)
    {
        result.AddError("--read FILE | --interface NAME | --flows PORT");
    }

    // A switch stands without a value: what counts is whether it was written.
    if (result.GetResult(enforce) is { Implicit: false } && (result.GetResult(inline) is not { Implicit: false } || Given(interfaces) is null || Given(gateway) is null))
    {
        result.AddError("--interface NAME --inline --enforce --gateway URL");
    }

    if (Given(protect) is not null && result.GetResult(enforce) is not { Implicit: false })
    {
        result.AddError("--enforce --protect NETWORK");
    }

    if (Given(flows) is null != (Given(exporters) is null))
    {
        result.AddError("--flows PORT --exporter NETWORK");
    }

    if (Given(export) is "ipfix" != Given(collector) is not null)
    {
        result.AddError("--export ipfix --collector HOST:PORT");
    }
});

ObservationSettings Observation(ParseResult parsed, int usualInterval, int usualMemory) => new()
{
    IntervalLength = (parsed.GetValue(interval) ?? usualInterval) * 1000,
    FlowMemory = parsed.GetValue(flowMemory) ?? usualMemory,
    DeviceMemory = parsed.GetValue(deviceMemory),
    LocalNetworks = [.. parsed.GetValue(local)!.Select(n => IPNetwork.Parse(n))],
    Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
};

root.SetAction((parsed, cancellation) =>
{
    if (parsed.GetValue(read) is { } path)
    {
        var observation = Observation(parsed, parsed.GetValue(export) is null ? 10 : 300, usualMemory: 256) with { FlowsPerInterval = int.MaxValue };
        return ReadCommand.RunAsync(new ReadOptions(path, parsed.GetValue(json), parsed.GetValue(export), parsed.GetValue(collector), parsed.GetValue(tcp), parsed.GetValue(top), observation, parsed.GetValue(language)!), TimeProvider.System, cancellation);
    }

    var view = !parsed.GetValue(plain) && !parsed.GetValue(json) && !Console.IsOutputRedirected;
    LiveOptions Options(LiveSettings? live, RecordSettings? records) =>
        new(live, records, parsed.GetValue(gateway), parsed.GetValue(folder)!.FullName, parsed.GetValue(buffer) * 1024L * 1024, view, parsed.GetValue(json), parsed.GetValue(language)!,
            parsed.GetValue(enforce) ? new EnforcementOptions(parsed.GetValue(gateway)!, parsed.GetValue(folder)!.FullName, Enforcer.FamiliesOf(parsed.GetValue(interfaces)!), [.. parsed.GetValue(protect)!.Select(n => IPNetwork.Parse(n))]) : null);
    if (parsed.GetValue(flows) is { } port)
    {
        var settings = Observation(parsed, 10, usualMemory: 32);
        var records = new RecordSettings(
            new FlowListenerSettings { Port = port, Exporters = [.. parsed.GetValue(exporters)!.Select(n => IPNetwork.Parse(n))] },
            new RecordIntervalsSettings { IntervalLength = settings.IntervalLength, DeviceMemory = settings.DeviceMemory, LocalNetworks = settings.LocalNetworks, Seed = settings.Seed },
            parsed.GetValue(quiet));
        return new LiveCommand(Options(null, records), TimeProvider.System).RunAsync(cancellation);
    }

    var names = parsed.GetValue(interfaces)!;
    var capture = new CaptureSettings
    {
        Interfaces = [.. names.Distinct(StringComparer.Ordinal)],
        RingMebibytes = parsed.GetValue(ring),
        Outgoing = parsed.GetValue(inline) && names.Length == 1,
        Promiscuous = !parsed.GetValue(inline),
    };
    var live = new LiveSettings(capture, parsed.GetValue(readers), Observation(parsed, parsed.GetValue(gateway) is null && view ? 2 : 10, usualMemory: 32), parsed.GetValue(quiet));
    return new LiveCommand(Options(live, null), TimeProvider.System).RunAsync(cancellation);
});

var address = new Option<Uri?>("--gateway") { Description = "https://HOST:PORT of the gateway's listener for sensors. ゲートウェイのセンサー用アドレス", HelpName = "URL", Required = true, CustomParser = Https };
var fingerprint = new Option<string>("--ca") { Description = "SHA-256 fingerprint of the gateway's CA, shown with the code. ゲートウェイのCAのSHA-256フィンガープリント", Required = true };
var enrol = new Command("enrol", "Makes this sensor known to its gateway; the one-time code is read from standard input. センサーをゲートウェイに登録する(使い捨てコードは標準入力から読む)") { address, fingerprint, folder, language };
enrol.SetAction((parsed, cancellation) => EnrolCommand.RunAsync(parsed.GetValue(address)!, parsed.GetValue(fingerprint)!, parsed.GetValue(folder)!.FullName, parsed.GetValue(language)!, TimeProvider.System, cancellation));
root.Subcommands.Add(enrol);

// What a live sensor read before it is told to end is still told and kept, also on a slow disk.
var parse = root.Parse(args);
var invocation = new InvocationConfiguration { ProcessTerminationTimeout = parse.GetResult(interfaces) is { Tokens.Count: > 0 } || parse.GetResult(flows) is { Tokens.Count: > 0 } ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds(1) };
return parse.Errors.Count > 0 && await parse.InvokeAsync(invocation).ConfigureAwait(false) != 0 ? Fail.WrongUse : await parse.InvokeAsync(invocation).ConfigureAwait(false);

static Uri? Https(ArgumentResult result)
{
    if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps)
    {
        return uri;
    }

    result.AddError("--gateway: https://HOST:PORT");
    return null;
}
