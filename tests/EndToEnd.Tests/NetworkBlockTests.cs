using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Sensor.Tests.Enforcement;
using Sekisho.Tests.Support;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A device that was taken over is blocked and quarantined on the network by a real sensor in its path, as a real gateway orders.</summary>
public sealed class NetworkBlockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-enforcer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_device_is_blocked_lifted_early_quarantined_and_talks_again_after_its_time_while_the_gateway_is_down()
    {
        await using var network = new EnforcedNetwork(bridged: false);
        await using var site = await SensorSite.StartAsync($"Response:Network:Reachable:0=tcp {network.Update} {EnforcedNetwork.Port}", "Response:Leases:RestrictionLasts=00:01:30");
        (await site.Admin.PutAsync("/api/v1/fields/plant/template", new { templateId = "car-mobility", parameters = new { } })).Expect();
        (await site.Admin.PutAsync("/api/v1/fields/plant/response-rules", new
        {
            reason = "trial",
            rules = ((string[])["block-network", "quarantine-network"]).Select(action => new { risk = "takeover", level = "information", action, condition = "frequency-engine-off" }),
        })).Expect();
        using var device = await site.ConnectAsync("plant", network.DeviceMac, new { uniqueIdType = "mac", kind = "drive-recorder" });
        using var way = new Way(network, site.Gateway.Sensors!.Port);
        using var sensor = await EnforceAsync(site, network);

        // What the sensor sees of the device is how the orders know its address.
        Assert.True(network.Reaches(network.Server) && network.Reaches(network.Server6) && network.Reaches(network.Update));
        using var standing = network.Open(network.Server);
        Assert.True(EnforcedNetwork.Echoes(standing!));
        var link = $"/api/v1/fields/plant/network-links/{device.DeviceId}";
        await Site.UntilAsync(async () => (await site.Admin.GetAsync(link)).Expect()["addresses"]!.ToJsonString(), a => a.Contains(network.Device.ToString(), StringComparison.Ordinal), TimeSpan.FromSeconds(40), "the device is not seen");

        var sequence = 0;
        await Site.UntilAsync(
            async () =>
            {
                await device.SendAsync($$"""{"time":"{{TimeProvider.System.GetUtcNow():O}}","seq":{{++sequence}},"mode":"off","speed":0}""");
                return await LeasesAsync(site);
            },
            l => l.Count > 0,
            TimeSpan.FromSeconds(30),
            "nothing is found");
        var done = await Site.UntilAsync(() => LeasesAsync(site), l => l.All(r => State(r) == "done"), TimeSpan.FromSeconds(40), "the responses are not done");
        Assert.False(EnforcedNetwork.Echoes(standing!));
        Assert.False(network.Reaches(network.Server) || network.Reaches(network.Update) || network.Reaches(network.Server6));

        var measures = (await site.Admin.GetAsync("/api/v1/fields/plant/network-measures")).Body!.AsArray();
        Assert.Equal(done.Count, measures.Count);
        Assert.All(measures, m => Assert.Equal((network.DeviceMac, "applied"), (m!["macs"]![0]!.GetValue<string>(), m["enforcers"]![0]!["outcome"]!.GetValue<string>())));

        // A deleted sensor would be told of no lift: people learn of that first.
        var own = $"/api/v1/fields/plant/sensors/{measures[0]!["enforcers"]![0]!["sensorId"]!.GetValue<string>()}";
        var refused = await site.Admin.DeleteAsync(own);
        Assert.Equal((409, "urn:sekisho:problem:sensor-holds"), (refused.Status, refused.Body!["type"]!.GetValue<string>()));
        Assert.Contains($"{measures.Count} restriction", refused.Body!["detail"]!.GetValue<string>(), StringComparison.Ordinal);

        // The blocks end by a person, early; the quarantine stands.
        foreach (var block in done.Where(r => r["action"]!.GetValue<string>() == "block-network"))
        {
            Assert.InRange((await site.Admin.PostAsync($"/api/v1/fields/plant/responses/{block["id"]!.GetValue<string>()}/undo", new { reason = "the update is to reach it" })).Status, 200, 299);
        }

        await Site.UntilAsync(() => LeasesAsync(site), l => l.All(r => State(r) == (r["action"]!.GetValue<string>() == "block-network" ? "undone" : "done")), TimeSpan.FromSeconds(40), "the blocks are not undone");
        network.Talks(network.Update);
        Assert.False(network.Reaches(network.Server));

        await site.Gateway.KillHardAsync();
        Assert.False(network.Reaches(network.Server));
        await Until.TrueAsync(() => network.Reaches(network.Server), "the device does not talk again", TimeSpan.FromSeconds(120));
        network.Talks(network.Server6);
        Assert.True(EnforcedNetwork.Echoes(standing!, TimeSpan.FromSeconds(60)), "the connection does not go on");

        await site.RestartAsync();
        await site.Admin.SignInAsync("hanako", Site.Password);
        await Site.UntilAsync(() => LeasesAsync(site), l => l.All(r => State(r) is "undone" or "expired") && l.Any(r => State(r) == "expired"), TimeSpan.FromSeconds(60), "the quarantine is not recorded as ended");
        Assert.False(sensor.HasEnded);

        // With nothing in force it goes.
        Assert.Equal(204, (await site.Admin.DeleteAsync(own)).Status);
    }

    private static string State(JsonNode lease) => lease["state"]!.GetValue<string>();

    private static async Task<List<JsonNode>> LeasesAsync(Site site) =>
        [.. (await site.Admin.GetAsync("/api/v1/fields/plant/responses")).Expect()["items"]!.AsArray().Select(r => r!).Where(r => r["action"]!.GetValue<string>().EndsWith("-network", StringComparison.Ordinal))];

    private async Task<SensorProcess> EnforceAsync(Site site, EnforcedNetwork network)
    {
        var made = (await site.Admin.PostAsync("/api/v1/fields/plant/sensors", new { name = "Router" })).Expect();
        var gateway = site.Gateway.Sensors!.ToString();
        var enrolled = SensorProcess.RunWith(Encoding.UTF8.GetBytes(made["code"]!.GetValue<string>() + "\n"), "enrol", "--gateway", gateway, "--ca", made["caFingerprint"]!.GetValue<string>(), "--folder", _folder, "--language", "en");
        Assert.Equal((0, ""), (enrolled.Code, enrolled.Errors));
        var sensor = SensorProcess.Start(network.Path.Name, "--interface", network.Interface, "--inline", "--enforce", "--gateway", gateway, "--folder", _folder, "--interval", "1", "--no-view", "--language", "en");
        sensor.Until(() => sensor.Errors.Any(e => e.StartsWith("Orders of the gateway are enforced", StringComparison.Ordinal)), "it does not enforce");
        return sensor;
    }

    /// <summary>A way from the router's loopback to the gateway's: what comes to the port there goes to the same port here.</summary>
    private sealed class Way : IDisposable
    {
        private readonly Socket _listener;

        public Way(EnforcedNetwork network, int port)
        {
            _listener = network.Path.Inside(() =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                socket.Listen();
                return socket;
            });
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    var near = await _listener.AcceptAsync();
                    _ = Task.Run(() => JoinAsync(near, port));
                }
            });
        }

        public void Dispose() => _listener.Dispose();

        private static async Task JoinAsync(Socket near, int port)
        {
            using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using (near)
            {
                try
                {
                    await far.ConnectAsync(IPAddress.Loopback, port);
                    await using var here = new NetworkStream(near);
                    await using var there = new NetworkStream(far);
                    await Task.WhenAny(here.CopyToAsync(there), there.CopyToAsync(here));
                }
                catch (Exception e) when (e is SocketException or IOException)
                {
                    // The gateway is down: the connection ends, as it would without this way.
                }
            }
        }
    }
}
