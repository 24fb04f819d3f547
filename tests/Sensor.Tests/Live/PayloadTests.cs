using System.Security.Cryptography;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.Sensor.Tests.Live;

/// <summary>Payload stays in the memory that the sensor shares with the kernel, if the kernel copies it at all.</summary>
public sealed class PayloadTests : IDisposable
{
    private readonly NetworkLab _lab = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-payload-").FullName;

    public void Dispose()
    {
        _lab.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void A_marker_in_the_payload_is_nowhere_in_the_memory_of_the_sensor_beyond_the_ring_and_in_nothing_it_writes(string readers)
    {
        var marker = RandomNumberGenerator.GetBytes(24);
        var inner = TestFrames.Udp4(5000, 5001, marker);
        byte[] greHeader = [0, 0, 0x65, 0x58];
        byte[] vxlanHeader = [8, 0, 0, 0, 0, 0, 7, 0];
        byte[][] frames =
        [
            TestFrames.Udp4(5000, 53, marker), TestFrames.Udp4(5000, 53, [.. new byte[400], .. marker]), TestFrames.Tcp4(5000, 80, 12, marker), TestFrames.Udp6(5000, 53, marker), TestFrames.Tcp6(5000, 80, 0, marker),
            TestFrames.Udp4(5000, 1883, marker, 100), TestFrames.Tcp4(5000, 1883, 0, marker, 100, 200),
            TestFrames.Ethernet(0x0800, TestFrames.IPv4(17, [19, 136, 0, 53, 0, 200, 0, 0, .. marker], fragment: 0x2000)), TestFrames.Ethernet(0x0800, TestFrames.IPv4(17, marker, fragment: 0x0004)),
            TestFrames.Ethernet(0x0800, TestFrames.IPv4(47, [.. greHeader, .. inner])), TestFrames.Udp4(5000, 4789, [.. vxlanHeader, .. inner]),
            TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, [8, 0, 0, 0, 0, 0, 0, 0, .. marker])), TestFrames.Ethernet(0x0800, TestFrames.IPv4(50, marker)), TestFrames.Ethernet(0x88CC, marker),
            [.. TestFrames.Ethernet(0x0806, []), 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9, .. marker],
        ];
        using var sensor = new WatchingSensor(_lab, "--interface", "b", "--readers", readers, "--folder", _folder);
        _lab.Inside(() =>
        {
            using var sender = new FrameSender("a");
            for (var i = 0; i < 40; i++)
            {
                Assert.All(frames, frame => Assert.True(sender.Send(frame)));
            }
        });
        sensor.UntilPackets(40 * frames.Length);

        sensor.Process.Pause();
        var holding = ProcessMemory.Holding(sensor.Process.Id, marker);

        // The tables have the address as a NetAddress, the ring has it as on the wire: what is looked into is the right memory.
        byte[] address = [1, 2, 0, 192, 0xFF, 0xFF, 0, 0];
        Assert.Contains(ProcessMemory.Holding(sensor.Process.Id, address), name => !IsRing(name));
        Assert.NotEmpty(holding);
        Assert.All(holding, name => Assert.True(IsRing(name), $"The payload is in \"{name}\"."));

        sensor.Process.Resume();
        Assert.Equal(40 * frames.Length, sensor.End().Packets);
        var printed = string.Join('\n', [.. sensor.Process.Output, .. sensor.Process.Errors]);
        Assert.All([Convert.ToHexString(marker), Convert.ToHexStringLower(marker), Convert.ToBase64String(marker)], text => Assert.DoesNotContain(text, printed, StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    private static bool IsRing(string name) => name.StartsWith("socket:[", StringComparison.Ordinal);
}
