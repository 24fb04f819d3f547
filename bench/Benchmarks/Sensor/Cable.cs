using System.Diagnostics;
using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>Two network namespaces and a cable (veth) between them, quiet but for what is sent. What arrives is worked on by the receiver's core, as with a network card whose interrupts go there. Needs root and iproute2.</summary>
internal sealed class Cable : IDisposable
{
    public const string Left = "left";
    public const string Right = "right";

    private static readonly string Sending = string.Create(CultureInfo.InvariantCulture, $"sekisho-bench-{Environment.ProcessId}-a");
    private static readonly string Receiving = string.Create(CultureInfo.InvariantCulture, $"sekisho-bench-{Environment.ProcessId}-b");

    // Cores by number and by mask.
    private const string SendingCore = "0";
    private const string ReceivingCore = "1";
    private const string ReceivingMask = "2";

    // Both before other work, which would else decide what is sent and what is lost.
    private const string Priority = "-15";

    private readonly List<string> _made = [];

    public Cable()
    {
        try
        {
            foreach (var name in (string[])[Sending, Receiving])
            {
                Run("ip", "netns", "add", name);
                _made.Add(name);
            }

            Run("ip", "-n", Sending, "link", "add", "name", Left, "type", "veth", "peer", "name", Right, "netns", Receiving);
            foreach (var (space, end) in ((string, string)[])[(Sending, Left), (Receiving, Right)])
            {
                Run("ip", "-n", space, "link", "set", "dev", end, "addrgenmode", "none");
                Run("ip", "-n", space, "link", "set", "dev", end, "up");
            }

            Run("ip", "netns", "exec", Receiving, "sh", "-c", $"echo {ReceivingMask} > /sys/class/net/{Right}/queues/rx-0/rps_cpus");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public static Process Send(params string[] arguments) => Start(Sending, SendingCore, arguments);

    public static Process Receive(params string[] arguments) => Start(Receiving, ReceivingCore, arguments);

    public void Dispose()
    {
        foreach (var name in _made)
        {
            Run("ip", "netns", "del", name);
        }
    }

    private static Process Start(string space, string core, string[] arguments)
    {
        var info = new ProcessStartInfo("ip", ["netns", "exec", space, "nice", "-n", Priority, "taskset", "-c", core, "dotnet", SensorProcess.Program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in SensorProcess.Form)
        {
            info.Environment[name] = value;
        }

        return Process.Start(info)!;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors.Trim()} (--live needs root, ip of iproute2 and network namespaces)");
        }
    }
}
