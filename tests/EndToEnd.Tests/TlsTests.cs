using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Sekisho.EndToEnd.Tests;

[Collection("shared site")]
public class TlsTests(SharedSite shared)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Plain_http_gets_no_answer_and_no_redirect_on_either_port(bool devices)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", (devices ? shared.Site.Gateway.Devices : shared.Site.Gateway.Management).Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes("POST /device/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"));
        var answer = new byte[1024];
        var count = 0;
        try
        {
            count = await stream.ReadAsync(answer).AsTask().WaitAsync(TimeSpan.FromSeconds(15));
        }
        catch (IOException)
        {
            // A reset is a refusal too.
        }

        Assert.DoesNotContain("HTTP/1.1", Encoding.ASCII.GetString(answer, 0, count), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1", false)]
    [InlineData("-tls1_1", false)]
    [InlineData("-tls1_2 -cipher AES128-GCM-SHA256:AES256-SHA", false)]
    [InlineData("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384", false)]
    [InlineData("-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", true)]
    [InlineData("-tls1_3", true)]
    public async Task Only_tls_1_2_and_later_with_forward_secrecy_and_authenticated_ciphers_is_spoken(string offer, bool accepted)
    {
        // @SECLEVEL=0 lets the client offer what it would itself refuse, so that the refusal is the server's.
        var info = new ProcessStartInfo("openssl") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in $"s_client -connect 127.0.0.1:{shared.Site.Gateway.Devices.Port} -servername localhost -CAfile {shared.Site.Gateway.CaFile} -verify_return_error".Split(' ').Concat(WithLowSecurity(offer)))
        {
            info.ArgumentList.Add(argument);
        }

        using var client = Process.Start(info)!;
        client.StandardInput.Close();
        var error = client.StandardError.ReadToEndAsync();
        var text = await client.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(1)) + await error;
        await client.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True(accepted == !text.Contains("Cipher is (NONE)", StringComparison.Ordinal) && accepted == (client.ExitCode == 0), text);
    }

    private static IEnumerable<string> WithLowSecurity(string offer)
    {
        var parts = offer.Split(' ');
        return parts.Contains("-cipher") ? [.. parts[..^1], parts[^1] + ":@SECLEVEL=0"] : offer == "-tls1_3" ? parts : [.. parts, "-cipher", "ALL:@SECLEVEL=0"];
    }
}
