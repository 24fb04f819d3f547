using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Gateway and sensor as processes, from the code that an administrator makes to the devices that he sees; as root, for the cable to the sensor.</summary>
public sealed class SensorProgramTests : IDisposable
{
    private const int Length = 14 + 20 + 8 + 600;
    private const int Frames = 500;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly NetworkLab _lab = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-sensor-").FullName;
    private readonly string _mirror = $"sk{Environment.ProcessId}";

    public void Dispose()
    {
        // Its end here goes with the namespace.
        _lab.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_sensor_that_was_enrolled_by_its_code_shows_the_devices_of_its_mirror_port_and_lets_no_payload_and_no_secret_out()
    {
        await using var site = await SensorSite.StartAsync("Operations:Logging:Level=Trace");
        var made = (await site.Admin.PostAsync("/api/v1/fields/plant/sensors", new { name = "Press hall" })).Expect();
        var (code, gateway) = (made["code"]!.GetValue<string>(), site.Gateway.Sensors!.ToString());
        var enrolled = SensorProcess.RunWith(Encoding.UTF8.GetBytes(code + "\n"), "enrol", "--gateway", gateway, "--ca", made["caFingerprint"]!.GetValue<string>(), "--folder", _folder, "--language", "en");
        Assert.Equal((0, ""), (enrolled.Code, enrolled.Errors));
        var sensorId = enrolled.Output.Split(' ')[0];
        var again = SensorProcess.RunWith(Encoding.UTF8.GetBytes(code + "\n"), "enrol", "--gateway", gateway, "--ca", made["caFingerprint"]!.GetValue<string>(), "--folder", Path.Combine(_folder, "second"), "--language", "en");
        Assert.Equal((1, ""), (again.Code, again.Output));
        Assert.DoesNotContain('\n', again.Errors);

        NetworkLab.Tool("ip", "link", "add", "name", _mirror, "type", "veth", "peer", "name", "switch", "netns", _lab.Name);
        NetworkLab.Tool("ip", "link", "set", "dev", _mirror, "addrgenmode", "none", "up");
        _lab.Ip("link", "set", "dev", "switch", "addrgenmode", "none", "up");
        var marker = RandomNumberGenerator.GetBytes(20);
        using var sensor = SensorProcess.Start(networkNamespace: null, "--interface", _mirror, "--gateway", gateway, "--folder", _folder, "--interval", "1", "--language", "en");
        sensor.Until(() => sensor.Errors.Any(e => e.StartsWith("Reading from ", StringComparison.Ordinal)), "it does not read");
        Send(marker, Frames);

        var path = $"/api/v1/fields/plant/sensors/{sensorId}";
        var devices = await Site.UntilAsync(async () => await DevicesAsync(site, path), d => Sent(d) == Frames * Length, Within, "the devices are not shown");
        Assert.Equal(["02:00:00:00:00:01", "02:00:00:00:00:02"], devices.Select(d => d!["mac"]!.GetValue<string>()));
        Assert.Equal(["192.0.2.1"], devices[0]!["addresses"]!.AsArray().Select(a => a!.GetValue<string>()));

        // The rate is over the intervals there are, each a second long.
        var seconds = Frames * Length * 8 / devices[0]!["sent"]!["bitsPerSecond"]!.GetValue<double>();
        Assert.InRange(seconds, 0.9, 61);
        Assert.Equal(Math.Round(seconds), seconds, 0.01);
        Assert.Equal("modbus", devices[0]!["peers"]![0]!["services"]![0]!.GetValue<string>());
        Assert.Equal(Frames * Length, devices[1]!["received"]!["bytes"]!.GetValue<long>());

        // What came just before the end is kept, and sent at the next start.
        Send(marker, 7);
        sensor.Stop();
        Assert.Equal(0, sensor.Ended());
        using (var next = SensorProcess.Start(networkNamespace: null, "--interface", _mirror, "--gateway", gateway, "--folder", _folder, "--interval", "1", "--language", "en"))
        {
            await Site.UntilAsync(async () => await DevicesAsync(site, path), d => Sent(d) == (Frames + 7) * Length, Within, "the last interval is not shown");
            next.Stop();
            Assert.Equal(0, next.Ended());
        }

        var state = (await site.Admin.GetAsync(path)).Expect();
        Assert.Equal(("active", 0), (state["state"]!.GetValue<string>(), state["missed"]!.GetValue<int>()));

        (await site.Admin.PostAsync(path + "/revoke", null)).Expect();
        using var revoked = SensorProcess.Start(networkNamespace: null, "--interface", _mirror, "--gateway", gateway, "--folder", _folder, "--interval", "1", "--language", "en");
        Assert.Equal(1, revoked.Ended());
        Assert.Contains("revoked", revoked.Errors[^1], StringComparison.Ordinal);

        Assert.Equal(0, await site.Gateway.StopAsync());
        var pem = File.ReadAllText(Path.Combine(_folder, "identity.pem"));
        using var key = ECDsa.Create();
        key.ImportFromPem(pem);
        var secret = key.ExportParameters(includePrivateParameters: true).D!;
        var keyLines = pem[pem.IndexOf("PRIVATE KEY-----", StringComparison.Ordinal)..].Split('\n').Where(l => l.Length >= 40 && !l.Contains('-', StringComparison.Ordinal)).ToList();
        Assert.True(keyLines.Count >= 2);
        var said = string.Join('\n', [site.Gateway.Output, enrolled.Output, again.Errors, .. revoked.Errors, .. sensor.Output, .. sensor.Errors]);
        Assert.All([code, .. keyLines, Convert.ToHexString(marker), Convert.ToBase64String(marker)], text => Assert.DoesNotContain(text, said, StringComparison.OrdinalIgnoreCase));
        HoldsNot(_folder, marker, except: null);
        HoldsNot(_folder, secret, except: "identity.pem");
        HoldsNot(_folder, Encoding.UTF8.GetBytes(code), except: null);
        Assert.All([marker, secret, Encoding.UTF8.GetBytes(code), .. keyLines.Select(Encoding.UTF8.GetBytes)], bytes => HoldsNot(site.DataFolder, bytes, except: null));
    }

    private static async Task<JsonArray> DevicesAsync(Site site, string path) => (await site.Admin.GetAsync(path + "/devices?seconds=60")).Expect()["items"]!.AsArray();

    private static long Sent(JsonArray devices) => devices.Count == 2 ? devices[0]!["sent"]!["bytes"]!.GetValue<long>() : 0;

    // No file but the one that is to have them holds the bytes.
    private static void HoldsNot(string folder, byte[] bytes, string? except)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files.Where(f => Path.GetFileName(f) != except))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var whole = new MemoryStream();
            stream.CopyTo(whole);
            Assert.True(whole.GetBuffer().AsSpan(0, (int)whole.Length).IndexOf(bytes) < 0, $"{file} holds what is to stay secret.");
        }
    }

    private void Send(byte[] marker, int frames) => _lab.Inside(() =>
    {
        using var sender = new FrameSender("switch");
        byte[] payload = [.. marker, .. new byte[600 - marker.Length]];
        for (var i = 0; i < frames; i++)
        {
            var frame = TestFrames.Udp4(50_000, 502, payload);
            Assert.True(sender.Send(frame));
            byte[] answer = [.. frame[6..12], .. frame[..6], .. frame[12..26], .. frame[30..34], .. frame[26..30], .. frame[36..38], .. frame[34..36], .. frame[38..]];
            Assert.True(sender.Send(answer));
        }
    });
}
