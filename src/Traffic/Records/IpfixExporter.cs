using System.Net;
using System.Net.Sockets;

namespace Sekisho.Traffic.Records;

/// <summary>Sends records to a collector as IPFIX. One caller at a time.</summary>
public sealed class IpfixExporter : IDisposable
{
    // A collector's socket has room for about a hundred messages; a file that is exported at full speed would overrun it unseen.
    private const int DatagramsAtOnce = 16;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    private readonly Socket _socket;
    private readonly IpfixWriter _writer;
    private readonly TimeProvider _time;
    private readonly bool _isStream;

    private IpfixExporter(Socket socket, IpfixWriter writer, TimeProvider time)
    {
        (_socket, _writer, _time) = (socket, writer, time);
        _isStream = socket.ProtocolType == ProtocolType.Tcp;
    }

    /// <summary>Connects to a collector. Throws <see cref="SocketException"/>.</summary>
    /// <param name="collector">Where it listens.</param>
    /// <param name="overTcp">TCP, which most but not all collectors take, instead of UDP.</param>
    /// <param name="settings">How messages are written.</param>
    /// <param name="time">Clock of this machine.</param>
    /// <param name="cancel">Ends waiting.</param>
    public static async Task<IpfixExporter> ConnectAsync(IPEndPoint collector, bool overTcp, IpfixSettings settings, TimeProvider time, CancellationToken cancel)
    {
        var writer = new IpfixWriter(settings);
        var socket = overTcp
            ? new Socket(collector.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(collector.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await socket.ConnectAsync(collector, cancel).ConfigureAwait(false);
            return new(socket, writer, time);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends records, and says in how many messages. Throws <see cref="SocketException"/>; the messages that were not sent are then lost, and a collector sees it by their numbers.</summary>
    public async Task<int> SendAsync(IEnumerable<FlowRecord> records, CancellationToken cancel)
    {
        var sent = 0;
        foreach (var message in _writer.Write(records, _time.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000))
        {
            if (!_isStream && sent > 0 && sent % DatagramsAtOnce == 0)
            {
                await Task.Delay(s_pause, _time, cancel).ConfigureAwait(false);
            }

            // A stream may take a part of a message only.
            for (var rest = message; !rest.IsEmpty;)
            {
                rest = rest[await _socket.SendAsync(rest, cancel).ConfigureAwait(false)..];
            }

            sent++;
        }

        return sent;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
