using System.Net;
using System.Net.Sockets;
using Sekisho.Verification.Clients;

namespace Sekisho.Verification.Tests.Clients;

public class TlsOfferTests
{
    [Fact]
    public async Task A_good_offer_is_taken_and_an_old_protocol_is_not()
    {
        await using var port = await DevicePort.StartAsync(_ => (200, "{}"));
        var good = await TlsOffer.AskAsync("127.0.0.1", port.Address.Port, 0x0303, TlsOffer.Strong);
        Assert.Equal(0x0303, good.Version);
        Assert.Contains(good.Suite, TlsOffer.Strong);
        Assert.False((await TlsOffer.AskAsync("127.0.0.1", port.Address.Port, 0x0300, TlsOffer.Strong)).IsAccepted);
        Assert.False((await TlsOffer.AskAsync("127.0.0.1", port.Address.Port, 0x0303, [0x0005])).IsAccepted);
    }

    [Fact]
    public async Task The_check_can_fail_a_server_that_takes_weak_suites_is_found()
    {
        // An answer as an old server gives it: TLS 1.0 with RSA key exchange and AES-128-CBC.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var old = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().ReadExactlyAsync(new byte[40]);
            await client.GetStream().WriteAsync((byte[])[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1, .. new byte[32], 0, 0x00, 0x2F, 0]);
        });
        var choice = await TlsOffer.AskAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, 0x0301, TlsOffer.Weak);
        await old;
        Assert.Equal(new TlsChoice(0x0301, 0x002F), choice);
    }
}
