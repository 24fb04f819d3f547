using System.Text.Json.Nodes;
using Sekisho.Tests.Support;

namespace Sekisho.Data.Tests.Captures;

/// <summary>What the program prints about whole recordings, against tshark.</summary>
public class SensorReads(ITestOutputHelper output)
{
    public static TheoryData<string> Recordings => TsharkTotals.Recordings;

    [Theory]
    [MemberData(nameof(Recordings))]
    public void What_the_sensor_says_of_a_recording_in_JSON_is_what_tshark_counts(string recording)
    {
        var path = Path.Combine(Tshark.Data, recording);

        var run = SensorProcess.Run("--read", path, "--json");

        Assert.Equal((0, ""), (run.Code, run.Errors));
        var ours = JsonNode.Parse(run.Output)!;
        var theirs = TsharkTotals.Of(path);
        output.WriteLine(theirs.ToString());
        Assert.Equal((theirs.Packets, theirs.Bytes), (Number(ours["packets"]), Number(ours["bytes"])));
        Assert.Equal((0, 0, 0), (Number(ours["malformed"]), Number(ours["truncated"]), Number(ours["evicted"])));
        Assert.Empty(ours["warnings"]!.AsArray());

        // What a device behind a router sends comes from the router's MAC.
        var sent = ours["devices"]!.AsArray()
            .GroupBy(d => Convert.ToUInt64(d!["mac"]!.GetValue<string>().Replace(":", "", StringComparison.Ordinal), 16))
            .Select(d => KeyValuePair.Create(d.Key, (Packets: d.Sum(p => Number(p!["sentPackets"])), Bytes: d.Sum(p => Number(p!["sentBytes"])))))
            .Where(d => d.Value.Packets > 0);
        Assert.Equal(theirs.Sent.OrderBy(s => s.Key), sent.OrderBy(s => s.Key));

        string[] layers = ["ethernet", "ipv4", "ipv6", "tcp", "udp"];
        Assert.Equal(
            layers.Select(l => (l, theirs.Conversations.Count(c => c.Layer.Equals(l, StringComparison.OrdinalIgnoreCase)))),
            layers.Select(l => (l, (int)Number(ours["conversationsByLayer"]![l]))));
        Assert.Equal(Number(ours["conversationsByLayer"]!["ipv4"]) + Number(ours["conversationsByLayer"]!["ipv6"]), Number(ours["conversations"]));
        Assert.Equal(theirs.Packets, ours["protocols"]!.AsObject().Sum(p => Number(p.Value!["packets"])));
        Assert.Equal(theirs.Bytes, ours["protocols"]!.AsObject().Sum(p => Number(p.Value!["bytes"])));
    }

    private static long Number(JsonNode? node) => node!.GetValue<long>();
}
