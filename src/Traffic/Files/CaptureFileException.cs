namespace Sekisho.Traffic.Files;

/// <summary>Why a file cannot be read as a capture.</summary>
public enum CaptureFileFault
{
    /// <summary>There is nothing in it.</summary>
    Empty,

    /// <summary>It is neither pcap nor pcapng.</summary>
    UnknownFormat,

    /// <summary>It is compressed in another way than gzip and xz, or compressed and no file (a pipe).</summary>
    UnsupportedCompression,

    /// <summary>It is pcap or pcapng of a version that is not known.</summary>
    UnsupportedVersion,

    /// <summary>A record or block contradicts itself or is longer than any frame; what stood before was read.</summary>
    DamagedRecord,

    /// <summary>The compressed data contradicts itself; what stood before was read.</summary>
    DamagedCompression,
}

/// <summary>A file that is no capture, or a damaged one. A capture that merely ends early is none of these: see <see cref="CaptureFile.Truncated"/>.</summary>
public sealed class CaptureFileException : Exception
{
    internal CaptureFileException(CaptureFileFault fault, string found, string message, Exception? inner = null)
        : base(message, inner)
    {
        Fault = fault;
        Found = found;
    }

    /// <summary>What is wrong.</summary>
    public CaptureFileFault Fault { get; }

    /// <summary>What was found: the name of a format, its first bytes in hexadecimal digits, or the place and size of the record.</summary>
    public string Found { get; }
}
