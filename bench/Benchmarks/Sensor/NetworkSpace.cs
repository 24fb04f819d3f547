using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>What went over an interface, both directions together, as its own counters say.</summary>
internal readonly record struct InterfaceCount(long Packets, long Bytes)
{
    public static InterfaceCount operator -(InterfaceCount left, InterfaceCount right) => new(left.Packets - right.Packets, left.Bytes - right.Bytes);
}

/// <summary>A network namespace in which nobody speaks unasked. Needs root and iproute2.</summary>
internal sealed class NetworkSpace : IDisposable
{
    // Before other work, which would else decide what is sent and what is lost.
    private const string Priority = "-15";

    private readonly string _name;

    public NetworkSpace(string name)
    {
        _name = string.Create(CultureInfo.InvariantCulture, $"sekisho-bench-{Environment.ProcessId}-{name}");
        Tool("netns", "add", _name);
        Set("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
        Set("/proc/sys/net/ipv4/igmp_link_local_mcast_reports", "0");
    }

    public string Ip(params string[] arguments) => Tool(["-n", _name, .. arguments]);

    /// <summary>A cable (veth) to another namespace, up at both ends.</summary>
    public void Connect(string end, NetworkSpace other, string otherEnd)
    {
        Ip("link", "add", "name", end, "type", "veth", "peer", "name", otherEnd, "netns", other._name);
        foreach (var (space, name) in ((NetworkSpace, string)[])[(this, end), (other, otherEnd)])
        {
            space.Ip("link", "set", "dev", name, "addrgenmode", "none");
            space.Ip("link", "set", "dev", name, "up");
        }
    }

    /// <summary>Writes a setting of the namespace under /proc/sys or /sys.</summary>
    public void Set(string path, string value) => Tool("netns", "exec", _name, "sh", "-c", $"echo {value} > {path}");

    /// <summary>Counters of an interface.</summary>
    public InterfaceCount Count(string name)
    {
        var counters = Statistics(name);
        long Both(string what) => counters["rx"]![what]!.GetValue<long>() + counters["tx"]![what]!.GetValue<long>();
        return new InterfaceCount(Both("packets"), Both("bytes"));
    }

    /// <summary>Packets that came in over an interface.</summary>
    public long Received(string name) => Statistics(name)["rx"]!["packets"]!.GetValue<long>();

    /// <summary>Starts one of the benchmark's own processes inside.</summary>
    public Process Start(string? core, params string[] arguments) => Start(core, SensorProcess.Form, ["dotnet", SensorProcess.Program, .. arguments]);

    /// <summary>Starts a program inside, on a core by number or on all. What is started is the program itself: it has the process's id.</summary>
    public Process Start(string? core, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> command, bool errors = false)
    {
        string[] pinned = core is null ? [] : ["taskset", "-c", core];
        var info = new ProcessStartInfo("ip", ["netns", "exec", _name, "nice", "-n", Priority, .. pinned, .. command]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = errors };
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        return Process.Start(info)!;
    }

    public void Dispose() => Tool("netns", "del", _name);

    private JsonNode Statistics(string name) => JsonNode.Parse(Ip("-json", "-statistics", "link", "show", "dev", name))![0]!["stats64"]!;

    private static string Tool(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {errors.GetAwaiter().GetResult().Trim()} (live measurements need root, ip of iproute2 and network namespaces)");
    }
}
