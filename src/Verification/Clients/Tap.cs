using System.Net;
using System.Net.Sockets;

namespace Sekisho.Verification.Clients;

/// <summary>
/// Stands in the line between a device and the gateway and records every byte in both directions, as whoever taps the line would see it. It needs no
/// rights. Any thread.
/// </summary>
public sealed class Tap : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _turn = new(); // guards _up and _down
    private readonly MemoryStream _up = new();
    private readonly MemoryStream _down = new();
    private readonly Task _loop;

    /// <summary>A tap in front of a port of this host.</summary>
    public Tap(int port)
    {
        _listener.Start();
        _loop = AcceptAsync(port);
    }

    /// <summary>Where to connect instead.</summary>
    public Uri Address => new($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>What the device sent.</summary>
    public byte[] Up
    {
        get
        {
            lock (_turn)
            {
                return _up.ToArray();
            }
        }
    }

    /// <summary>What it got.</summary>
    public byte[] Down
    {
        get
        {
            lock (_turn)
            {
                return _down.ToArray();
            }
        }
    }

    /// <summary>Types and lengths of the TLS records that the bytes are (RFC 8446 section 5.1); null when they are something else. A last record may be cut off.</summary>
    public static IReadOnlyList<(int Type, int Length)>? Records(ReadOnlySpan<byte> bytes)
    {
        var records = new List<(int, int)>();
        while (bytes.Length >= 5)
        {
            var (type, major, length) = (bytes[0], bytes[1], (bytes[3] << 8) | bytes[4]);
            if (type is < 20 or > 23 || major != 3 || length > (1 << 14) + 256)
            {
                return null;
            }

            records.Add((type, length));
            bytes = bytes[Math.Min(bytes.Length, 5 + length)..];
        }

        return records.Count > 0 ? records : null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _loop.ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(int port)
    {
        var lines = new List<Task>();
        try
        {
            while (true)
            {
                lines.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false), port));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The tap is taken away.
        }

        await Task.WhenAll(lines).ConfigureAwait(false);
    }

    private async Task CarryAsync(TcpClient device, int port)
    {
        using var gateway = new TcpClient();
        using (device)
        {
            try
            {
                await gateway.ConnectAsync(IPAddress.Loopback, port, _stop.Token).ConfigureAwait(false);
                var (near, far) = (device.GetStream(), gateway.GetStream());
                await Task.WhenAny(CopyAsync(near, far, _up), CopyAsync(far, near, _down)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The tap is taken away, or there is no gateway.
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, MemoryStream record)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token).ConfigureAwait(false) is > 0 and var count)
            {
                lock (_turn)
                {
                    record.Write(buffer, 0, count);
                }

                await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // One end closed the connection.
        }
    }
}
