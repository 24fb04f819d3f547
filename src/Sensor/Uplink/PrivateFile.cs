namespace Sekisho.Sensor.Uplink;

/// <summary>Files for their owner only. Any thread.</summary>
internal static class PrivateFile
{
    private const UnixFileMode ForOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes the folder, for its owner only, unless it is there.</summary>
    public static void Folder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, ForOwner | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Opens a file without a buffer of its own: what was written is with the system.</summary>
    public static FileStream Open(string file, FileMode mode, FileAccess access, FileShare share = FileShare.Read)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = ForOwner;
        }

        return new FileStream(file, options);
    }

    /// <summary>Replaces a file: a crash leaves the old content or the new, never half of one.</summary>
    public static void Replace(string file, ReadOnlySpan<byte> content)
    {
        var part = file + ".part";
        File.Delete(part);
        using (var stream = Open(part, FileMode.CreateNew, FileAccess.Write))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(part, file, overwrite: true);
    }
}
