using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sekisho.Verification.Clients;

namespace Sekisho.Verification.Rows;

/// <summary>V05, V08, V09: what the line gives away, and what is spoken on it.</summary>
internal static class TransportRows
{
    public static async Task EncryptedAsync(Scene scene)
    {
        var marker = "MARKER-in-flight-" + scene.FieldId;
        await using var tap = new Tap(scene.Gateway.Devices.Port);
        var registered = await scene.RegisterAsync().ConfigureAwait(false);
        using var device = new SimulatedDevice(tap.Address, scene.Gateway.CaFile, registered.Device.Credential, scene.Gateway.Clock);
        registered.Note = marker;
        var signedIn = await device.AuthenticateAsync().ConfigureAwait(false);
        var sent = await device.SendAsync(registered.Reading(scene.Now)).ConfigureAwait(false);
        scene.Check(signedIn.Status == 200 && sent.Status == 202, $"{Scene.Short(signedIn)}, {Scene.Short(sent)}");

        // The marker was really in it: the cloud has it.
        var arrived = await Scene.SeenAsync(() => Task.FromResult(scene.Cloud.Received.Any(m => m.Payload.Contains(marker, StringComparison.Ordinal))), seen => seen).ConfigureAwait(false);
        scene.Check(arrived, scene.Text("marker-in-cloud"));
        byte[] line = [.. tap.Up, .. tap.Down];
        string?[] secrets = [marker, device.Token, device.Credential.AuthSecret, device.Credential.UniqueId];
        var found = secrets.Count(s => s is not null && line.AsSpan().IndexOf(Encoding.UTF8.GetBytes(s)) >= 0);
        var (up, down) = (Tap.Records(tap.Up), Tap.Records(tap.Down));
        scene.Check(
            found == 0 && up is not null && down is not null && up[0].Type == 22,
            scene.Text("captured", ("bytes", Number(line.Length)), ("records", Number((up?.Count ?? 0) + (down?.Count ?? 0))), ("found", Number(found))));
    }

    public static async Task ProtectedByTlsAsync(Scene scene)
    {
        var port = scene.Gateway.Devices.Port;
        var accepted = new List<string>();
        var refused = 0;
        foreach (var (name, version) in TlsOffer.Versions)
        {
            // Everything an old client has at once, then each weak suite by itself, so that none hides behind another.
            var offers = version < 0x0303 ? [[.. TlsOffer.Weak, .. TlsOffer.Strong]] : TlsOffer.Weak.Select(s => (IReadOnlyList<int>)[s]).ToList();
            foreach (var offer in offers)
            {
                var choice = await TlsOffer.AskAsync("127.0.0.1", port, version, offer).ConfigureAwait(false);
                refused += choice.IsAccepted ? 0 : 1;
                if (choice.IsAccepted)
                {
                    accepted.Add(string.Create(CultureInfo.InvariantCulture, $"{name} 0x{choice.Suite:X4}"));
                }
            }
        }

        scene.Check(accepted.Count == 0, scene.Text("old-offers", ("refused", Number(refused)), ("accepted", accepted.Count == 0 ? "0" : string.Join(", ", accepted))));
        var strong = await TlsOffer.AskAsync("127.0.0.1", port, 0x0303, TlsOffer.Strong).ConfigureAwait(false);
        scene.Check(strong.Version == 0x0303 && TlsOffer.Strong.Contains(strong.Suite), string.Create(CultureInfo.InvariantCulture, $"TLS 1.2 0x{strong.Suite:X4}"));

        using var authority = X509CertificateLoader.LoadCertificateFromFile(scene.Gateway.CaFile);
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", port).ConfigureAwait(false);
        await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, errors) => TrustedHttp.IsTrusted(authority, certificate as X509Certificate2, errors, scene.Gateway.Clock));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }).ConfigureAwait(false);
        scene.Check(tls.SslProtocol is SslProtocols.Tls13 or SslProtocols.Tls12, $"{tls.SslProtocol} {tls.NegotiatedCipherSuite}");
    }

    public static async Task PlainRefusedAsync(Scene scene)
    {
        var unit = await scene.RegisterAsync().ConfigureAwait(false);
        var credential = unit.Device.Credential;
        var body = $$"""{"commonAuthId":"{{credential.CommonAuthId}}","authSecret":"{{credential.AuthSecret}}","uniqueId":"{{credential.UniqueId}}"}""";
        foreach (var (name, port) in ((string, int)[])[("device", scene.Gateway.Devices.Port), ("management", scene.Gateway.Management.Port)])
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", port).ConfigureAwait(false);
            var stream = socket.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /device/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}")).ConfigureAwait(false);
            var answer = new byte[2048];
            var count = 0;
            try
            {
                while (await stream.ReadAsync(answer.AsMemory(count)).AsTask().WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(false) is > 0 and var read && count + read < answer.Length)
                {
                    count += read;
                }
            }
            catch (IOException)
            {
                // A reset is a refusal too.
            }

            var text = Encoding.ASCII.GetString(answer, 0, count);
            var isRefused = !text.StartsWith("HTTP/1.1 2", StringComparison.Ordinal) && !text.StartsWith("HTTP/1.1 3", StringComparison.Ordinal)
                && !text.Contains("Location:", StringComparison.OrdinalIgnoreCase) && !text.Contains("token", StringComparison.OrdinalIgnoreCase);
            scene.Check(isRefused, scene.Text("plain", ("port", scene.Text("port." + name)), ("answer", text.Length == 0 ? scene.Text("closed") : text.Split('\r')[0])));
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
