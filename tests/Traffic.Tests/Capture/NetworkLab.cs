using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Tests.Capture;

/// <summary>A network namespace of its own with a cable (veth) from <c>a</c> to <c>b</c>, quiet until a test sends something. Needs root, as the kernel asks for it.</summary>
internal sealed partial class NetworkLab : IDisposable
{
    private const int NewNetwork = 0x40000000;
    private static int s_count;

    public NetworkLab()
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"sekisho-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}");
        Tool("ip", "netns", "add", Name);
        try
        {
            Ip("link", "set", "lo", "up");
            AddCable();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Name { get; }

    public void AddCable(string left = "a", string right = "b")
    {
        Ip("link", "add", "name", left, "type", "veth", "peer", "name", right);
        foreach (var end in (string[])[left, right])
        {
            Ip("link", "set", "dev", end, "addrgenmode", "none");
            Ip("link", "set", "dev", end, "up");
        }
    }

    /// <summary>Runs ip in the namespace.</summary>
    public string Ip(params string[] arguments) => Tool("ip", ["-n", Name, .. arguments]);

    public long Counter(string name, string counter) =>
        Inside(() => long.Parse(Tool("cat", $"/sys/class/net/{name}/statistics/{counter}"), CultureInfo.InvariantCulture), withSys: true);

    /// <summary>Runs something on a thread inside the namespace; sockets that it makes belong there.</summary>
    public T Inside<T>(Func<T> what, bool withSys = false) => OnThread(() =>
    {
        Enter();
        if (withSys)
        {
            // The counters under /sys show the namespace that mounted them.
            Check(Unshare(NewMounts), "unshare");
            Check(Mount("none", "/", null, Recursive | Private, 0), "mount private");
            Check(Mount("sys", "/sys", "sysfs", 0, 0), "mount sysfs");
        }

        return what();
    });

    public void Inside(Action what) => Inside(() =>
    {
        what();
        return true;
    });

    public void Dispose() => Tool("ip", "netns", "del", Name);

    /// <summary>Runs something on a thread that has no privileges.</summary>
    public T InsideWithoutPrivileges<T>(Func<T> what) => OnThread(() =>
    {
        Enter();

        // The system call itself changes this thread only; the function of libc would change all.
        var call = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 117 : 147;
        Check((int)SystemCall(call, 65534, 65534, 65534), "setresuid");
        return what();
    });

    private const int NewMounts = 0x00020000;
    private const nuint Recursive = 16384;
    private const nuint Private = 1 << 18;

    private void Enter()
    {
        using var handle = File.OpenHandle("/var/run/netns/" + Name);
        Check(SetNamespace((int)handle.DangerousGetHandle(), NewNetwork), "setns");
    }

    private static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw new InvalidOperationException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    private static T OnThread<T>(Func<T> what)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = what();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    internal static string Tool(string name, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{name} {string.Join(' ', arguments)}: {errors.Result}");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int kinds);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string? kind, nuint flags, nint data);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third);
}
