namespace Sekisho.Storage;

/// <summary>Small files that a start depends on (keys, certificates). Any thread.</summary>
public static class DurableFile
{
    /// <summary>
    /// Makes a file for its owner only. It is written and synced under another name and then given its own, so that a crash leaves all of it or
    /// none; a half one would keep every later start from working.
    /// </summary>
    /// <param name="file">Path of the new file.</param>
    /// <param name="content">All of it.</param>
    /// <exception cref="IOException">It exists already, or cannot be written.</exception>
    public static void Create(string file, ReadOnlySpan<byte> content)
    {
        // One that a crash left behind may have another mode.
        var part = file + ".part";
        File.Delete(part);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(part, options))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(part, file, overwrite: false);
    }
}
