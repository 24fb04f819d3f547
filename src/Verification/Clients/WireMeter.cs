namespace Sekisho.Verification.Clients;

/// <summary>
/// Counts what a device's connections put on the line below TLS, as a carrier would bill it: with the headers of TCP and IP, and with the packets that
/// only acknowledge. Any thread.
/// </summary>
public sealed class WireMeter
{
    private const int Segment = 1400;
    private const int Headers = 40;
    private long _up;
    private long _down;

    /// <summary>Bytes from the device so far.</summary>
    public long Up => Interlocked.Read(ref _up);

    /// <summary>Bytes to the device so far.</summary>
    public long Down => Interlocked.Read(ref _down);

    /// <summary>Opening and closing of a TCP connection: three packets from the device, two to it.</summary>
    public void Connected()
    {
        Interlocked.Add(ref _up, 3 * Headers);
        Interlocked.Add(ref _down, 2 * Headers);
    }

    /// <summary>The device sent bytes in one piece; the other end acknowledges every second segment.</summary>
    public void Sent(int bytes)
    {
        Interlocked.Add(ref _up, bytes + (Segments(bytes) * Headers));
        Interlocked.Add(ref _down, (Segments(bytes) + 1) / 2 * Headers);
    }

    /// <summary>The device received bytes in one piece.</summary>
    public void Got(int bytes)
    {
        Interlocked.Add(ref _down, bytes + (Segments(bytes) * Headers));
        Interlocked.Add(ref _up, (Segments(bytes) + 1) / 2 * Headers);
    }

    /// <summary>A stream that counts what goes through it.</summary>
    public Stream Over(Stream inner) => new Counted(inner, this);

    private static int Segments(int bytes) => (bytes + Segment - 1) / Segment;

    private sealed class Counted(Stream inner, WireMeter meter) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => Note(inner.Read(buffer, offset, count));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Note(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false), isProbe: buffer.Length == 0);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            meter.Sent(count);
            inner.Write(buffer, offset, count);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            meter.Sent(buffer.Length);
            return inner.WriteAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        private int Note(int count, bool isProbe = false)
        {
            if (!isProbe)
            {
                meter.Got(count);
            }

            return count;
        }
    }
}
