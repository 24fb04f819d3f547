using System.Net;
using System.Net.Sockets;

namespace Sekisho.Verification.Processes;

/// <summary>
/// Ports for servers that are told theirs before they start. They lie below those that systems hand out themselves, to connections and to whoever
/// asks for any port: one of these would be free when it is chosen and taken when the server starts. Any thread.
/// </summary>
public static class FreePort
{
    private const int First = 17_000;
    private const int Count = 8_000;

    // Processes beside this one begin elsewhere.
    private static int _last = Random.Shared.Next(Count);

    /// <summary>A port that nobody listens on at the loopback address, each time another one.</summary>
    public static int Next()
    {
        for (var i = 0; i < Count; i++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using var tcp = new TcpListener(IPAddress.Loopback, port);
                using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
                tcp.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }

        throw new InvalidOperationException($"No port from {First} to {First + Count - 1} is free.");
    }
}
