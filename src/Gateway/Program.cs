using System.CommandLine;
using System.Globalization;
using Sekisho.Detection.Evaluate;
using Sekisho.Detection.Evaluate.Fleets;
using Sekisho.Gateway;
using Sekisho.Verification.Runs;

var data = new Option<DirectoryInfo>("--data") { Description = "Folder that holds the gateway's data; made when absent. データを置くフォルダー", DefaultValueFactory = _ => new DirectoryInfo("sekisho-data") };
var port = new Option<int>("--port") { Description = "Port for devices (HTTPS). デバイス用のポート", DefaultValueFactory = _ => 8443 };
var managementPort = new Option<int>("--management-port") { Description = "Port for people and systems that manage the gateway (HTTPS). 管理用のポート", DefaultValueFactory = _ => 9443 };
var config = new Option<FileInfo?>("--config") { Description = "Configuration file; default is sekisho.json in the data folder. 設定ファイル" };
var set = new Option<string[]>("--set") { Description = "One setting as Section:Key=VALUE; may be repeated. 設定を一つ上書きする", DefaultValueFactory = _ => [] };

// Only commands that look at the listeners take the ports; to the others they do not matter.
int PortOf(ParseResult parsed, Option<int> option) => parsed.GetResult(option) is null ? (int)option.GetDefaultValue()! : parsed.GetValue(option);

StartOptions Start(ParseResult parsed) => new(
    parsed.GetValue(data)!.FullName,
    PortOf(parsed, port),
    PortOf(parsed, managementPort),
    parsed.GetValue(config)?.FullName,
    parsed.GetValue(set)!);

var up = new Command("up", "Starts the gateway. ゲートウェイを起動する") { data, port, managementPort, config, set };
up.SetAction((parsed, cancellation) => Commands.UpAsync(Start(parsed), cancellation));

var checkConfig = new Command("check-config", "Prints the configuration in force and where it came from, or every fault in it. 有効な設定と誤りを表示する") { data, port, managementPort, config, set };
checkConfig.SetAction((parsed, _) => Commands.CheckConfigAsync(Start(parsed)));

var auditVerify = new Command("audit-verify", "Verifies the hash chain of the operator audit log. 操作監査ログの改ざんを検査する") { data, config, set };
auditVerify.SetAction((parsed, _) => Commands.AuditVerifyAsync(Start(parsed)));

var recorded = new Option<DirectoryInfo>("--data") { Description = "Folder with recorded data: any of nab, skab, lorawan. 記録データのフォルダー", Required = true };
var results = new Option<DirectoryInfo?>("--out") { Description = "Folder for scores, thresholds and alerts as CSV. 結果のCSVを置くフォルダー" };
var json = new Option<bool>("--json") { Description = "Prints one JSON object. JSONで出力する" };
var telemetry = new Command("telemetry", "Runs detection over recorded series and scores it. 記録した時系列で検知を評価する") { recorded, results, json };
telemetry.SetAction((parsed, _) => Commands.EvaluateTelemetryAsync(new TelemetryOptions(parsed.GetValue(recorded)!.FullName, parsed.GetValue(results)?.FullName, parsed.GetValue(json))));
var shipped = new Option<DirectoryInfo?>("--folder") { Description = "Folder with NAME/template.yaml and NAME/fleet.json; the shipped ones when absent. テンプレートのフォルダー" };
var also = new Option<DirectoryInfo?>("--data") { Description = "Folder with recorded data (lorawan), to count on it as well. 記録データのフォルダー" };
var documents = new Option<DirectoryInfo?>("--docs") { Description = "Folder to write template-false-alarms.md and .ja.md into. 文書を書き出すフォルダー" };
var named = new Option<string?>("--template") { Description = "Only this template. このテンプレートだけ" };
var templates = new Command("templates", "Counts the false alarms of templates per device and month. テンプレートの誤検知を1台1か月あたりで数える") { shipped, also, documents, named, json };
templates.SetAction((parsed, _) => Commands.EvaluateTemplatesAsync(new TemplateEvaluationOptions(
    parsed.GetValue(shipped)?.FullName, parsed.GetValue(also)?.FullName, parsed.GetValue(documents)?.FullName, parsed.GetValue(named), parsed.GetValue(json))));
var evaluate = new Command("evaluate", "Runs detection offline on recorded data. 記録データで検知を評価する") { telemetry, templates };

var only = new Option<string[]>("--only") { Description = "Rows and causes, for example V12,F1; all when absent. 検証項目を選ぶ", DefaultValueFactory = _ => [] };
var report = new Option<FileInfo?>("--json") { Description = "File for the results as JSON. 結果のJSONを書くファイル" };
var language = new Option<string>("--language") { Description = "ja or en; that of the terminal when absent. 言語", DefaultValueFactory = _ => CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "ja" ? "ja" : "en" };
language.AcceptOnlyFromAmong("ja", "en");
var verify = new Command("verify", "Plays the published verification table, benign and attack twins included, against a gateway of its own and prints it. 公開された検証表を実際のゲートウェイで検証する") { only, language, report };
verify.SetAction((parsed, cancellation) => Commands.VerifyAsync(
    new VerificationOptions([.. parsed.GetValue(only)!.SelectMany(o => o.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(o => o.ToUpperInvariant())], parsed.GetValue(language)!),
    parsed.GetValue(report),
    cancellation));

var root = new RootCommand("Sekisho (関所): an open secure gateway for IoT devices. IoTデバイスのためのセキュアゲートウェイ") { up, checkConfig, auditVerify, evaluate, verify };
var parse = root.Parse(args);

// The host ends in order at SIGTERM, in its own time; the parser would cut it off after two seconds.
var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null };
return parse.Errors.Count > 0 && await parse.InvokeAsync(invocation) != 0 ? ExitCodes.WrongUse : await parse.InvokeAsync(invocation);
