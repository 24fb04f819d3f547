using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

/// <summary>Shakes hands over TLS with whoever comes, and reads nothing after that. Any thread.</summary>
internal sealed class StuckReceiver : IAsyncDisposable
{
    private const int Tcp = 6;
    private const int LargestSegment = 2; // TCP_MAXSEG of Linux

    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
    private readonly X509Certificate2 _certificate;
    private readonly List<SslStream> _held = []; // of the loop
    private readonly Task _loop;

    public StuckReceiver(TestCa ca)
    {
        _certificate = X509Certificate2.CreateFromPem(ca.Server.Certificate, ca.Server.Key);

        // Segments as on Ethernet: with those of loopback the sender's system has room for megabytes and nothing gets stuck.
        _listener.SetRawSocketOption(Tcp, LargestSegment, BitConverter.GetBytes(1460));
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _loop = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _loop;
        foreach (var stream in _held)
        {
            await stream.DisposeAsync();
        }

        _certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            _held.Add(stream);
            try
            {
                await stream.AuthenticateAsServerAsync(_certificate);
            }
            catch (IOException e)
            {
                // It went away while shaking hands.
                _ = e;
            }
        }
    }
}
