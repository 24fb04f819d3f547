using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Distribution.Facts;
using Sekisho.Distribution.Limits;

namespace Sekisho.Distribution.Tests.Facts;

public sealed class WireCountingTests : IAsyncLifetime
{
    private readonly TrafficCounters _traffic = new();
    private readonly X509Certificate2 _certificate = Certificate();
    private WebApplication _app = null!;
    private Uri _address = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_traffic).AddSingleton<WireCounting>();
        builder.WebHost.UseKestrelHttpsConfiguration().UseKestrel(k => k.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.CountDeviceBytes();
            listen.UseHttps(_certificate);
        }));
        _app = builder.Build();
        _app.Run(async context =>
        {
            // As the endpoints do: who sends is known before the body is read, and charged again when the answer is out.
            string? device = context.Request.Headers["Device"];
            WireCharge.Charge(context, device);
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            await context.Response.WriteAsync("thank you");
            WireCharge.Charge(context, device);
        });
        await _app.StartAsync();
        _address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    [Fact]
    public async Task Handshake_records_and_answers_of_a_tls_connection_are_charged_and_never_more_than_the_socket_carried()
    {
        var (up, down) = await TalkAsync("c1", body: 20_000, sent: 20_000);
        var told = Assert.Single(_traffic.Unreported());
        Assert.Equal(("c1", 1L), (told.DeviceId, told.Handshakes));
        Assert.InRange(told.WireUp, 20_000 + 300, up);
        Assert.InRange(told.WireDown, 1000, down);

        // All but what the end of the connection leaves unread.
        Assert.InRange(up - told.WireUp, 0, 100);
        Assert.InRange(down - told.WireDown, 0, 100);
    }

    [Fact]
    public async Task A_request_that_breaks_off_half_way_is_charged_to_the_device_that_began_it()
    {
        var (up, down) = await TalkAsync("c1", body: 50_000, sent: 30_000);
        var told = Assert.Single(_traffic.Unreported());
        Assert.InRange(told.WireUp, 30_000, up);

        // Down is what the gateway gave to the socket; what lay there when the connection was cut is not on the line, but no more than that.
        Assert.InRange(told.WireDown, down, down + 2000);
    }

    [Fact]
    public async Task A_connection_on_which_nobody_proved_anything_is_charged_to_nobody()
    {
        await TalkAsync(device: null, body: 100, sent: 100);
        Assert.Empty(_traffic.Unreported());
    }

    [Fact(Timeout = 60_000)]
    public async Task What_went_over_a_connection_that_stays_open_is_told_when_a_period_ends()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_address.Host, _address.Port);
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown?.GetCertHashString() == _certificate.GetCertHashString());
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes("POST / HTTP/1.1\r\nHost: localhost\r\nDevice: c1\r\nContent-Length: 60000\r\n\r\n"));
        await tls.WriteAsync(new byte[40_000]);

        // Neither the body nor the connection has an end yet.
        var told = await ToldAsync(least: 40_000);
        Assert.InRange(told.WireUp, 40_000, 42_000);
        _traffic.Reported(told);
        await tls.WriteAsync(new byte[20_000]);
        Assert.NotEqual(0, await tls.ReadAsync(new byte[1000]));
        var later = await ToldAsync(least: 20_000);
        Assert.InRange(later.WireUp, 20_000, 21_000);
        Assert.Equal(0, later.Handshakes);
    }

    /// <summary>What a report tells, as soon as so many bytes have reached the gateway.</summary>
    private async Task<TrafficSince> ToldAsync(long least)
    {
        var wire = _app.Services.GetRequiredService<WireCounting>();
        while (true)
        {
            wire.Flush();
            if (_traffic.Unreported().SingleOrDefault() is { } told && told.WireUp >= least)
            {
                return told;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>One request over a relay that counts; returns when the server has let go of the connection.</summary>
    private async Task<(long Up, long Down)> TalkAsync(string? device, int body, int sent)
    {
        using var relay = new TcpListener(IPAddress.Loopback, 0);
        relay.Start();
        var counted = RelayAsync(relay);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)relay.LocalEndpoint).Port);
            await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown?.GetCertHashString() == _certificate.GetCertHashString());
            await tls.AuthenticateAsClientAsync("localhost");
            var head = $"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{(device is null ? "" : $"Device: {device}\r\n")}Content-Length: {body}\r\n\r\n";
            await tls.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. new byte[sent]]);
            if (sent < body)
            {
                client.Client.Shutdown(SocketShutdown.Send);
            }

            try
            {
                await tls.CopyToAsync(Stream.Null);
            }
            catch (IOException)
            {
                // Cut off without a word: that is what was played.
            }
        }

        var sums = await counted;
        await _app.StopAsync();
        return sums;
    }

    private async Task<(long Up, long Down)> RelayAsync(TcpListener relay)
    {
        using var client = await relay.AcceptTcpClientAsync();
        using var server = new TcpClient();
        await server.ConnectAsync(_address.Host, _address.Port);
        var (device, gateway) = (client.GetStream(), server.GetStream());
        var up = PumpAsync(device, gateway);
        var down = PumpAsync(gateway, device);
        return (await up, await down);
    }

    /// <summary>Carries on counting when the end it hands to is gone: the sender has sent it all the same.</summary>
    private static async Task<long> PumpAsync(NetworkStream from, NetworkStream to)
    {
        var (buffer, sum, isGone) = (new byte[8192], 0L, false);
        try
        {
            for (var read = await from.ReadAsync(buffer); read > 0; read = await from.ReadAsync(buffer))
            {
                sum += read;
                isGone = isGone || !await TryAsync(() => to.WriteAsync(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Cut off.
        }

        await TryAsync(() =>
        {
            to.Socket.Shutdown(SocketShutdown.Send);
            return Task.CompletedTask;
        });
        return sum;
    }

    private static async Task<bool> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return false;
        }
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
