using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Sekisho.Architecture.Tests;

/// <summary>The tracked files of the repository this test was compiled in.</summary>
internal static class Tree
{
    public static readonly string Root = FindRoot();

    /// <summary>Tracked and new files that are not ignored, as paths from the root with "/".</summary>
    public static readonly IReadOnlyList<string> Files = [.. List().Where(f => File.Exists(Path.Combine(Root, f)))];

    public static IEnumerable<string> Sources(string folder) =>
        Files.Where(f => f.StartsWith(folder + "/", StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal));

    public static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    /// <summary>Fails with all of them, not with the first.</summary>
    public static void None(IEnumerable<string> offenders) => Assert.Empty(offenders);

    private static string FindRoot([CallerFilePath] string self = "")
    {
        // The place of the program first: a checkout may be built in one place and tested in another.
        foreach (var start in (string?[])[AppContext.BaseDirectory, Path.GetDirectoryName(self)])
        {
            for (var folder = start is null ? null : new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Sekisho.slnx")))
                {
                    return folder.FullName;
                }
            }
        }

        throw new InvalidOperationException("Sekisho.slnx was not found above the test.");
    }

    private static string[] List()
    {
        var info = new ProcessStartInfo("git", ["-C", Root, "-c", "core.quotepath=off", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"]) { RedirectStandardOutput = true };
        using var git = Process.Start(info)!;
        var text = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        return git.ExitCode == 0 ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries) : throw new InvalidOperationException("git ls-files failed; the test reads the tracked files.");
    }
}
