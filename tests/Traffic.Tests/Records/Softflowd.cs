using System.Diagnostics;
using System.Globalization;
using System.Net;
using Sekisho.Traffic.Records;

namespace Sekisho.Traffic.Tests.Records;

/// <summary>softflowd reads a capture and exports it to our listener.</summary>
internal static class Softflowd
{
    /// <summary>The records of so many packets.</summary>
    public static async Task<List<FlowRecord>> ExportAsync(string folder, byte[] pcap, long packets, params string[] options)
    {
        var all = new List<FlowRecord>();
        var file = Path.Combine(folder, "capture.pcap");
        await File.WriteAllBytesAsync(file, pcap);
        var complete = new TaskCompletionSource();
        using var listener = new FlowListener(
            new() { Address = IPAddress.Loopback, Port = 0 },
            records =>
            {
                all.AddRange(records);
                if (all.Sum(r => r.Packets + (r.ReversePackets ?? 0)) >= packets)
                {
                    complete.TrySetResult();
                }
            },
            TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = listener.RunAsync(stop.Token);

        // Debian's place for it is not on everybody's path.
        var program = File.Exists("/usr/sbin/softflowd") ? "/usr/sbin/softflowd" : "softflowd";
        using var softflowd = Process.Start(new ProcessStartInfo(program, ["-d", "-6", "-r", file, "-n", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{listener.Port}"), "-p", Path.Combine(folder, "pid"), "-c", "none", .. options]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            var done = await Task.WhenAny(complete.Task, Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System));
            Assert.True(done == complete.Task, $"{listener.Counts}\n{string.Join('\n', all)}");
        }
        finally
        {
            softflowd.Kill();
            await softflowd.WaitForExitAsync();
            await stop.CancelAsync();
            await running;
        }

        Assert.Equal((0L, 0L, 0L, 0L), (listener.Counts.Malformed, listener.Counts.WithoutTemplate, listener.Counts.OutOfOrder, listener.Counts.LostRecords));
        return all;
    }
}
