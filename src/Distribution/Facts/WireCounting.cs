using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Sekisho.Api;
using Sekisho.Distribution.Limits;

namespace Sekisho.Distribution.Facts;

/// <summary>
/// Counts the bytes of device connections below TLS and puts them to the device that proved who it is on the connection. Registered before
/// HTTPS on the device listener; the endpoint names the device. A connection on which nobody proved anything is counted to nobody.
/// To the device counts what was given to the socket, which of a connection that is cut may have sent a last piece less. Any thread.
/// </summary>
internal sealed class WireCounting(TrafficCounters traffic)
{
    private readonly ConcurrentDictionary<WireCount, byte> _open = new();

    /// <summary>Connection middleware.</summary>
    public ConnectionDelegate Middleware(ConnectionDelegate next) => async connection =>
    {
        var count = new WireCount(traffic);
        var transport = connection.Transport;
        var counted = new Counted(transport, count);
        connection.Transport = counted;
        connection.Items[WireCharge.Key] = count;
        _open.TryAdd(count, 0);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = transport;
            counted.Reader.CountRest();
            _open.TryRemove(count, out _);
            count.Settle();
        }
    };

    /// <summary>A period is over: what went over connections that are still open belongs to it.</summary>
    public void Flush()
    {
        foreach (var (count, _) in _open)
        {
            count.Settle();
        }
    }

    private sealed class Counted(IDuplexPipe transport, WireCount count) : IDuplexPipe
    {
        public CountedReader Reader { get; } = new(transport.Input, count);

        public PipeReader Input => Reader;

        public PipeWriter Output { get; } = new CountedWriter(transport.Output, count);
    }

    private sealed class CountedReader(PipeReader inner, WireCount count) : PipeReader
    {
        private ReadOnlySequence<byte> _read;
        private long _left; // of the last read, not consumed: counted already
        private bool _isReading; // a read waits, or its bytes are not given back
        private bool _isComplete;

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _left = _read.Slice(consumed).Length;
            (_read, _isReading) = (default, false);
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null)
        {
            CountRest();
            _isComplete = true;
            inner.Complete(exception);
        }

        public override ValueTask CompleteAsync(Exception? exception = null)
        {
            CountRest();
            _isComplete = true;
            return inner.CompleteAsync(exception);
        }

        /// <summary>Counts what arrived and nobody reads any more: a request that broke off was sent all the same.</summary>
        public void CountRest()
        {
            if (!_isReading && !_isComplete && inner.TryRead(out var rest))
            {
                count.AddUp(rest.Buffer.Length - _left);
                _left = 0;
                inner.AdvanceTo(rest.Buffer.End);
            }
        }

        // Pooled, because nearly every read waits for the device.
        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            _isReading = true;
            var result = await inner.ReadAsync(cancellationToken).ConfigureAwait(false);
            Take(result);
            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            var read = inner.TryRead(out result);
            if (read)
            {
                _isReading = true;
                Take(result);
            }

            return read;
        }

        private void Take(in ReadResult result)
        {
            _read = result.Buffer;
            count.AddUp(_read.Length - _left);
            _left = _read.Length;
        }
    }

    private sealed class CountedWriter(PipeWriter inner, WireCount count) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            count.AddDown(bytes);
            inner.Advance(bytes);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            count.AddDown(source.Length);
            return inner.WriteAsync(source, cancellationToken);
        }
    }
}

/// <summary>
/// The bytes of one connection that nobody has been charged for yet. Among the connection's items under <see cref="WireCharge.Key"/>: the
/// endpoints charge each request's device. Counting: one thread per direction; charging: any thread.
/// </summary>
internal sealed class WireCount(TrafficCounters traffic) : IWireCount
{
    private long _up;
    private long _down;
    private volatile string? _device;

    public void AddUp(long bytes) => Interlocked.Add(ref _up, bytes);

    public void AddDown(long bytes) => Interlocked.Add(ref _down, bytes);

    /// <inheritdoc/>
    /// <remarks>The first call for a device counts the handshake.</remarks>
    public void Charge(string deviceId)
    {
        var isFirst = !ReferenceEquals(_device, deviceId) && _device != deviceId;
        _device = deviceId;
        traffic.Wire(deviceId, Interlocked.Exchange(ref _up, 0), Interlocked.Exchange(ref _down, 0), isFirst ? 1 : 0);
    }

    /// <summary>The connection, or a period, is over: the rest is the last device's. Bytes of nobody stay nobody's.</summary>
    public void Settle()
    {
        if (_device is not { } device)
        {
            return;
        }

        var (up, down) = (Interlocked.Exchange(ref _up, 0), Interlocked.Exchange(ref _down, 0));
        if (up + down > 0)
        {
            traffic.Wire(device, up, down, 0);
        }
    }
}
