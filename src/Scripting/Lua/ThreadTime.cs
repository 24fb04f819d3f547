using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sekisho.Scripting.Lua;

/// <summary>
/// Processor time of the calling thread, in <see cref="Stopwatch"/> ticks: on a busy machine a script is not charged for time in which it did not
/// run. Where the system has no such clock it is the time that passes.
/// </summary>
internal static partial class ThreadTime
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID, Linux

    private static readonly bool IsThere = OperatingSystem.IsLinux() && Read(ThreadClock, out _) == 0;

    public static long Now =>
        IsThere && Read(ThreadClock, out var time) == 0
            ? (time.Seconds * Stopwatch.Frequency) + (long)(time.Nanoseconds * (Stopwatch.Frequency / 1e9))
            : Stopwatch.GetTimestamp();

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int Read(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
