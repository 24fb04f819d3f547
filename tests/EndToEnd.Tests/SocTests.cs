using System.Globalization;
using System.Text.Json.Nodes;
using Sekisho.Tests.Support;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Gateways in processes of their own and a real rsyslog over TLS.</summary>
public class SocTests(ITestOutputHelper output)
{
    private static readonly TestCa Ca = new("Sekisho test authority");

    [Fact]
    public async Task A_gateway_that_is_killed_over_and_over_sends_every_record_in_order_and_so_does_another_beside_it()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var east = await Site.StartAsync(settings: Settings("gate-east"));
        await using var west = await Site.StartAsync(settings: Settings("gate-west"));
        var receivers = new Dictionary<Site, string>();
        foreach (var site in (Site[])[east, west])
        {
            await site.AddFieldAsync("soc", forwarding: false);
            receivers[site] = (await site.Admin.PostAsync("/api/v1/fields/soc/soc/receivers", new { name = "SOC", host = "localhost", port = rsyslog.Port, trustAnchors = Ca.Certificate, format = "ecs" })).Expect()["id"]!.GetValue<string>();
        }

        var devices = new Dictionary<Site, List<string>> { [east] = [], [west] = [] };
        for (var kill = 0; kill < 5; kill++)
        {
            for (var number = 0; number < 8; number++)
            {
                foreach (var (site, made) in devices)
                {
                    using var device = await site.ConnectAsync("soc", $"SOC-{kill}-{number}");
                    made.Add(device.DeviceId!);
                }
            }

            await east.Gateway.KillHardAsync();
            await east.RestartAsync();
        }

        foreach (var (site, receiver) in receivers)
        {
            await Site.UntilAsync(
                async () => (await site.Admin.GetAsync("/api/v1/fields/soc/soc/receivers/" + receiver)).Expect()["sending"]!.ToJsonString(),
                json => JsonNode.Parse(json) is { } s && s["connected"]!.GetValue<bool>() && s["waiting"]!.GetValue<long>() == 0,
                TimeSpan.FromMinutes(2),
                "the receiver has not taken everything");
        }

        var lines = rsyslog.Read();
        foreach (var (site, gateway) in ((Site, string)[])[(east, "gate-east"), (west, "gate-west")])
        {
            var positions = lines.Where(l => l.Host == gateway).Select(l => long.Parse(l["eventId"]![(gateway.Length + 1)..], CultureInfo.InvariantCulture)).ToList();
            output.WriteLine($"{gateway}: {positions.Count} events, {positions.Distinct().Count()} of them first ones");
            Assert.Equal(positions.Distinct().Order(), positions.Distinct());
            var registered = lines.Where(l => l.Host == gateway && l.MessageId == "device-state" && l["what"] == "registered").Select(l => l["device"]!).Distinct();
            Assert.Equal(devices[site], registered);

            // What the history of the field holds of these kinds since then is what arrived.
            var kept = 0;
            foreach (var kind in (string[])["operator", "device-state", "authentication", "detection", "response"])
            {
                kept += await CountAsync(site, kind);
            }

            Assert.InRange(kept - positions.Distinct().Count(), 0, 4); // making the field and the receiver came before
        }

        Assert.DoesNotContain(lines, l => l.Message.Contains("hanako", StringComparison.Ordinal));
        Assert.Contains((await east.Admin.GetAsync("/ops/v1/stages")).Expect().AsArray(), s => s!["name"]!.GetValue<string>() == "soc" && s["healthy"]!.GetValue<bool>());
    }

    private static string[] Settings(string name) => [$"Response:Soc:GatewayName={name}", "Response:Soc:InternalNetworks:0=127.0.0.0/8", "Response:Soc:Settle=00:00:01", "Response:Soc:Poll=00:00:00.1"];

    private static async Task<int> CountAsync(Site site, string kind)
    {
        var (count, after) = (0, "");
        do
        {
            var page = (await site.Admin.GetAsync($"/api/v1/fields/soc/history?kind={kind}&limit=500{after}")).Expect();
            count += page["items"]!.AsArray().Count;
            after = page["next"]?.GetValue<string>() is { } next ? "&after=" + next : "";
        }
        while (after.Length > 0);
        return count;
    }
}
