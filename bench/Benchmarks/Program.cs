using System.CommandLine;
using System.Text.Json;
using Sekisho.Benchmarks;
using Sekisho.Benchmarks.Sensor;

if (SensorCase.Child(args) is { } code)
{
    return code;
}

var gateway = new Option<string>("--gateway") { Description = "Sekisho.Gateway.dll to measure", Required = true };
var json = new Option<bool>("--json") { Description = "One JSON object per case instead of a table" };
var seconds = new Option<double>("--seconds") { Description = "Seconds that count per case", DefaultValueFactory = _ => 60 };
var devices = new Option<int>("--devices") { Description = "Devices that send", DefaultValueFactory = _ => 1000 };

var connections = new Option<int?>("--connections") { Description = "Keep-alive connections, to the bare endpoint too; without it each device has its own" };
var cases = new Option<string[]>("--case") { Description = "Only these cases: single, single-open-70, batch-50, memory-10000-devices", AllowMultipleArgumentsPerToken = true };

var ingest = new Command("ingest", "The way of a message with everything on, against a bare Kestrel endpoint with the same TLS") { gateway, json, seconds, devices, connections, cases };
ingest.SetAction((parsed, _) => Ingest.RunAsync(parsed.GetValue(gateway)!, parsed.GetValue(seconds), parsed.GetValue(devices), parsed.GetValue(connections) ?? parsed.GetValue(devices), parsed.GetValue(cases) ?? [], parsed.GetValue(json)));

var stages = new Command("stages", "CPU per message of each stage: the same load with stages held") { gateway, seconds, devices };
stages.SetAction((parsed, _) => Stages.RunAsync(parsed.GetValue(gateway)!, Math.Min(parsed.GetValue(seconds), 15), parsed.GetValue(devices)));

var scripts = new Command("scripts", "What a call into a script costs") { gateway, seconds };
scripts.SetAction(parsed =>
{
    ScriptLane.Run(Math.Min(parsed.GetValue(seconds), 5));
    return ScriptCalls.Run(Math.Min(parsed.GetValue(seconds), 5));
});

var days = new Option<int>("--days") { Description = "Days of history", DefaultValueFactory = _ => 30 };
var template = new Option<string>("--template") { Description = "Which template to try", DefaultValueFactory = _ => "" };
var backtest = new Command("backtest", "Days of history of many devices through a template") { gateway, json, devices, days, template };
backtest.SetAction((parsed, _) => BacktestCase.RunAsync(parsed.GetValue(days), parsed.GetValue(devices), parsed.GetValue(template)!, parsed.GetValue(json)));

var many = new Option<int>("--devices") { Description = "Devices that the lanes know", DefaultValueFactory = _ => 10_000 };
var detect = new Command("detect", "The lanes alone: messages per second and core through 12 conditions, bytes of state, and a back-test of 30 days of 1,000 devices") { gateway, json, seconds, many, days };
detect.SetAction((parsed, _) =>
{
    DetectCase.Run(parsed.GetValue(many), Math.Min(parsed.GetValue(seconds), 20), parsed.GetValue(json));
    return parsed.GetValue(days) > 0 ? BacktestCase.RunAsync(parsed.GetValue(days), 1000, "", parsed.GetValue(json)) : Task.FromResult(0);
});

var sensor = SensorCase.Command(json, gateway);

// The two below are the processes that the measurements start.
var port = new Argument<int>("port");
var file = new Argument<string>("file");
var serve = new Command("serve", "Bare endpoint") { port, file };
serve.Hidden = true;
serve.SetAction((parsed, _) => Baseline.ServeAsync(parsed.GetValue(port), parsed.GetValue(file)!));
var load = new Command("load", "Load client") { file };
load.Hidden = true;
load.SetAction(async (parsed, cancellation) =>
{
    var plan = JsonSerializer.Deserialize<LoadPlan>(await File.ReadAllTextAsync(parsed.GetValue(file)!, cancellation))!;
    Console.WriteLine(JsonSerializer.Serialize(await LoadClient.RunAsync(plan)));
});

return await new RootCommand("Sekisho's benchmarks") { ingest, detect, stages, scripts, backtest, sensor, serve, load }.Parse(args).InvokeAsync();
