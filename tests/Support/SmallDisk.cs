using System.Diagnostics;
using System.Globalization;

namespace Sekisho.Tests.Support;

/// <summary>A tmpfs of its own, to be filled or made read-only; needs root, as CI has. One owner at a time.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("sekisho-disk-").FullName;

    private SmallDisk() => Directory.CreateDirectory(Folder);

    /// <summary>Where it is mounted; what stands beside it is on the machine's own disk.</summary>
    public string Folder => Path.Combine(_parent, "data");

    private string Ballast => Path.Combine(Folder, "ballast");

    /// <summary>Mounts one.</summary>
    public static async Task<SmallDisk> MountAsync(int mib)
    {
        var disk = new SmallDisk();
        await RunAsync("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={mib}m"), "tmpfs", disk.Folder);
        return disk;
    }

    /// <summary>Changes an option, for example "ro".</summary>
    public Task RemountAsync(string option) => RunAsync("mount", "-o", "remount," + option, Folder);

    /// <summary>Fills it up to so many bytes.</summary>
    public void FillBut(long left)
    {
        using var ballast = new FileStream(Ballast, FileMode.Create);
        var bytes = new byte[64 * 1024];
        while (new DriveInfo(Folder).AvailableFreeSpace - bytes.Length >= left)
        {
            ballast.Write(bytes);
            ballast.Flush();
        }
    }

    /// <summary>Takes out what it was filled with.</summary>
    public void Empty() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", "-l", Folder);
        Directory.Delete(_parent, recursive: true);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} needs root: {error}");
        }
    }
}
