using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Sekisho.Traffic.Records;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.Traffic.Tests.Records;

/// <summary>softflowd reads a capture and exports it to the listener as a real exporter does.</summary>
public sealed class SoftflowdTests : IDisposable
{
    private const long Begin = 1_700_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-softflowd-").FullName;
    private readonly List<FlowRecord> _records = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("-v", "5")]
    [InlineData("-v", "9")]
    [InlineData("-v", "9", "-T", "ether")]
    [InlineData("-v", "10")]
    [InlineData("-v", "10", "-b")]
    [InlineData("-v", "10", "-A", "sec")]
    [InlineData("-v", "10", "-A", "milli")]
    [InlineData("-v", "10", "-P", "tcp")]
    [InlineData("-v", "5", "-P", "tcp")]
    public async Task Packets_bytes_ports_and_durations_are_those_of_the_capture(params string[] options)
    {
        var frames = Capture();
        await ExportAsync(frames, options);

        var both = options.Contains("-b");
        Assert.Equal(frames.Count, _records.Sum(r => r.Packets + (r.ReversePackets ?? 0)));
        Assert.Equal(frames.Sum(f => f.Frame.Length - 14L), _records.Sum(r => r.Bytes + (r.ReverseBytes ?? 0)));
        Assert.All(_records, r => Assert.Equal("127.0.0.1", r.Exporter.ToString()));

        var up = Assert.Single(_records, r => r.Protocol == 6 && r.DestinationPort == 1883);
        Assert.Equal(("192.0.2.1", "192.0.2.2", 40000, 20L), (up.Source.ToString(), up.Destination.ToString(), up.SourcePort, up.Packets));
        Assert.Equal(both ? 10L : null, up.ReversePackets);
        Assert.InRange((up.End - up.Start) / 1e9, both || options.Contains("sec") ? 18 : 18.9, 20.1);

        var asked = Assert.Single(_records, r => r.Protocol == 1 && r.SourcePort == 8);
        Assert.Equal((8, 0, 3L), (asked.SourcePort, asked.DestinationPort, asked.Packets));

        if (options.Contains("ether"))
        {
            Assert.Equal((TestFrames.ClientMac, TestFrames.ServerMac), (up.SourceMac, up.DestinationMac));
        }

        if (!options.Contains("5"))
        {
            var six = Assert.Single(_records, r => r.EtherType == 0x86DD && r.DestinationPort == 5683);
            Assert.Equal(("2001:db8::1", 17, 4L), (six.Source.ToString(), six.Protocol, six.Packets));
        }
    }

    /// <summary>Twenty seconds of MQTT, ping, and CoAP over IPv6 (which NetFlow v5 cannot tell, so it is left out there).</summary>
    private static List<(double Time, byte[] Frame)> Capture()
    {
        var frames = new List<(double, byte[])>();
        for (var i = 0; i < 20; i++)
        {
            frames.Add((i, TestFrames.Tcp4(40000, 1883, 12, new byte[50 + i])));
            if (i % 2 == 0)
            {
                frames.Add((i + 0.1, Swapped(TestFrames.Tcp4(1883, 40000, 12, new byte[10]))));
            }
        }

        for (var i = 0; i < 3; i++)
        {
            frames.Add((i + 0.5, TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, [8, 0, 0, 0, 0, 1, 0, (byte)i, .. new byte[40]]))));
            frames.Add((i + 0.51, Swapped(TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, [0, 0, 0, 0, 0, 1, 0, (byte)i, .. new byte[40]])))));
        }

        return frames;
    }

    private static byte[] Swapped(byte[] frame) => [.. frame[6..12], .. frame[0..6], .. frame[12..26], .. frame[30..34], .. frame[26..30], .. frame[34..]];

    private async Task ExportAsync(List<(double Time, byte[] Frame)> frames, string[] options)
    {
        if (!options.Contains("5"))
        {
            frames.AddRange(Enumerable.Range(0, 4).Select(i => (i + 0.7, TestFrames.Udp6(40001, 5683, new byte[30]))));
        }

        var file = Path.Combine(_folder, "capture.pcap");
        await File.WriteAllBytesAsync(file, Pcap(frames.OrderBy(f => f.Time)));
        var complete = new TaskCompletionSource();
        var expected = frames.Count;
        using var listener = new FlowListener(
            new() { Address = IPAddress.Loopback, Port = 0 },
            records =>
            {
                _records.AddRange(records);
                if (_records.Sum(r => r.Packets + (r.ReversePackets ?? 0)) >= expected)
                {
                    complete.TrySetResult();
                }
            },
            TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = listener.RunAsync(stop.Token);
        using var softflowd = Process.Start(new ProcessStartInfo("softflowd", ["-d", "-6", "-r", file, "-n", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{listener.Port}"), "-p", Path.Combine(_folder, "pid"), "-c", "none", .. options]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            var done = await Task.WhenAny(complete.Task, Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System));
            Assert.True(done == complete.Task, $"{listener.Counts}\n{string.Join('\n', _records)}");
        }
        finally
        {
            softflowd.Kill();
            await softflowd.WaitForExitAsync();
            await stop.CancelAsync();
            await running;
        }

        Assert.Equal((0L, 0L, 0L), (listener.Counts.Malformed, listener.Counts.WithoutTemplate, listener.Counts.OutOfOrder));
    }

    private static byte[] Pcap(IEnumerable<(double Time, byte[] Frame)> frames)
    {
        var bytes = new List<byte>();
        void Number(long value)
        {
            var four = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(four, (uint)value);
            bytes.AddRange(four);
        }

        Number(0xA1B2C3D4);
        Number(0x00040002);
        Number(0);
        Number(0);
        Number(65535);
        Number(1);
        foreach (var (time, frame) in frames)
        {
            Number(Begin + (long)time);
            Number((long)Math.Round((time - Math.Floor(time)) * 1_000_000));
            Number(frame.Length);
            Number(frame.Length);
            bytes.AddRange(frame);
        }

        return [.. bytes];
    }
}
