namespace Sekisho.Traffic.Records;

/// <summary>Why a file cannot be read as a log of connections.</summary>
public enum RecordFileFault
{
    /// <summary>It is a log of Zeek, of something else than connections.</summary>
    OtherLog,

    /// <summary>It lacks the fields of a conn log.</summary>
    NoConnLog,
}

/// <summary>A file that is no conn log of Zeek. Damaged rows are none of these: see <see cref="ZeekConnReader.Skipped"/>.</summary>
public sealed class RecordFileException : Exception
{
    internal RecordFileException(RecordFileFault fault, string found, string message)
        : base(message)
    {
        Fault = fault;
        Found = found;
    }

    /// <summary>What is wrong.</summary>
    public RecordFileFault Fault { get; }

    /// <summary>What was found: the name of the other log, or the fields that are missing.</summary>
    public string Found { get; }
}
