using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>Where flow records of a site's exporters are taken in.</summary>
public sealed record FlowListenerSettings
{
    /// <summary>Address to listen on.</summary>
    public IPAddress Address { get; init; } = IPAddress.Any;

    /// <summary>Port for UDP and TCP; IANA's for IPFIX unless told otherwise, 0 for any free one.</summary>
    public int Port { get; init; } = 4739;

    /// <summary>Networks that exporters may have; empty for all. Flow protocols know no authentication, so this and the network are what keeps forgeries out.</summary>
    public IReadOnlyList<IPNetwork> Exporters { get; init; } = [];

    /// <summary>Connections at a time; more are closed at once.</summary>
    public int Connections { get; init; } = 16;

    /// <summary>A connection without a message for so long is closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How much the decoder keeps.</summary>
    public FlowDecoderLimits Limits { get; init; } = new();
}

/// <summary>
/// Takes in NetFlow v5, v9 and IPFIX in UDP datagrams, IPFIX and NetFlow v5 in TCP streams (messages of v9 do not tell their length, so a stream of them cannot be cut).
/// Any thread; the handler is called by one thread at a time, with the records of one message, and reading waits for it.
/// </summary>
public sealed class FlowListener : IDisposable
{
    private const int LargestMessage = 65_535;
    private const int ReceiveBuffer = 1 << 20;

    private readonly FlowListenerSettings _settings;
    private readonly Action<IReadOnlyList<FlowRecord>> _handler;
    private readonly TimeProvider _time;
    private readonly Socket _datagrams;
    private readonly Socket _connections;

    // Guards the decoder, its records and the handler.
    private readonly Lock _gate = new();
    private readonly FlowDecoder _decoder;
    private readonly List<FlowRecord> _records = [];
    private int _open;
    private long _refused;

    /// <summary>Binds both sockets. Throws <see cref="SocketException"/> when the port is taken.</summary>
    /// <param name="settings">Where and from whom.</param>
    /// <param name="handler">Gets the records; the list is used again after it returned.</param>
    /// <param name="time">Clock of this machine.</param>
    public FlowListener(FlowListenerSettings settings, Action<IReadOnlyList<FlowRecord>> handler, TimeProvider time)
    {
        (_settings, _handler, _time) = (settings, handler, time);
        _decoder = new(settings.Limits);
        _connections = new(settings.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _datagrams = new(settings.Address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _connections.Bind(new IPEndPoint(settings.Address, settings.Port));
            Port = ((IPEndPoint)_connections.LocalEndPoint!).Port;
            _datagrams.ReceiveBufferSize = ReceiveBuffer;
            _datagrams.Bind(new IPEndPoint(settings.Address, Port));
            _connections.Listen(settings.Connections);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The port that is listened on.</summary>
    public int Port { get; }

    /// <summary>What was counted since the listener was made.</summary>
    public FlowCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _decoder.Counts;
            }
        }
    }

    /// <summary>Datagrams and connections that were refused: from elsewhere than allowed, or too many at a time.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Takes records in until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var datagrams = TakeDatagramsAsync(ended.Token);
        var connections = TakeConnectionsAsync(ended.Token);

        // When one fails the other ends too, and the caller gets the fault.
        await Task.WhenAny(datagrams, connections).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(datagrams, connections).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _datagrams.Dispose();
        _connections.Dispose();
    }

    internal static NetAddress AddressOf(IPAddress address)
    {
        var bytes = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
        return bytes.Length == 4 ? NetAddress.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes)) : NetAddress.FromIPv6(bytes);
    }

    private bool Allows(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (_settings.Exporters.Count == 0 || _settings.Exporters.Any(network => network.Contains(plain)))
        {
            return true;
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    private async Task TakeDatagramsAsync(CancellationToken cancel)
    {
        var buffer = new byte[LargestMessage];
        var any = new IPEndPoint(_settings.Address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var got = await _datagrams.ReceiveFromAsync(buffer, any, cancel).ConfigureAwait(false);
                var from = (IPEndPoint)got.RemoteEndPoint;
                if (Allows(from.Address))
                {
                    Take(buffer.AsSpan(0, got.ReceivedBytes), new(AddressOf(from.Address), from.Port, IsStream: false));
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task TakeConnectionsAsync(CancellationToken cancel)
    {
        var running = new List<Task>();
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var connection = await _connections.AcceptAsync(cancel).ConfigureAwait(false);
                running.RemoveAll(task => task.IsCompletedSuccessfully);
                var from = (IPEndPoint)connection.RemoteEndPoint!;
                if (!Allows(from.Address))
                {
                    connection.Dispose();
                }
                else if (Volatile.Read(ref _open) >= _settings.Connections)
                {
                    Interlocked.Increment(ref _refused);
                    connection.Dispose();
                }
                else
                {
                    Interlocked.Increment(ref _open);
                    running.Add(TakeStreamAsync(connection, new(AddressOf(from.Address), from.Port, IsStream: true), cancel));
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (SocketException)
            {
                // The peer was gone before it was accepted; the next one is waited for.
            }
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task TakeStreamAsync(Socket connection, FlowSource source, CancellationToken cancel)
    {
        using (connection)
        {
            using var idle = new CancellationTokenSource(_settings.IdleTimeout, _time);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel, idle.Token);
            try
            {
                var buffer = new byte[LargestMessage];
                var held = 0;
                int got;
                while ((got = await connection.ReceiveAsync(buffer.AsMemory(held), ended.Token).ConfigureAwait(false)) > 0)
                {
                    idle.CancelAfter(_settings.IdleTimeout);
                    held += got;
                    var taken = Messages(buffer.AsSpan(0, held), source);
                    if (taken < 0)
                    {
                        break;
                    }

                    buffer.AsSpan(taken, held - taken).CopyTo(buffer);
                    held -= taken;
                }
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                // Idle for too long, or the end of all.
            }
            catch (SocketException)
            {
                // The peer broke the connection off; it makes a new one when it likes.
            }
            finally
            {
                lock (_gate)
                {
                    _decoder.Forget(source);
                }

                Interlocked.Decrement(ref _open);
            }
        }
    }

    /// <summary>Takes the whole messages at the begin of what came and says how many bytes they had; -1 when the stream cannot be cut into messages.</summary>
    private int Messages(Span<byte> bytes, FlowSource source)
    {
        var taken = 0;
        while (bytes.Length - taken >= 4)
        {
            var rest = bytes[taken..];
            int version = BinaryPrimitives.ReadUInt16BigEndian(rest);
            int number = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            var length = version switch
            {
                FlowDecoder.Ipfix when number >= FlowDecoder.IpfixHeader => number,
                FlowDecoder.Version5 when number <= 1000 => FlowDecoder.Header5 + (number * FlowDecoder.Record5),
                _ => -1,
            };
            if (length < 0)
            {
                // The decoder counts it as malformed.
                Take(rest[..4], source);
                return -1;
            }

            if (length > rest.Length)
            {
                break;
            }

            Take(rest[..length], source);
            taken += length;
        }

        return taken;
    }

    private void Take(ReadOnlySpan<byte> message, FlowSource source)
    {
        lock (_gate)
        {
            _records.Clear();
            _decoder.Decode(message, source, _time.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000, _records);
            if (_records.Count > 0)
            {
                _handler(_records);
            }
        }
    }
}
