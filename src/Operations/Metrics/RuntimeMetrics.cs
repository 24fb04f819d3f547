using System.Diagnostics;
using System.Reflection;

namespace Sekisho.Operations.Metrics;

/// <summary>Process and runtime, read at the moment of the scrape. Names follow the Prometheus client libraries.</summary>
internal static class RuntimeMetrics
{
    private static readonly string Version = typeof(RuntimeMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public static void Write(Exposition text)
    {
        using var process = Process.GetCurrentProcess();
        var memory = GC.GetGCMemoryInfo();
        One("process_resident_memory_bytes", "Resident memory.", FamilyKind.Gauge, Environment.WorkingSet);
        One("process_cpu_seconds_total", "User and system CPU time.", FamilyKind.Counter, Environment.CpuUsage.TotalTime.TotalSeconds);
        One("process_start_time_seconds", "Start of the process, Unix time.", FamilyKind.Gauge, new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0);
        One("process_threads", "Threads of the process.", FamilyKind.Gauge, process.Threads.Count);
        One("process_open_fds", "Open file descriptors.", FamilyKind.Gauge, OpenFiles());
        One("dotnet_gc_heap_bytes", "Managed heap after the last collection.", FamilyKind.Gauge, memory.HeapSizeBytes);
        One("dotnet_gc_committed_bytes", "Memory committed for the managed heap.", FamilyKind.Gauge, memory.TotalCommittedBytes);
        One("dotnet_gc_allocated_bytes_total", "Bytes allocated on the managed heap.", FamilyKind.Counter, GC.GetTotalAllocatedBytes());
        One("dotnet_gc_pause_seconds_total", "Time the program stood still for collections.", FamilyKind.Counter, GC.GetTotalPauseDuration().TotalSeconds);
        text.Write(
            "dotnet_gc_collections_total",
            "Garbage collections by generation.",
            FamilyKind.Counter,
            [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(g => (Labels("generation", g), (double)GC.CollectionCount(g)))]);
        One("dotnet_threadpool_threads", "Threads of the thread pool.", FamilyKind.Gauge, ThreadPool.ThreadCount);
        One("dotnet_threadpool_queue_length", "Work waiting for the thread pool.", FamilyKind.Gauge, ThreadPool.PendingWorkItemCount);
        text.Write("sekisho_build_info", "Version of the program.", FamilyKind.Gauge, (Labels("version", Version), 1));

        void One(string name, string help, FamilyKind kind, double value) => text.Write(name, help, kind, ([], value));
    }

    private static KeyValuePair<string, object?>[] Labels(string name, object value) => [new(name, value)];

    private static int OpenFiles() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;
}
