using System.Globalization;
using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>
/// Kills the gateway at random moments under load. SEKISHO_KILLS sets how often (100 unless set; the long form is 1000), SEKISHO_SEED the moments.
/// </summary>
public class CrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_every_message_ends_in_one_state_over_many_kills()
    {
        var kills = Number("SEKISHO_KILLS", 100);
        var random = new Random(Number("SEKISHO_SEED", 20260401));
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("crash", "car-mobility");
        var devices = new List<SimulatedDevice>();
        for (var i = 0; i < 8; i++)
        {
            devices.Add(await site.ConnectAsync("crash", $"CR-{i:D4}"));
        }

        using var fleet = new Fleet(devices);
        fleet.Start(TimeSpan.FromMilliseconds(2));
        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 700)), TimeProvider.System);
            await site.Gateway.KillHardAsync();
            await site.RestartAsync();
        }

        await fleet.StopAsync();
        var ledger = await site.SettledLedgerAsync(TimeSpan.FromMinutes(2));
        output.WriteLine($"{kills} kills, {fleet.Total} acknowledged, {site.Cloud.Count} received, {devices.Sum(d => d.Retries)} retries; ledger {ledger.ToJsonString()}");

        Conservation.Holds(fleet, site, ledger);
        Assert.True(fleet.Total > kills, "hardly any load: the test says nothing");
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}

/// <summary>What must be true after any mishap once everything has come to rest.</summary>
internal static class Conservation
{
    public static void Holds(Fleet fleet, Site site, JsonNode ledger)
    {
        Assert.Equal(0, ledger["residue"]!.GetValue<long>());
        var received = site.Cloud.Distinct().GroupBy(m => JsonNode.Parse(m.Payload)!["device"]!.GetValue<string>())
            .ToDictionary(g => g.Key, g => g.Select(m => int.Parse(m.Sequence!, CultureInfo.InvariantCulture)).ToList());
        foreach (var (device, acknowledged) in fleet.Acknowledged)
        {
            var got = received.GetValueOrDefault(device, []);
            Assert.Equal(got.Order(), got); // in order of first arrival
            Assert.Equal(got.Distinct().Count(), got.Count); // once after removing repeats by id
            Assert.Empty(acknowledged.Except(got)); // nothing acknowledged is missing
        }

        Assert.Equal(0, site.Cloud.BadSignatures);
        Assert.Equal(site.Cloud.Distinct().Count, ledger["fields"]!.AsArray().Sum(f => f!["forwarded"]!.GetValue<long>()));
    }
}
