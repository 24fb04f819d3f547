using System.IO.Compression;
using System.Text.Json.Nodes;
using Sekisho.EndToEnd.Tests;
using Sekisho.Verification.Clients;

namespace Sekisho.Data.Tests;

/// <summary>
/// Two weeks of 15 real LoRaWAN sensors as HTTPS devices, with their own clocks and gaps, time compressed, into a gateway started by ./sekisho up;
/// meanwhile the gateway is killed twice and the customer's cloud is away for a minute.
/// </summary>
public class LorawanReplay(ITestOutputHelper output)
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(100);

    [Fact]
    public async Task Every_uplink_reaches_the_cloud_once_and_in_order_over_two_kills_and_an_outage_of_a_minute()
    {
        var uplinks = Read();
        await using var site = await Site.StartAsync(command: [Path.Combine(Site.Root, "sekisho")]);
        await site.AddFieldAsync("lorawan", "smart-home");
        (await site.Admin.PutAsync("/api/v1/fields/lorawan/mapping", new { deviceTime = "/time", sequence = "/deduplicationId" })).Expect();
        var first = uplinks.Min(u => u.Time);
        var factor = (uplinks.Max(u => u.Time) - first) / Length;
        var start = TimeProvider.System.GetUtcNow();
        var devices = new List<SimulatedDevice>();
        var sending = new List<Task>();
        foreach (var own in uplinks.GroupBy(u => u.Device))
        {
            var device = await site.ConnectAsync("lorawan", own.Key, new { uniqueIdType = "vendor" });
            devices.Add(device);
            sending.Add(Task.Run(async () =>
            {
                foreach (var uplink in own)
                {
                    var wait = start + ((uplink.Time - first) / factor) - TimeProvider.System.GetUtcNow();
                    if (wait > TimeSpan.Zero)
                    {
                        await Task.Delay(wait, TimeProvider.System);
                    }

                    await device.DeliverAsync(uplink.Json, TimeProvider.System.GetUtcNow().AddMinutes(3));
                }
            }));
        }

        await Task.Delay(Length / 5, TimeProvider.System);
        await KillAsync(site);
        await site.Cloud.GoDownAsync();
        await Task.Delay(TimeSpan.FromSeconds(30), TimeProvider.System);
        await KillAsync(site);
        await Task.Delay(TimeSpan.FromSeconds(30), TimeProvider.System);
        await site.Cloud.GoUpAsync();
        await Task.WhenAll(sending);
        var ledger = await site.SettledLedgerAsync(TimeSpan.FromMinutes(2));

        var distinct = site.Cloud.Distinct();
        var repeats = site.Cloud.Count - distinct.Count;
        output.WriteLine($"{uplinks.Count} uplinks of {devices.Count} devices, {devices.Sum(d => d.Retries)} sent again by devices, {site.Cloud.Count} received, {repeats} repeats; ledger {ledger.ToJsonString()}");
        Assert.Equal(0, ledger["residue"]!.GetValue<long>());
        Assert.Equal(uplinks.Count, distinct.Count);
        foreach (var own in uplinks.GroupBy(u => u.Device))
        {
            var received = distinct.Where(m => JsonNode.Parse(m.Payload)!["deviceInfo"]!["devEui"]!.GetValue<string>() == own.Key).Select(m => m.Payload);
            Assert.Equal(own.Select(u => u.Json), received);
        }

        // A kill leaves at most the one unconfirmed delivery of the field to be sent again.
        Assert.InRange(repeats, 0, 2 * 100);
        devices.ForEach(d => d.Dispose());
    }

    private static async Task KillAsync(Site site)
    {
        await site.Gateway.KillHardAsync();
        await site.RestartAsync();
    }

    private static List<Uplink> Read()
    {
        using var file = File.OpenRead(Path.Combine(Site.Root, "..", "shared", "data", "lorawan", "uplinks.ndjson.gz"));
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        var uplinks = new List<Uplink>();
        while (reader.ReadLine() is { } line)
        {
            var json = JsonNode.Parse(line)!;

            // One log line of the network server carries no id and is no uplink.
            if (json["deduplicationId"] is not null)
            {
                uplinks.Add(new Uplink(json["deviceInfo"]!["devEui"]!.GetValue<string>(), DateTimeOffset.Parse(json["time"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture), line));
            }
        }

        return uplinks;
    }

    private sealed record Uplink(string Device, DateTimeOffset Time, string Json);
}
