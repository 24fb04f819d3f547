using System.CommandLine;
using Sekisho.Sensor.Uplink;

var gateway = new Option<Uri>("--gateway") { Description = "https://HOST:PORT of the gateway's listener for sensors. ゲートウェイのセンサー用アドレス", Required = true };
var fingerprint = new Option<string>("--ca") { Description = "SHA-256 fingerprint of the gateway's CA, shown with the code. ゲートウェイのCAのSHA-256フィンガープリント", Required = true };
var folder = new Option<DirectoryInfo>("--folder") { Description = "Where the sensor keeps who it is and what waits. センサーの識別情報を置くフォルダー", Required = true };
var enrol = new Command("enrol", "Makes this sensor known to its gateway; the one-time code is read from standard input. センサーをゲートウェイに登録する(使い捨てコードは標準入力から読む)") { gateway, fingerprint, folder };
enrol.SetAction(async (parsed, cancellation) =>
{
    try
    {
        // Not an argument: other users of the machine could read it there.
        var code = await Console.In.ReadLineAsync(cancellation).ConfigureAwait(false) ?? "";
        var made = await Enrolment.EnrolAsync(parsed.GetValue(gateway)!, code, parsed.GetValue(fingerprint)!, parsed.GetValue(folder)!.FullName, TimeProvider.System, cancellation).ConfigureAwait(false);
        await Console.Out.WriteLineAsync($"{made.SensorId} {made.NotAfter:yyyy-MM-dd}").ConfigureAwait(false);
        return 0;
    }
    catch (UplinkException e)
    {
        await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
        return 1;
    }
});

return await new RootCommand("Sekisho traffic sensor. トラフィックセンサー") { enrol }.Parse(args).InvokeAsync().ConfigureAwait(false);
