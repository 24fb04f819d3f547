using System.Net;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Time;

namespace Sekisho.Verification.Tests.Clients;

public class SimulatedDeviceTests
{
    private const string Token = """{"deviceId":"d1","token":"t1","expiresAt":"2030-01-01T00:00:00Z"}""";
    private static readonly DeviceCredential Credential = new("common", "secret", "unique");

    [Fact]
    public async Task It_shows_its_three_elements_then_its_token_and_identifier()
    {
        await using var port = await DevicePort.StartAsync(a => a.Path.EndsWith("token", StringComparison.Ordinal) ? (200, Token) : (202, """{"accepted":1}"""));
        using var device = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System, new DeviceLine(IPAddress.Parse("127.9.8.7"), "unit/1", "ja"));
        Assert.Equal(200, (await device.AuthenticateAsync()).Status);
        Assert.Equal(("d1", "t1"), (device.DeviceId, device.Token));
        Assert.Equal(202, (await device.SendAsync("""{"seq":1}""")).Status);
        var (first, second) = (port.Requests.First(), port.Requests.Last());
        Assert.Equal("""{"commonAuthId":"common","authSecret":"secret","uniqueId":"unique"}""", first.Body);
        Assert.Null(first.Authorization);
        Assert.Equal(("Bearer t1", "d1", "unit/1", "ja", "127.9.8.7", """{"seq":1}"""), (second.Authorization, second.Device, second.Client, second.Language, second.Source, second.Body));
    }

    [Fact]
    public async Task A_refusal_is_told_by_the_last_part_of_its_problem_type()
    {
        await using var port = await DevicePort.StartAsync(_ => (401, """{"type":"urn:sekisho:problem:token-expired","title":"Token expired"}"""));
        using var device = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System) { Token = "old", DeviceId = "d1" };
        var answer = await device.SendAsync("{}");
        Assert.Equal((401, "token-expired"), (answer.Status, answer.Problem));
    }

    [Fact]
    public async Task Delivery_fetches_a_new_token_when_the_old_one_has_expired_and_repeats_what_was_not_acknowledged()
    {
        var attempts = 0;
        await using var port = await DevicePort.StartAsync(a => a.Path.EndsWith("token", StringComparison.Ordinal) ? (200, Token)
            : a.Authorization == "Bearer old" ? (401, """{"type":"urn:sekisho:problem:token-expired"}""")
            : ++attempts == 1 ? (503, """{"type":"urn:sekisho:problem:unavailable"}""") : (202, "{}"));
        using var device = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System) { Token = "old", DeviceId = "d1" };
        await device.DeliverAsync("""{"seq":5}""", TimeProvider.System.GetUtcNow().AddSeconds(60));
        Assert.Equal(2, attempts);
        Assert.Equal("t1", device.Token);
        Assert.Equal(3, port.Requests.Count(r => r.Body == """{"seq":5}"""));
    }

    [Fact]
    public async Task A_message_that_is_refused_for_good_is_not_repeated()
    {
        await using var port = await DevicePort.StartAsync(_ => (400, """{"type":"urn:sekisho:problem:message-malformed"}"""));
        using var device = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System) { Token = "t", DeviceId = "d" };
        await Assert.ThrowsAsync<InvalidOperationException>(() => device.DeliverAsync("{", TimeProvider.System.GetUtcNow().AddSeconds(60)));
        Assert.Single(port.Requests);
    }

    [Fact]
    public async Task A_broken_link_delivers_a_part_of_the_body_and_costs_the_line_all_of_it()
    {
        await using var port = await DevicePort.StartAsync(_ => (202, "{}"));
        using var device = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System, new DeviceLine(IPAddress.Parse("127.9.8.6"))) { Token = "t", DeviceId = "d" };
        var body = $$"""{"note":"{{new string('x', 5000)}}"}""";
        await device.BreakOffAsync(body, share: 0.5);
        var started = TimeProvider.System.GetTimestamp();
        while (port.Requests.IsEmpty && TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        var asked = Assert.Single(port.Requests);
        Assert.False(asked.IsWhole);
        Assert.Equal(("Bearer t", "127.9.8.6"), (asked.Authorization, asked.Source));
        Assert.InRange(device.Meter.Up, 2500, 10_000);
        Assert.True(device.Meter.Down > 500, "the handshake's answer is on the bill too");
    }

    [Fact]
    public async Task The_meter_counts_what_the_line_carries_beside_the_body()
    {
        await using var port = await DevicePort.StartAsync(_ => (202, "{}"));
        using var device = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System) { Token = "t", DeviceId = "d" };
        await device.SendAsync("{}");
        var before = device.Meter.Up;
        await device.SendAsync($$"""{"note":"{{new string('x', 20_000)}}"}""");
        Assert.InRange(device.Meter.Up - before, 20_000, 23_000);
    }

    [Fact]
    public async Task Certificates_must_be_valid_at_the_time_of_the_devices_clock()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var port = await DevicePort.StartAsync(_ => (202, "{}"), now.AddDays(20), now.AddDays(30));
        using var later = new SimulatedDevice(port.Address, port.CaFile, Credential, new VirtualClock(now.AddDays(25)));
        Assert.Equal(202, (await later.SendAsync("{}")).Status);
        using var today = new SimulatedDevice(port.Address, port.CaFile, Credential, TimeProvider.System);
        await Assert.ThrowsAsync<HttpRequestException>(() => today.SendAsync("{}"));
    }
}
