using System.IO.Compression;
using System.Text;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Intervals;

namespace Sekisho.Sensor.Reading;

/// <summary>Opens what a person gives, by what it begins with.</summary>
internal static class TrafficFile
{
    private const int Looked = 4096;

    /// <summary>Opens a file, or standard input for "-". Throws <see cref="CaptureFileException"/> when it is neither a capture nor a log, and what <see cref="FileStream"/> throws.</summary>
    public static ITrafficFile Open(string path, ObservationSettings settings)
    {
        if (path == "-")
        {
            return new CaptureReading(CaptureFile.Open(Console.OpenStandardInput()), settings);
        }

        try
        {
            return new CaptureReading(CaptureFile.Open(path), settings);
        }
        catch (CaptureFileException e) when (e.Fault == CaptureFileFault.UnknownFormat && IsLog(path))
        {
            return new ZeekReading(Text(path), settings);
        }
    }

    private static bool IsLog(string path)
    {
        using var text = Text(path);
        var start = new byte[Looked];
        var length = 0;
        try
        {
            for (int read; length < start.Length && (read = text.Read(start, length, start.Length - length)) > 0; length += read)
            {
            }
        }
        catch (InvalidDataException)
        {
            // What stands before the damage says what it is; who reads on tells the damage.
        }

        var begin = Encoding.UTF8.GetString(start, 0, length).AsSpan().TrimStart('\uFEFF').TrimStart();
        return begin.StartsWith("#separator") || begin.StartsWith("#fields") || (begin.IndexOf("id.orig_h") >= 0 && begin[0] is '{' or 't' or '"');
    }

    private static Stream Text(string path)
    {
        var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.SequentialScan });
        var isCompressed = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        return isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
