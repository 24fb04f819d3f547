using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Response.Actions.Webhook;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Verification.Processes;

namespace Sekisho.Response.Tests.Actions;

public class WebhookTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_receiver_on_TLS_can_check_the_signature_with_the_secret_it_was_shown_once(Dialect dialect)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("webhook"));
        using var client = host.Client(Roles.Administrator);
        var answer = await client.PutAsJsonAsync("/api/v1/fields/cars/notification", new { recipients = Array.Empty<object>(), webhook = new { url = receiver.Url } });
        var secret = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("webhook").GetProperty("secret").GetString()!;
        var read = await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/notification");
        Assert.Equal(JsonValueKind.Null, read.GetProperty("webhook").GetProperty("secret").ValueKind);

        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, null), (lease.State, lease.Details.LastError));
        var delivery = Assert.Single(receiver.Deliveries);
        Assert.Equal(lease.Id, delivery.Id);
        var time = host.Clock.GetUtcNow().ToUnixTimeSeconds();
        var mac = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{time}.{delivery.Body}")));
        Assert.Equal($"t={time},v1={mac}", delivery.Signature);

        var body = JsonDocument.Parse(delivery.Body).RootElement;
        Assert.Equal("finding", body.GetProperty("type").GetString());
        Assert.Equal("f1", body.GetProperty("finding").GetProperty("id").GetString());
        Assert.Equal(120, body.GetProperty("finding").GetProperty("measured").GetDouble());
        Assert.Equal("2026-04-01T00:00:00+00:00", body.GetProperty("finding").GetProperty("raisedAt").GetString());
        Assert.Equal("d000000000000001", body.GetProperty("device").GetProperty("id").GetString());
        Assert.Contains("120 件", body.GetProperty("text").GetProperty("ja").GetString(), StringComparison.Ordinal);
        Assert.Contains("120 messages", body.GetProperty("text").GetProperty("en").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(404)]
    [InlineData(301)]
    public async Task Any_answer_but_success_is_tried_again_with_the_same_delivery_and_body(int status)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        await host.NotifyAsync([], receiver.Url);
        receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "https://elsewhere.example/";
            return Task.CompletedTask;
        };
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var waiting = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Due, $"The receiver answered {status}."), (waiting.State, waiting.Details.LastError));

        receiver.Answer = _ => Task.CompletedTask;
        host.Clock.Advance(TimeSpan.FromSeconds(10));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);
        Assert.Equal(2, receiver.Deliveries.Count);
        Assert.Single(receiver.Deliveries.Select(d => (d.Id, d.Body)).Distinct());
        Assert.Equal(2, receiver.Deliveries.Select(d => d.Signature).Distinct().Count());
    }

    [Fact]
    public async Task A_slow_receiver_is_cut_off_and_tried_again()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Webhook:Timeout", "00:00:01")], clock: TimeProvider.System);
        host.Bind(TestHost.Always("webhook"));
        await host.NotifyAsync([], receiver.Url);
        receiver.Answer = async context =>
        {
            var gone = new TaskCompletionSource();
            await using var _ = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        };
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Contains("did not answer within 00:00:01", (await host.OnlyLeaseAsync()).Details.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_that_is_down_or_speaks_nonsense_is_tried_until_the_tries_are_used_up_and_then_shown_as_failed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var talk = Task.Run(async () =>
        {
            using var socket = await listener.AcceptSocketAsync();
            var buffer = new byte[65536];
            _ = await socket.ReceiveAsync(buffer);
            await socket.SendAsync("\0\u0001 hello? <html>\r\n\r\n"u8.ToArray());
        });
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("webhook"));
        await host.NotifyAsync([], $"http://127.0.0.1:{port}/");
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await talk;
        Assert.Contains("could not be reached", (await host.OnlyLeaseAsync()).Details.LastError, StringComparison.Ordinal);
        listener.Stop();
        for (var i = 0; i < 2; i++)
        {
            host.Clock.Advance(TimeSpan.FromMinutes(1));
            await host.Worker.DrainAsync();
        }

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Failed, LeaseCauses.TriesUsedUp, 3), (lease.State, lease.Details.Cause, lease.Attempts));
        Assert.EndsWith(lease.Id + " failed", (await host.HistoryAsync())[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_whose_certificate_is_for_another_name_gets_nothing()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        await host.NotifyAsync([], receiver.Url.Replace("localhost", "127.0.0.2", StringComparison.Ordinal).Replace("127.0.0.2", "[::ffff:127.0.0.1]", StringComparison.Ordinal));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Empty(receiver.Deliveries);
        Assert.Equal(LeaseStates.Due, (await host.OnlyLeaseAsync()).State);
    }

    [Theory]
    [InlineData("https://localhost:{0}/hook")]
    [InlineData("https://127.0.0.1:{0}/hook")]
    [InlineData("https://[::ffff:127.0.0.1]:{0}/hook")]
    public async Task An_internal_receiver_is_not_even_connected_to_unless_the_operator_allowed_its_network(string url)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Webhook:InternalNetworks:0", "10.0.0.0/8")]);
        host.Bind(TestHost.Always("webhook"));
        await host.NotifyAsync([], string.Format(System.Globalization.CultureInfo.InvariantCulture, url, ((IPEndPoint)listener.LocalEndpoint).Port));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.AddressNotAllowed), (lease.State, lease.Details.Cause));
        Assert.False(listener.Pending());
    }

    [Fact]
    public void A_network_that_cannot_be_read_is_a_fault_of_the_configuration_with_its_key_and_value()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Response:Webhook:InternalNetworks:0", "10.0.0.0/33")]).Build();
        var fault = Assert.Throws<SettingsException>(() => SettingsCatalog.Bound<WebhookSettings>(configuration, "Response:Webhook"));
        Assert.Contains("Response:Webhook:InternalNetworks: '10.0.0.0/33' is no network", Assert.Single(fault.Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("93.184.216.34", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("100.100.100.200", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("192.0.0.192", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::ffff:93.184.216.34", true)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2002:a00:1::1", false)]
    [InlineData("2001:0:1::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("ff02::1", false)]
    [InlineData("10.9.0.1", true)]
    [InlineData("::ffff:10.9.0.1", true)]
    public void Only_public_addresses_and_named_networks_are_reached(string address, bool reached) =>
        Assert.Equal(reached, new ReceiverAddresses([IPNetwork.Parse("10.9.0.0/16")]).Allows(IPAddress.Parse(address)));

    [Fact]
    public async Task One_field_s_dead_receiver_holds_back_no_other_field()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Leases:Parallel", "1")]);
        host.Bind(TestHost.Always("webhook"));
        host.World.Bindings["homes"] = [TestHost.Always("webhook")];
        host.World.AddDevice("d00000000000000h", "homes", "Door");
        await host.NotifyAsync([], $"https://localhost:{FreePort.Next()}/");
        await host.NotifyAsync([], receiver.Url, "homes");
        host.Commit([.. Enumerable.Range(0, 20).Select(i => host.Finding($"f{i}")), host.Finding("g", "d00000000000000h", field: "homes")]);
        await host.Worker.DrainAsync();
        Assert.Single(receiver.Deliveries);
        Assert.Equal(20, (await host.LeasesAsync()).Count(l => l.State == LeaseStates.Due && l.Attempts == 1));
    }
}
