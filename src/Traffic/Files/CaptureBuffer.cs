using System.Buffers.Binary;
using SharpCompress.Common;

namespace Sekisho.Traffic.Files;

/// <summary>One large buffer over a stream: few, long reads, and records that are read where they lie. One thread at a time.</summary>
internal sealed class CaptureBuffer(Stream stream, bool isCompressed, Func<bool> atEndOfFile) : IDisposable
{
    /// <summary>Size of the buffer; no record may be longer.</summary>
    public const int Size = 1 << 20;

    // What is read at once is still in the processor's cache when it is parsed. A decompressor that meets its end loses what it has of the same call, so it is asked for little.
    private readonly int _step = isCompressed ? 4096 : 1 << 18;
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size);
    private int _begin;
    private int _end;

    /// <summary>What was read and not consumed.</summary>
    public ReadOnlySpan<byte> Available => _bytes.AsSpan(_begin, _end - _begin);

    /// <summary>Place of <see cref="Available"/> in the uncompressed data.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether the compressed data ended before its end mark.</summary>
    public bool Cut { get; private set; }

    /// <summary>Reads until <paramref name="count"/> bytes are available; false when the data ends before.</summary>
    public bool Ensure(int count)
    {
        if (_end - _begin >= count)
        {
            return true;
        }

        Available.CopyTo(_bytes);
        _end -= _begin;
        _begin = 0;
        while (_end < count)
        {
            var read = Fill();
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }

    /// <summary>Consumes bytes that are available.</summary>
    public void Consume(int count)
    {
        _begin += count;
        Offset += count;
    }

    /// <summary>Passes over bytes, which need not fit into the buffer; false when the data ends before.</summary>
    public bool Skip(long count)
    {
        while (count > 0)
        {
            if (!Ensure(1))
            {
                return false;
            }

            var step = (int)Math.Min(count, _end - _begin);
            Consume(step);
            count -= step;
        }

        return true;
    }

    public static uint U32(ReadOnlySpan<byte> bytes, int offset, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    public static ushort U16(ReadOnlySpan<byte> bytes, int offset, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]) : BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    public void Dispose() => stream.Dispose();

    private int Fill()
    {
        try
        {
            return Cut ? 0 : stream.Read(_bytes, _end, Math.Min(_step, Size - _end));
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or SharpCompressException)
        {
            // The decompressors tell data that ends early and data that is wrong in the same way. With the file read to its end it is taken to have been cut.
            if (!atEndOfFile())
            {
                throw new CaptureFileException(CaptureFileFault.DamagedCompression, $"offset {Offset + _end - _begin}", $"The compressed data is damaged; {Offset + _end - _begin} bytes of the capture could be read before.", e);
            }

            Cut = true;
            return 0;
        }
    }
}
