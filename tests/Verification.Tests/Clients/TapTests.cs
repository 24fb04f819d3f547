using System.Net.Sockets;
using System.Text;
using Sekisho.Verification.Clients;

namespace Sekisho.Verification.Tests.Clients;

public class TapTests
{
    [Fact]
    public async Task What_goes_through_in_the_clear_is_read_and_is_no_tls()
    {
        await using var port = await DevicePort.StartAsync(_ => (200, "{}"));
        await using var tap = new Tap(port.Address.Port);
        using var plain = new TcpClient();
        await plain.ConnectAsync("127.0.0.1", tap.Address.Port);
        await plain.GetStream().WriteAsync(Encoding.ASCII.GetBytes("POST / HTTP/1.1\r\n\r\nMARKER"));
        try
        {
            await plain.GetStream().ReadExactlyAsync(new byte[4096]);
        }
        catch (IOException)
        {
            // The listener closes what is no TLS.
        }

        Assert.Contains("MARKER", Encoding.ASCII.GetString(tap.Up), StringComparison.Ordinal);
        Assert.Null(Tap.Records(tap.Up));
    }

    [Fact]
    public async Task What_a_device_sends_decodes_as_tls_records_and_hides_its_content()
    {
        await using var port = await DevicePort.StartAsync(_ => (202, "{}"));
        await using var tap = new Tap(port.Address.Port);
        using var device = new SimulatedDevice(tap.Address, port.CaFile, new DeviceCredential("c", "s", "u"), TimeProvider.System) { Token = "t", DeviceId = "d" };
        Assert.Equal(202, (await device.SendAsync("""{"note":"MARKER"}""")).Status);
        Assert.Contains("MARKER", port.Requests.Single().Body, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", Encoding.ASCII.GetString(tap.Up), StringComparison.Ordinal);
        Assert.Equal(22, Tap.Records(tap.Up)![0].Type);
        Assert.Contains(Tap.Records(tap.Down)!, r => r.Type == 23);
    }
}
