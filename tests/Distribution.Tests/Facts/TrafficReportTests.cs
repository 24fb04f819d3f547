using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Distribution.Facts;
using Sekisho.Distribution.Limits;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Facts;

public class TrafficReportTests
{
    [Fact]
    public async Task Devices_with_traffic_are_told_by_the_minute_and_the_others_are_not()
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(clock: clock);
        var traffic = gateway.Services.GetRequiredService<TrafficCounters>();
        var reports = gateway.Services.GetRequiredService<TrafficReports>();
        traffic.Accepted("c1", 2, 100);
        traffic.Refused("c1", 30);
        traffic.Repeated("c1", 50);
        traffic.Wire("c1", 1000, 400, 1);
        traffic.Accepted("c2", 1, 7);
        await reports.ReportAsync();
        traffic.Accepted("c2", 1, 8);
        await reports.ReportAsync();
        await reports.ReportAsync();
        var told = (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).OfType<TrafficFactEvent>().OrderBy(t => t.Position).ToList();
        Assert.Equal(3, told.Count);
        var first = told.Single(t => t.DeviceId == "c1");
        Assert.Equal((100, 50, 30, 2, 1, 1, 1000, 400), (first.AcceptedBytes, first.RepeatedBytes, first.FailedBytes, first.Requests, first.Retries, first.Handshakes, first.WireUp!.Value, first.WireDown!.Value));
        Assert.Equal([7L, 8L], told.Where(t => t.DeviceId == "c2").Select(t => t.AcceptedBytes));
        Assert.Null(told.First(t => t.DeviceId == "c2").WireUp);
    }

    [Fact]
    public async Task A_field_without_statistics_is_told_nothing()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.PutAsync("/api/v1/fields/cars/flow", new { statistics = false });
        gateway.Services.GetRequiredService<TrafficCounters>().Accepted("c1", 1, 100);
        gateway.Services.GetRequiredService<TrafficCounters>().Accepted("h1", 1, 100);
        await gateway.Services.GetRequiredService<TrafficReports>().ReportAsync();
        Assert.Equal(["h1"], (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).OfType<TrafficFactEvent>().Select(t => t.DeviceId));
    }

    [Fact]
    public async Task Every_byte_of_a_connection_is_counted_in_both_directions_to_the_device_that_proved_itself()
    {
        var traffic = new TrafficCounters();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(k => k.Listen(IPAddress.Loopback, 0, listen => listen.Use(new WireCounting(traffic).Middleware)));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Features.Get<IConnectionItemsFeature>()!.Items.TryGetValue(WireCharge.Key, out var count);
            ((WireCount)count!).Charge(context.Request.Headers["Device"]!);
            await context.Response.WriteAsync("thank you");
        });
        await app.StartAsync();
        var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        long up = 0;
        long down = 0;
        for (var i = 0; i < 3; i++)
        {
            var body = new string('x', 50_000 * i);
            var request = Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nDevice: c1\r\nContent-Length: {body.Length}\r\n{(i == 2 ? "Connection: close\r\n" : "")}\r\n{body}");
            await stream.WriteAsync(request);
            up += request.Length;
            var answer = new StringBuilder();
            var buffer = new byte[4096];
            while (!answer.ToString().Contains("thank you", StringComparison.Ordinal))
            {
                var read = await stream.ReadAsync(buffer);
                Assert.NotEqual(0, read);
                down += read;
                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }

        // Until the connection has ended on the other side as well, and what was left is settled.
        var rest = new byte[4096];
        for (var read = await stream.ReadAsync(rest); read > 0; read = await stream.ReadAsync(rest))
        {
            down += read;
        }

        await app.StopAsync();
        var told = traffic.Unreported().Single();
        Assert.Equal(("c1", up, down, 1L), (told.DeviceId, told.WireUp, told.WireDown, told.Handshakes));
    }
}
