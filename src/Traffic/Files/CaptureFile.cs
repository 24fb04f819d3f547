using System.IO.Compression;
using Sekisho.Traffic.Headers;
using SharpCompress.Compressors.Xz;

namespace Sekisho.Traffic.Files;

/// <summary>Reads a capture (pcap with micro- or nanoseconds, pcapng, either byte order, plain or in gzip or xz) and hands over the headers of its frames. One thread at a time.</summary>
public sealed class CaptureFile : IDisposable
{
    private const int MagicSize = 4;

    private readonly Stream _file;
    private readonly CaptureBuffer _buffer;
    private readonly RecordReader _reader;

    private CaptureFile(Stream file, CaptureBuffer buffer, RecordReader reader, string format)
    {
        _file = file;
        _buffer = buffer;
        _reader = reader;
        Format = format;
        Length = file.CanSeek ? file.Length : 0;
    }

    /// <summary>"pcap" or "pcapng", behind it how it is compressed: "pcap.gz".</summary>
    public string Format { get; }

    /// <summary>Frames handed over.</summary>
    public long Packets { get; private set; }

    /// <summary>Bytes on the wire of these.</summary>
    public long Bytes => _reader.Bytes;

    /// <summary>Whether the file ends inside a record. Known once <see cref="Read"/> returned 0.</summary>
    public bool Truncated => _reader.Truncated || _buffer.Cut;

    /// <summary>The interfaces that were met until now.</summary>
    public IReadOnlyList<CaptureInterface> Interfaces => _reader.Interfaces;

    /// <summary>How far the file was read, in bytes as they lie on disk; 0 for a pipe.</summary>
    public long Position => _file.CanSeek ? _file.Position : 0;

    /// <summary>Size of the file; 0 for a pipe.</summary>
    public long Length { get; }

    /// <summary>Opens a file. Throws <see cref="CaptureFileException"/> when it is no capture, and what <see cref="FileStream"/> throws.</summary>
    public static CaptureFile Open(string path) =>
        Open(new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan }));

    /// <summary>Opens a stream and owns it from then on. Throws <see cref="CaptureFileException"/> when it is no capture.</summary>
    public static CaptureFile Open(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        CaptureBuffer? buffer = null;
        try
        {
            buffer = new CaptureBuffer(stream, isCompressed: false, AtEnd);
            _ = buffer.Ensure(2 * MagicSize);
            var start = buffer.Available;
            var suffix = "";
            if (start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            {
                suffix = ".gz";
            }
            else if (start.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]))
            {
                suffix = ".xz";
            }

            if (suffix.Length > 0)
            {
                if (!stream.CanSeek)
                {
                    throw new CaptureFileException(CaptureFileFault.UnsupportedCompression, suffix, "Compressed data is read from a file only; decompress it before the pipe.");
                }

                stream.Position = 0;
                buffer = new CaptureBuffer(suffix == ".gz" ? new GZipStream(stream, CompressionMode.Decompress) : new XZStream(stream), isCompressed: true, AtEnd);
                _ = buffer.Ensure(2 * MagicSize);
            }

            var reader = Reader(buffer, out var format);
            return new CaptureFile(stream, buffer, reader, format + suffix);
        }
        catch
        {
            buffer?.Dispose();
            stream.Dispose();
            throw;
        }

        bool AtEnd() => !stream.CanSeek || stream.Position >= stream.Length;
    }

    /// <summary>Fills <paramref name="batch"/> from its begin and returns how many headers it holds; 0 at the end. Throws <see cref="CaptureFileException"/> at a damaged record, after what stood before it was handed over.</summary>
    public int Read(Span<PacketHeader> batch)
    {
        var count = _reader.Read(batch);
        Packets += count;
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _buffer.Dispose();
        _file.Dispose();
    }

    private static RecordReader Reader(CaptureBuffer buffer, out string format)
    {
        var start = buffer.Available;
        if (start.IsEmpty && buffer.Cut)
        {
            throw new CaptureFileException(CaptureFileFault.DamagedCompression, "offset 0", "The compressed data ends before the capture in it begins.");
        }

        if (start.IsEmpty)
        {
            throw new CaptureFileException(CaptureFileFault.Empty, "0 bytes", "The file is empty; a capture in pcap or pcapng format is expected.");
        }

        if (start.Length >= MagicSize)
        {
            format = "pcapng";
            if (CaptureBuffer.U32(start, 0, bigEndian: true) == PcapNgReader.SectionHeader)
            {
                return new PcapNgReader(buffer);
            }

            format = "pcap";
            if (PcapReader.TryOpen(buffer) is { } pcap)
            {
                return pcap;
            }
        }

        var (fault, found) = Name(start);
        throw new CaptureFileException(fault, found, $"The file begins like {found}; a capture in pcap or pcapng format, plain or in gzip or xz, is expected.");
    }

    private static (CaptureFileFault Fault, string Found) Name(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> zstandard = [0x28, 0xB5, 0x2F, 0xFD];
        ReadOnlySpan<byte> lz4 = [0x04, 0x22, 0x4D, 0x18];
        return start switch
        {
            _ when start.StartsWith(zstandard) => (CaptureFileFault.UnsupportedCompression, "Zstandard"),
            _ when start.StartsWith(lz4) => (CaptureFileFault.UnsupportedCompression, "LZ4"),
            _ when start.StartsWith("BZh"u8) => (CaptureFileFault.UnsupportedCompression, "bzip2"),
            _ when start.StartsWith("PK\u0003\u0004"u8) => (CaptureFileFault.UnsupportedCompression, "ZIP"),
            _ when start.StartsWith("snoop\0"u8) => (CaptureFileFault.UnknownFormat, "snoop"),
            _ when start.StartsWith("GMBU"u8) || start.StartsWith("RTSS"u8) => (CaptureFileFault.UnknownFormat, "Network Monitor"),
            _ => (CaptureFileFault.UnknownFormat, Convert.ToHexString(start[..Math.Min(start.Length, 2 * MagicSize)])),
        };
    }
}
