using System.Text.Json.Nodes;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.Sensor.Tests.Live;

/// <summary>A flow as the program tells it.</summary>
internal readonly record struct ToldFlow(string Protocol, string Client, string Server);

/// <summary>Packets and bytes of both directions.</summary>
internal readonly record struct ToldVolume(long Packets, long Bytes, long PacketsBack, long BytesBack)
{
    public static ToldVolume operator +(ToldVolume left, ToldVolume right) =>
        new(left.Packets + right.Packets, left.Bytes + right.Bytes, left.PacketsBack + right.PacketsBack, left.BytesBack + right.BytesBack);
}

/// <summary>What the program told in all intervals until now.</summary>
internal sealed record Told(long Packets, long Bytes, long Drops, long Odd, SortedDictionary<string, ToldVolume> Devices, Dictionary<ToldFlow, ToldVolume> Flows)
{
    public static Told Of(IEnumerable<string> lines)
    {
        var told = new Told(0, 0, 0, 0, new(StringComparer.Ordinal), []);
        foreach (var line in lines)
        {
            var json = JsonNode.Parse(line)!;
            told = told with
            {
                Packets = told.Packets + Number(json["packets"]),
                Bytes = told.Bytes + Number(json["bytes"]),
                Drops = told.Drops + Number(json["kernelDrops"]),
                Odd = told.Odd + Number(json["malformed"]) + Number(json["truncated"]) + Number(json["evicted"]) + Number(json["flowsOmitted"]),
            };
            foreach (var device in json["devices"]!.AsArray())
            {
                var name = $"{device!["mac"]} {device["behindRouter"]}".TrimEnd();
                told.Devices[name] = told.Devices.GetValueOrDefault(name) + Volume(device, "sent", "received");
            }

            foreach (var flow in json["flows"]!.AsArray())
            {
                var key = new ToldFlow(flow!["ipProtocol"]!.ToJsonString(), End(flow["client"]!), End(flow["server"]!));
                told.Flows[key] = told.Flows.GetValueOrDefault(key) + Volume(flow, "up", "down");
            }
        }

        return told;
    }

    private static string End(JsonNode side) => $"{side["address"] ?? side["mac"]} {side["port"]}";

    private static ToldVolume Volume(JsonNode node, string there, string back) =>
        new(Number(node[there + "Packets"]), Number(node[there + "Bytes"]), Number(node[back + "Packets"]), Number(node[back + "Bytes"]));

    private static long Number(JsonNode? node) => node!.GetValue<long>();
}

/// <summary>The program watching interfaces of a namespace, with intervals of a second as lines of JSON.</summary>
internal sealed class WatchingSensor : IDisposable
{
    private int _heard;

    public WatchingSensor(NetworkLab lab, params string[] arguments)
    {
        Process = SensorProcess.Start(lab.Name, ["--json", "--language", "en", .. arguments.Contains("--interval") ? arguments : ["--interval", "1", .. arguments]]);
        try
        {
            WaitFor("Reading from ");
        }
        catch
        {
            Process.Dispose();
            throw;
        }
    }

    public SensorProcess Process { get; }

    public Told Told => Told.Of(Process.Output);

    /// <summary>Waits until it has told so many packets.</summary>
    public void UntilPackets(long count) => Process.Until(() => Told.Packets >= count, $"{count} packets are not told");

    /// <summary>Waits until standard error has a line that begins so, behind the line that was waited for last.</summary>
    public void WaitFor(string begin)
    {
        Process.Until(() => Process.Errors.Skip(_heard).Any(e => e.StartsWith(begin, StringComparison.Ordinal)), $"\"{begin}\" is not told");
        _heard += Process.Errors.Skip(_heard).TakeWhile(e => !e.StartsWith(begin, StringComparison.Ordinal)).Count() + 1;
    }

    /// <summary>Ends it by Ctrl+C; what it told in all.</summary>
    public Told End()
    {
        Process.Stop();
        Assert.Equal(0, Process.Ended());
        return Told;
    }

    public void Dispose() => Process.Dispose();
}
