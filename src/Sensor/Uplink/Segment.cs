namespace Sekisho.Sensor.Uplink;

/// <summary>Where a record stands.</summary>
internal readonly record struct SpoolEntry(long Sequence, long Offset, int Size);

/// <summary>A file of the spool, only ever appended to. Its owner takes turns.</summary>
internal sealed class Segment : IDisposable
{
    private readonly FileStream _stream;

    private Segment(string file, FileStream stream) => (File, _stream) = (file, stream);

    public string File { get; }

    /// <summary>Records that the gateway does not have yet, oldest first.</summary>
    public Queue<SpoolEntry> Waiting { get; } = new();

    /// <summary>Number of the newest record, also of one that the gateway has; that before the first while there is none.</summary>
    public long Last { get; private set; }

    public long Bytes { get; private set; }

    public static string Name(long first) => first.ToString("D19", System.Globalization.CultureInfo.InvariantCulture) + ".seg";

    /// <summary>Starts a segment.</summary>
    public static Segment Create(string folder, long first)
    {
        var file = Path.Combine(folder, Name(first));
        var stream = PrivateFile.Open(file, FileMode.Create, FileAccess.ReadWrite);
        try
        {
            stream.Write(SpoolRecord.Begin);
            return new Segment(file, stream) { Last = first - 1, Bytes = SpoolRecord.Begin.Length };
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Opens a segment of an earlier run: everything up to the first byte that is not as it was written.</summary>
    public static Segment Open(string file, long confirmed, long after)
    {
        var stream = PrivateFile.Open(file, FileMode.Open, FileAccess.ReadWrite);
        try
        {
            var segment = new Segment(file, stream) { Last = after };
            segment.Scan(confirmed);

            // A torn tail is cut off, so that what is appended follows what can be read.
            if (stream.Length != segment.Bytes)
            {
                stream.SetLength(segment.Bytes);
                stream.Flush(flushToDisk: true);
            }

            return segment;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Appends a record; it is on the disk when this returns.</summary>
    /// <exception cref="IOException">The disk is full or at fault; the segment is as before.</exception>
    public void Append(long sequence, byte[] record)
    {
        try
        {
            RandomAccess.Write(_stream.SafeFileHandle, record, Bytes);
            RandomAccess.FlushToDisk(_stream.SafeFileHandle);
        }
        catch (IOException)
        {
            _stream.SetLength(Bytes);
            throw;
        }

        Waiting.Enqueue(new SpoolEntry(sequence, Bytes, record.Length));
        Bytes += record.Length;
        Last = sequence;
    }

    /// <summary>The message of a record; null when the disk changed it.</summary>
    public byte[]? Read(SpoolEntry entry)
    {
        var record = new byte[entry.Size];
        return RandomAccess.Read(_stream.SafeFileHandle, record, entry.Offset) == record.Length && SpoolRecord.IsIntact(record) ? record[SpoolRecord.HeaderSize..] : null;
    }

    public void Delete()
    {
        Dispose();
        System.IO.File.Delete(File);
    }

    public void Dispose() => _stream.Dispose();

    private void Scan(long confirmed)
    {
        Span<byte> begin = stackalloc byte[8];
        if (RandomAccess.Read(_stream.SafeFileHandle, begin, 0) != begin.Length || !begin.SequenceEqual(SpoolRecord.Begin))
        {
            // The crash came before the first record.
            _stream.SetLength(0);
            _stream.Position = 0;
            _stream.Write(SpoolRecord.Begin);
            Bytes = SpoolRecord.Begin.Length;
            return;
        }

        Bytes = begin.Length;
        Span<byte> header = stackalloc byte[SpoolRecord.HeaderSize];
        while (RandomAccess.Read(_stream.SafeFileHandle, header, Bytes) == header.Length
            && SpoolRecord.TryHeader(header, out var size, out var sequence) && sequence > Last && Bytes + header.Length + size <= _stream.Length)
        {
            var entry = new SpoolEntry(sequence, Bytes, SpoolRecord.HeaderSize + size);
            if (Read(entry) is null)
            {
                break;
            }

            if (sequence > confirmed)
            {
                Waiting.Enqueue(entry);
            }

            Last = sequence;
            Bytes += entry.Size;
        }
    }
}
