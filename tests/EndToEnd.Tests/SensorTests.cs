using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Sensor.Uplink;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Processes;
using Sekisho.Wire.Features;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A traffic sensor's uplink against a real gateway: enrolled, sending, cut off, refused.</summary>
public sealed class SensorTests(SensorSite shared) : IClassFixture<SensorSite>, IDisposable
{
    private const string Field = "plant";
    private const ulong MacMarker = 0x02AB_CD12_34EF;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-sensor-").FullName;

    private string Identity => Path.Combine(_folder, "identity");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_interval_of_an_enrolled_sensor_is_seen_as_devices_flows_and_state()
    {
        var site = shared.Site;
        var (sensorId, _) = await EnrolAsync(site);
        using var spool = Spool.Open(Path.Combine(_folder, "spool"));
        var uplink = Uplink(site, spool);
        await using var running = new Running(uplink);
        spool.Append(Interval(0));
        await running.SentAsync(spool);
        spool.Append(Interval(1) with { State = uplink.Report(Interval(1).State) });
        await running.SentAsync(spool);

        var base_ = $"/api/v1/fields/{Field}/sensors/{sensorId}";
        var devices = (await site.Admin.GetAsync(base_ + "/devices?seconds=20")).Expect()["items"]!.AsArray();
        Assert.Equal(["02:ab:cd:12:34:ef", "02:ab:cd:12:34:f0"], devices.Select(d => d!["mac"]!.GetValue<string>()));
        Assert.Equal("203.0.113.77", devices[0]!["addresses"]![0]!.GetValue<string>());
        Assert.Equal(2 * 1_200, devices[0]!["sent"]!["bytes"]!.GetValue<long>());
        Assert.Equal(2 * 1_200 * 8 / 20.0, devices[0]!["sent"]!["bitsPerSecond"]!.GetValue<double>());
        var peer = devices[0]!["peers"]![0]!;
        Assert.Equal("203.0.113.78", peer["address"]!.GetValue<string>());
        Assert.Equal("mqtt", peer["services"]![0]!.GetValue<string>());
        Assert.Equal(2 * 1_200, peer["sent"]!["bytes"]!.GetValue<long>());
        Assert.Equal(2 * 300, devices[1]!["peers"]![0]!["sent"]!["bytes"]!.GetValue<long>());

        var key = devices[1]!["deviceKey"]!.GetValue<string>();
        var flows = (await site.Admin.GetAsync($"{base_}/flows?device={key}")).Expect()["items"]!.AsArray();
        Assert.Equal(1883, Assert.Single(flows)!["server"]!["port"]!.GetValue<int>());
        Assert.Empty((await site.Admin.GetAsync(base_ + "/flows?device=00")).Expect()["items"]!.AsArray());

        var state = (await site.Admin.GetAsync(base_ + "/state")).Expect();
        Assert.Equal(0.25, state["reported"]!["cpu"]!.GetValue<double>());
        Assert.InRange(state["reported"]!["clockOffset"]!.GetValue<double>(), -2_000, 2_000);
        Assert.InRange(state["reported"]!["uplinkBytes"]!.GetValue<long>(), 500, 20_000);
        Assert.Empty(state["alarms"]!.AsArray());
        var sensor = (await site.Admin.GetAsync(base_)).Expect();
        Assert.Equal(("active", 2), (sensor["state"]!.GetValue<string>(), sensor["lastSequence"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Intervals_wait_while_the_gateway_is_killed_and_arrive_once_each_when_it_is_back()
    {
        await using var site = await SensorSite.StartAsync();
        var (sensorId, _) = await EnrolAsync(site);
        using var spool = Spool.Open(Path.Combine(_folder, "spool"));
        await using var running = new Running(Uplink(site, spool));
        spool.Append(Interval(0));
        await running.SentAsync(spool);
        await site.Gateway.KillHardAsync();
        for (var i = 1; i < 6; i++)
        {
            spool.Append(Interval(i));
        }

        await Site.UntilAsync(() => Task.FromResult(running.Uplink.Trouble), t => t is not null, Within, "the uplink does not notice");
        Assert.Equal(5, spool.Waiting);
        await site.RestartAsync();
        await running.SentAsync(spool);
        await site.Admin.SignInAsync("hanako", Site.Password);
        var sensor = (await site.Admin.GetAsync($"/api/v1/fields/{Field}/sensors/{sensorId}")).Expect();
        Assert.Equal((6, 0), (sensor["lastSequence"]!.GetValue<int>(), sensor["missed"]!.GetValue<int>()));
        var devices = (await site.Admin.GetAsync($"/api/v1/fields/{Field}/sensors/{sensorId}/devices?seconds=3600")).Expect()["items"]!.AsArray();
        Assert.Equal(6 * 1_200, devices[0]!["sent"]!["bytes"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_replay_a_forged_certificate_a_stranger_and_a_revoked_sensor_are_refused_and_change_nothing()
    {
        var site = shared.Site;
        var (sensorId, _) = await EnrolAsync(site);
        var path = $"/api/v1/fields/{Field}/sensors/{sensorId}";
        var batch = IntervalBatch.Encode([Message(1), Message(2)]);
        Assert.Equal(200, (await PostAsync(site, OwnCertificate(), batch)).Status);

        var replay = await PostAsync(site, OwnCertificate(), batch);
        Assert.Equal((409, "sensor-intervals-repeated", 2), (replay.Status, Slug(replay), replay.Body["upTo"]!.GetValue<int>()));
        var partly = await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(2), Message(3)]));
        Assert.Equal((200, 3), (partly.Status, partly.Body["upTo"]!.GetValue<int>()));
        Assert.Equal(422, (await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(5), Message(4)]))).Status);
        Assert.Equal(422, (await PostAsync(site, OwnCertificate(), [1, 2, 3])).Status);
        Assert.Equal(413, (await PostAsync(site, OwnCertificate(), new byte[5 * 1024 * 1024])).Status);

        using var forged = Forged(OwnCertificate().Subject);
        Assert.Equal("sensor-unknown", Slug(await PostAsync(site, forged, IntervalBatch.Encode([Message(4)]))));
        Assert.Equal("sensor-certificate-needed", Slug(await PostAsync(site, null, IntervalBatch.Encode([Message(4)]))));

        (await site.Admin.PostAsync(path + "/revoke", null)).Expect();
        var revoked = await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(4)]));
        Assert.Equal((403, "sensor-revoked"), (revoked.Status, Slug(revoked)));
        Assert.Equal(3, (await site.Admin.GetAsync(path)).Expect()["lastSequence"]!.GetValue<int>());
        var devices = (await site.Admin.GetAsync(path + "/devices?seconds=3600")).Expect()["items"]!.AsArray();
        Assert.Equal(3 * 1_200, devices[0]!["sent"]!["bytes"]!.GetValue<long>());

        using var spool = Spool.Open(Path.Combine(_folder, "spool"));
        spool.Append(Interval(9));
        var told = await Assert.ThrowsAsync<UplinkException>(() => Uplink(site, spool).RunAsync(CancellationToken.None).WaitAsync(Within));
        Assert.Contains("sensor-revoked", told.Message, StringComparison.Ordinal);
        Assert.Equal(1, spool.Waiting);

        Assert.Equal(204, (await site.Admin.DeleteAsync(path)).Status);
        Assert.Equal("sensor-unknown", Slug(await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(4)]))));
        Assert.Equal(404, (await site.Admin.GetAsync(path + "/devices")).Status);
    }

    [Fact]
    public async Task A_code_works_once_and_only_where_the_fingerprint_is_the_gateways()
    {
        var site = shared.Site;
        var made = await RegisterAsync(site);
        var code = made["code"]!.GetValue<string>();
        var right = made["caFingerprint"]!.GetValue<string>();
        var wrong = new string('A', 64);
        var warned = await Assert.ThrowsAsync<UplinkException>(() => EnrolAsync(site, code, wrong));
        Assert.Equal(UplinkFault.OtherAuthority, warned.Trouble.Fault);
        var refused = await Assert.ThrowsAsync<UplinkException>(() => EnrolAsync(site, "aaaaaa-aaaaaa-aaaaaa-aaaaaa", right));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
        Assert.False(SensorIdentity.Exists(Identity));
        await EnrolAsync(site, code, right);
        await Assert.ThrowsAsync<UplinkException>(() => EnrolAsync(site, code, right));

        // A new code replaces the key: the old certificate ends with the enrolment.
        using var before = OwnCertificate();
        var path = $"/api/v1/fields/{Field}/sensors/{made["sensor"]!["sensorId"]!.GetValue<string>()}";
        Assert.Equal(200, (await PostAsync(site, before, IntervalBatch.Encode([Message(1)]))).Status);
        var again = await EnrolAsync(site, (await site.Admin.PostAsync(path + "/code", null)).Expect()["code"]!.GetValue<string>(), right);
        Assert.Equal(1, again.UpTo);
        Assert.Equal("sensor-unknown", Slug(await PostAsync(site, before, IntervalBatch.Encode([Message(2)]))));
        Assert.Equal(200, (await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(2)]))).Status);
    }

    [Fact]
    public async Task A_code_is_not_guessed_for_long()
    {
        await using var site = await SensorSite.StartAsync();
        await RegisterAsync(site);
        var statuses = new List<int>();
        for (var i = 0; i < 15; i++)
        {
            statuses.Add((await SendAsync(site, null, "enrol", new StringContent($$"""{"code":"guess{{i}}","request":"{{JsonText(Request())}}"}""", Encoding.UTF8, "application/json"))).Status);
        }

        Assert.Equal([403, 429], statuses.Distinct());
    }

    [Fact]
    public async Task The_certificate_is_renewed_and_the_old_one_ends_when_the_new_one_is_used()
    {
        await using var site = await SensorSite.StartAsync("Behaviour:Sensors:CertificateDays=2");
        await EnrolAsync(site);
        using var before = OwnCertificate();
        var renewed = await SendAsync(site, before, "certificate", new StringContent($$"""{"request":"{{JsonText(Request())}}"}""", Encoding.UTF8, "application/json"));
        Assert.Equal(200, renewed.Status);
        Assert.Equal(200, (await PostAsync(site, before, IntervalBatch.Encode([Message(1)]))).Status);

        // The sensor itself does it once a third of the life is left, which it is by a clock that is ahead: valid from a day ago to two days from now.
        using var spool = Spool.Open(Path.Combine(_folder, "spool"));
        spool.Confirm(1, 1);
        spool.Append(Interval(1));
        await using var running = new Running(new GatewayUplink(spool, new UplinkOptions(site.Gateway.Sensors!, Identity), new Ahead(TimeSpan.FromHours(30)), new Random(1)));
        await running.SentAsync(spool);
        using var after = OwnCertificate();
        Assert.NotEqual(before.Thumbprint, after.Thumbprint);
        Assert.Equal("sensor-unknown", Slug(await PostAsync(site, before, IntervalBatch.Encode([Message(9)]))));
    }

    [Fact]
    public async Task No_code_key_mac_or_address_stands_in_a_file_or_in_the_output_of_the_gateway()
    {
        await using var site = await SensorSite.StartAsync("Operations:Logging:Level=Trace");
        var (sensorId, code) = await EnrolAsync(site);
        Assert.Equal(200, (await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(1)]))).Status);
        await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(1)]));
        await PostAsync(site, OwnCertificate(), Message(1));
        Assert.Equal(2, (await site.Admin.GetAsync($"/api/v1/fields/{Field}/sensors/{sensorId}/devices")).Expect()["items"]!.AsArray().Count);
        var pem = await File.ReadAllTextAsync(Path.Combine(Identity, "identity.pem"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Identity, "identity.pem")));
        var key = pem.Split("-----BEGIN PRIVATE KEY-----\n")[1][..60];
        byte[][] markers =
        [
            .. ((string[])[code, code.Replace("-", "", StringComparison.Ordinal), key, "203.0.113.77", "02:ab:cd:12:34:ef", "02abcd1234ef", "Press hall marker"]).Select(Encoding.UTF8.GetBytes),
            Convert.FromHexString("02ABCD1234EF"), Convert.FromHexString("EF3412CDAB02"), IPAddress.Parse("203.0.113.77").GetAddressBytes(), Message(1)[..40],
        ];
        await site.Gateway.StopAsync();
        foreach (var file in Directory.GetFiles(site.DataFolder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Assert.All(markers, m => Assert.True(bytes.AsSpan().IndexOf(m) < 0, $"{Path.GetFileName(file)} holds {Convert.ToHexString(m)}"));
        }

        Assert.All(markers.Take(7), m => Assert.DoesNotContain(Encoding.UTF8.GetString(m), site.Gateway.Output, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(sensorId, site.Gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sensor_without_traffic_with_drops_a_wrong_clock_or_silent_raises_alarms_that_end()
    {
        var site = shared.Site;
        var (sensorId, _) = await EnrolAsync(site);
        var path = $"/api/v1/fields/{Field}/sensors/{sensorId}";
        var bad = new SensorState { Packets = 0, KernelDrops = 3, FlowsEvicted = 1, ClockOffset = 2_500, Lost = 1 };
        await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([.. Enumerable.Range(1, 3).Select(i => Message(i, bad))]));
        Assert.Equal(
            ["clock-offset", "intervals-lost", "kernel-drops", "no-traffic", "table-full"],
            (await site.Admin.GetAsync(path + "/state")).Expect()["alarms"]!.AsArray().Select(a => a!["kind"]!.GetValue<string>()));
        Assert.Contains("mirror", (await site.Admin.GetAsync(path + "/state")).Expect()["alarms"]![3]!["text"]!.GetValue<string>(), StringComparison.Ordinal);
        await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([.. Enumerable.Range(4, 3).Select(i => Message(i, new SensorState { Packets = 5, Lost = 1 }))]));
        Assert.Empty((await site.Admin.GetAsync(path + "/state")).Expect()["alarms"]!.AsArray());

        // A short interval: silent after 15 s.
        await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([IntervalCodec.Encode(Interval(7) with { Sequence = 7, Length = 1_000 })]));
        await Site.UntilAsync(
            async () => (await site.Admin.GetAsync(path)).Expect()["alarms"]!.ToJsonString(), t => t == """["silent"]""", TimeSpan.FromSeconds(40), "the silence is not noticed");
        await PostAsync(site, OwnCertificate(), IntervalBatch.Encode([Message(8)]));
        Assert.Empty((await site.Admin.GetAsync(path)).Expect()["alarms"]!.AsArray());
        var history = (await site.Admin.GetAsync($"/api/v1/fields/{Field}/history?limit=100")).Expect().ToJsonString();
        Assert.All((string[])["sensor-no-traffic", "sensor-no-traffic-ended", "sensor-silent", "sensor-silent-ended", "sensor-enrolled", "sensor-registered"], w => Assert.Contains($"\"{w}\"", history, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_sensors_port_serves_sensors_only_and_they_are_served_nowhere_else()
    {
        var site = shared.Site;
        using var onSensorPort = new ManagementClient(site.Gateway.Sensors!, site.Gateway.CaFile) { Token = site.Admin.Token };
        Assert.Equal(404, (await onSensorPort.GetAsync("/ops/v1/stages")).Status);
        Assert.Equal(404, (await onSensorPort.PostAsync("/device/v1/token", new { })).Status);
        Assert.Equal(200, (await onSensorPort.GetAsync("/sensor/v1/authority")).Status);
        Assert.Equal(404, (await site.Admin.GetAsync("/sensor/v1/authority")).Status);
        using var onDevicePort = new ManagementClient(site.Gateway.Devices, site.Gateway.CaFile);
        Assert.Equal(404, (await onDevicePort.GetAsync("/sensor/v1/authority")).Status);
    }

    private static async Task<JsonNode> RegisterAsync(Site site) => (await site.Admin.PostAsync($"/api/v1/fields/{Field}/sensors", new { name = "Press hall marker" })).Expect();

    private async Task<(string SensorId, string Code)> EnrolAsync(Site site)
    {
        var made = await RegisterAsync(site);
        var code = made["code"]!.GetValue<string>();
        return ((await EnrolAsync(site, code, made["caFingerprint"]!.GetValue<string>())).SensorId, code);
    }

    private Task<Enrolled> EnrolAsync(Site site, string code, string fingerprint) =>
        Enrolment.EnrolAsync(site.Gateway.Sensors!, code, fingerprint, Identity, TimeProvider.System, CancellationToken.None);

    private GatewayUplink Uplink(Site site, Spool spool) =>
        new(spool, new UplinkOptions(site.Gateway.Sensors!, Identity) { FirstWait = TimeSpan.FromMilliseconds(50), LongestWait = TimeSpan.FromMilliseconds(500) }, TimeProvider.System, new Random(1));

    private X509Certificate2 OwnCertificate()
    {
        using var pem = X509Certificate2.CreateFromPemFile(Path.Combine(Identity, "identity.pem"));
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
    }

    private static X509Certificate2 Forged(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(30), DateTimeOffset.UnixEpoch.AddYears(100));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    private static string Request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    private static string JsonText(string text) => text.Replace("\n", "\\n", StringComparison.Ordinal);

    private static Task<(int Status, JsonNode Body)> PostAsync(Site site, X509Certificate2? certificate, byte[] batch) => SendAsync(site, certificate, "intervals", new ByteArrayContent(batch));

    private static async Task<(int Status, JsonNode Body)> SendAsync(Site site, X509Certificate2? certificate, string route, HttpContent content)
    {
        using var handler = TrustedHttp.Handler(site.Gateway.CaFile);
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        using var http = new HttpClient(handler);
        using var answer = await http.PostAsync(new Uri(site.Gateway.Sensors!, "/sensor/v1/" + route), content);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    private static string Slug((int Status, JsonNode Body) answer) => answer.Body["type"]!.GetValue<string>()["urn:sekisho:problem:".Length..];

    private static byte[] Message(long sequence, SensorState? state = null) =>
        IntervalCodec.Encode(Interval((int)sequence) with { Sequence = sequence, State = state ?? new SensorState { Packets = 16, Bytes = 1_500 } });

    private static IntervalFeatures Interval(int number)
    {
        var start = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var up = new Tally { Packets = 12, Bytes = 1_200, Sizes = [0, 12, 0, 0, 0, 0, 0, 0], Gaps = [0, 0, 0, 11, 0, 0, 0, 0] };
        var down = new Tally { Packets = 3, Bytes = 300, Sizes = [0, 3, 0, 0, 0, 0, 0, 0], Gaps = [0, 0, 0, 2, 0, 0, 0, 0] };
        var (one, two) = (NetAddress.FromIPv4(0xCB00_714D), NetAddress.FromIPv4(0xCB00_714E));
        return new IntervalFeatures(
            0, start + number, 10_000,
            [
                new DeviceFeatures { Mac = MacMarker, Addresses = [one], FirstSeen = start, LastSeen = start, Sent = up, Received = down },
                new DeviceFeatures { Mac = MacMarker + 1, Addresses = [two], FirstSeen = start, LastSeen = start, Sent = down, Received = up },
            ],
            [
                new FlowFeatures
                {
                    ClientMac = MacMarker, ServerMac = MacMarker + 1, Client = one, Server = two, EtherType = 0x0800, Protocol = 6, ClientPort = 50_000, ServerPort = 1883,
                    Service = "mqtt", FirstSeen = start, LastSeen = start, Up = up, Down = down,
                },
            ],
            new SensorState { Cpu = 0.25, Packets = 15, Bytes = 1_500 });
    }

    private sealed class Ahead(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }

    /// <summary>An uplink that runs until the test is done with it.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task _run;

        public Running(GatewayUplink uplink)
        {
            Uplink = uplink;
            _run = Task.Run(() => uplink.RunAsync(_end.Token));
        }

        public GatewayUplink Uplink { get; }

        public Task SentAsync(Spool spool) => Site.UntilAsync(
            () => _run.IsFaulted ? throw new InvalidOperationException("The uplink ended.", _run.Exception) : Task.FromResult((spool.Waiting, Uplink.Trouble)), s => s.Waiting == 0, Within, "intervals wait");

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _run.WaitAsync(Within));
            _end.Dispose();
        }
    }
}

/// <summary>A site with a port for sensors, shared by tests that do not disturb each other: each registers a sensor of its own.</summary>
public sealed class SensorSite : IAsyncLifetime
{
    public Site Site { get; private set; } = null!;

    public static async Task<Site> StartAsync(params string[] settings)
    {
        var site = await Site.StartAsync(settings: [$"Gateway:SensorPort={FreePort.Next()}", .. settings]);
        await site.AddFieldAsync("plant", forwarding: false);
        return site;
    }

    public async ValueTask InitializeAsync() => Site = await StartAsync();

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}
