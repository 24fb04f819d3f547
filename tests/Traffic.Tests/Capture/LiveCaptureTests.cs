using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Tests.Capture;

/// <summary>Against the kernel, in network namespaces; as root.</summary>
public sealed class LiveCaptureTests : IDisposable
{
    private static readonly byte[] s_marker = Encoding.ASCII.GetBytes("MARKER-that-must-not-be-kept");
    private static readonly CaptureSettings s_settings = new() { Interfaces = ["b"], RingMebibytes = 2, BlockKibibytes = 64, RetireMilliseconds = 10 };

    private readonly NetworkLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void Every_frame_of_a_counted_sender_is_seen_with_its_length_and_time()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            using var sender = new FrameSender("a");
            var seen = new List<PacketHeader>();
            for (var i = 0; i < 5000; i++)
            {
                Assert.True(sender.Send(TestFrames.Udp4(1000 + i, 53, new byte[20 + (i % 1400)])));
                if (i % 200 == 199)
                {
                    ReadAll(capture, seen, i + 1);
                }
            }

            ReadAll(capture, seen, 5000);

            Assert.Equal(5000, seen.Count);
            Assert.Equal(Enumerable.Range(0, 5000).Select(i => 42 + 20 + (i % 1400)), seen.Select(h => h.WireLength));
            Assert.Equal(seen.Select(h => h.Timestamp).Order(), seen.Select(h => h.Timestamp));
            var b = Assert.Single(capture.Interfaces);
            Assert.Equal(("b", InterfaceState.Up, 0, 5000L, 0L), (b.Name, b.State, b.Outages, b.Statistics.Frames, b.Statistics.Drops));
            Assert.Equal(seen[^1].Timestamp, b.LastFrame);
        });
    }

    [Fact]
    public void Before_the_first_frame_there_is_no_time_of_a_last_one()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);

            Assert.Equal(0, capture.Read(new PacketHeader[32], timeoutMilliseconds: 20));
            Assert.Null(capture.Interfaces[0].LastFrame);
        });
    }

    [Fact]
    public void The_tag_that_the_kernel_takes_off_is_seen_and_counted_in_the_length()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            using var sender = new FrameSender("a");
            sender.Send(TestFrames.Udp4(1, 2, new byte[30], 100));
            sender.Send(TestFrames.Udp4(1, 2, new byte[30]));
            sender.Send(TestFrames.Udp4(1, 2, new byte[30], 100, 200));
            var seen = new List<PacketHeader>();

            ReadAll(capture, seen, 3);

            Assert.Equal([(100, HeaderParser.NoVlan), (HeaderParser.NoVlan, HeaderParser.NoVlan), (100, 200)], seen.Select(h => ((int)h.Vlan, (int)h.InnerVlan)));
            Assert.Equal([76, 72, 80], seen.Select(h => h.WireLength));
            Assert.All(seen, h => Assert.Equal((2, 30, TestFrames.ClientMac, "192.0.2.2"), (h.DestinationPort, h.PayloadLength, h.SourceMac, h.Destination.ToString())));
        });
    }

    [Fact]
    public void Payload_is_cut_by_the_kernel_and_is_nowhere_in_the_shared_memory()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings with { SnapLength = 128 });
            using var sender = new FrameSender("a");
            byte[] far = [.. new byte[128], .. s_marker];
            byte[][] frames =
            [
                TestFrames.Udp4(1, 53, s_marker), TestFrames.Tcp4(1, 80, 12, s_marker), TestFrames.Udp6(1, 53, s_marker), TestFrames.Tcp6(1, 80, 0, s_marker),
                TestFrames.Udp4(1, 53, s_marker, 7), TestFrames.Tcp6(1, 80, 0, s_marker, 7, 8), TestFrames.Udp4(1, 4789, far), TestFrames.Ethernet(0x88CC, far),
            ];
            foreach (var frame in frames)
            {
                Assert.True(sender.Send(frame));
            }

            var seen = new List<PacketHeader>();
            ReadAll(capture, seen, frames.Length);

            Assert.Equal(frames.Select(f => f.Length), seen.Select(h => h.WireLength));
            Assert.Equal(-1, capture.Memory(0).IndexOf(s_marker));
            Assert.True(capture.Memory(0).IndexOf((byte[])[192, 0, 2, 1, 192, 0, 2, 2]) > 0, "The headers must be there, or this test looks into the wrong memory.");
        });
    }

    [Fact]
    public void When_the_reader_stalls_what_was_sent_is_what_was_seen_and_what_was_dropped()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings with { RingMebibytes = 1 });
            using var sender = new FrameSender("a");
            var frame = TestFrames.Udp4(1, 53, new byte[18]);
            while (sender.Sent < 30_000)
            {
                sender.Send(frame);
            }

            var seen = ReadUntilQuiet(capture);
            var counted = capture.Interfaces[0].Statistics;

            Assert.True(counted.Drops > 1000, "A ring of 1 MiB cannot hold 30,000 frames.");
            Assert.Equal(seen, counted.Frames);
            Assert.Equal(sender.Sent, seen + counted.Drops);
            Assert.True(counted.Freezes > 0);

            sender.Send(frame);
            Assert.Equal(1, ReadUntilQuiet(capture));
            Assert.Equal(seen + 1, capture.Interfaces[0].Statistics.Frames);
        });
    }

    [Fact]
    public void Segments_that_the_kernel_never_cut_are_counted_as_the_frames_of_a_wire()
    {
        const int Bytes = 4_000_000;
        using var other = new NetworkLab();
        other.Ip("link", "del", "dev", "a");
        _lab.Ip("link", "set", "dev", "b", "netns", other.Name);
        _lab.Ip("addr", "add", "198.51.100.1/24", "dev", "a");
        other.Ip("addr", "add", "198.51.100.2/24", "dev", "b");
        other.Ip("link", "set", "dev", "b", "addrgenmode", "none");
        other.Ip("link", "set", "dev", "b", "up");
        using var capture = other.Inside(() => LiveCapture.Open(s_settings with { RingMebibytes = 16 }));
        using var listener = other.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Any, 5000));
            socket.Listen();
            return socket;
        });
        _lab.Inside(() =>
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect("198.51.100.2", 5000);
            using var server = listener.Accept();
            var sending = Task.Run(() => client.Send(new byte[Bytes]));
            var received = 0;
            var buffer = new byte[1 << 20];
            while (received < Bytes)
            {
                received += server.Receive(buffer);
            }

            Assert.Equal(Bytes, sending.Result);
        });

        var seen = new List<PacketHeader>();
        ReadAll(capture, seen, int.MaxValue);
        var segments = seen.Where(h => h.DestinationPort == 5000 && h.PayloadLength > 0).ToList();

        Assert.Equal(0, capture.Interfaces[0].Statistics.Drops);
        Assert.InRange(seen.Max(h => h.WireLength), 1000, 1514);
        Assert.Equal(Bytes, segments.DistinctBy(h => h.Sequence).Sum(h => h.PayloadLength));
        Assert.True(seen.Count > capture.Interfaces[0].Statistics.Frames, "The kernel merged nothing, so this test shows nothing.");
    }

    [Theory]
    [InlineData(true, "1")]
    [InlineData(false, "0")]
    public void Frames_for_others_are_asked_for_while_reading_when_told_so(bool promiscuous, string expected)
    {
        _lab.Inside(() =>
        {
            string Promiscuity() => _lab.Ip("-d", "link", "show", "dev", "b").Split("promiscuity ")[1].Split(' ')[0];
            using (var capture = LiveCapture.Open(s_settings with { Promiscuous = promiscuous }))
            {
                Assert.Equal(expected, Promiscuity());
                using var sender = new FrameSender("a");
                sender.Send(TestFrames.Udp4(1, 2, new byte[20]));
                Assert.Equal(1, ReadUntilQuiet(capture));
            }

            Assert.Equal("0", Promiscuity());
        });
    }

    [Fact]
    public void Readers_of_a_fan_out_share_the_frames_and_each_flow_stays_with_one()
    {
        _lab.Inside(() =>
        {
            var captures = LiveCapture.OpenFanOut(s_settings, readers: 3);
            try
            {
                using var sender = new FrameSender("a");
                for (var i = 0; i < 6000; i++)
                {
                    // The length tells the flow: 60 flows of 100 frames.
                    Assert.True(sender.Send(TestFrames.Udp4(1000 + (i % 60), 53, new byte[20 + (i % 60)])));
                }

                var readers = captures.Select(capture =>
                {
                    var seen = new List<PacketHeader>();
                    ReadAll(capture, seen, int.MaxValue);
                    return seen;
                }).ToList();

                Assert.Equal(6000, readers.Sum(seen => seen.Count));
                Assert.All(readers, seen => Assert.NotEmpty(seen));
                Assert.All(readers.SelectMany(seen => seen.GroupBy(h => h.WireLength)), flow => Assert.Equal(100, flow.Count()));
            }
            finally
            {
                foreach (var capture in captures)
                {
                    capture.Dispose();
                }
            }
        });
    }

    [Fact]
    public void Several_interfaces_are_read_together_and_counted_apart()
    {
        _lab.AddCable("c", "d");
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings with { Interfaces = ["b", "d"] });
            using var a = new FrameSender("a");
            using var c = new FrameSender("c");
            for (var i = 0; i < 300; i++)
            {
                a.Send(TestFrames.Udp4(1, 2, new byte[20]));
                if (i % 3 == 0)
                {
                    c.Send(TestFrames.Udp4(1, 2, new byte[30]));
                }
            }

            Assert.Equal(400, ReadUntilQuiet(capture));
            Assert.Equal([("b", 300L), ("d", 100L)], capture.Interfaces.Select(i => (i.Name, i.Statistics.Frames)));
        });
    }

    [Fact]
    public void An_interface_that_goes_down_and_up_again_is_told_and_read_on()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            _lab.Ip("link", "set", "dev", "b", "down");
            capture.Read(new PacketHeader[1], timeoutMilliseconds: 0);
            capture.Read(new PacketHeader[1], timeoutMilliseconds: 1);
            Assert.Equal((InterfaceState.Down, 1), (capture.Interfaces[0].State, capture.Interfaces[0].Outages));

            _lab.Ip("link", "set", "dev", "b", "up");
            SendUntilSeen(capture);

            Assert.Equal((InterfaceState.Up, 1), (capture.Interfaces[0].State, capture.Interfaces[0].Outages));
        });
    }

    [Fact]
    public void An_interface_that_is_plugged_out_and_in_again_is_told_and_read_on()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            _lab.Ip("link", "del", "dev", "b");
            capture.Read(new PacketHeader[1], timeoutMilliseconds: 1);
            Assert.Equal((InterfaceState.Gone, 1), (capture.Interfaces[0].State, capture.Interfaces[0].Outages));

            _lab.AddCable();
            SendUntilSeen(capture);

            Assert.Equal((InterfaceState.Up, 1), (capture.Interfaces[0].State, capture.Interfaces[0].Outages));
        });
    }

    [Fact]
    public void A_waiting_reader_of_an_interface_that_is_down_does_not_spin()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            _lab.Ip("link", "set", "dev", "b", "down");
            var begin = Stopwatch.GetTimestamp();
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(0, capture.Read(new PacketHeader[1], timeoutMilliseconds: 100));
            }

            Assert.True(Stopwatch.GetElapsedTime(begin) > TimeSpan.FromMilliseconds(150));
        });
    }

    [Fact]
    public void Nothing_is_sent_on_the_interface()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            using var sender = new FrameSender("a");
            for (var i = 0; i < 100; i++)
            {
                sender.Send(TestFrames.Udp4(1, 2, new byte[20]));
            }

            Assert.Equal(100, ReadUntilQuiet(capture));
        });

        Assert.Equal(100, _lab.Counter("b", "rx_packets"));
        Assert.Equal(0, _lab.Counter("b", "tx_packets"));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 50)]
    public void What_the_machine_itself_sends_is_seen_when_told_so(bool outgoing, int expected)
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings with { Outgoing = outgoing });
            using var sender = new FrameSender("b", pastQueue: false);
            for (var i = 0; i < 50; i++)
            {
                Assert.True(sender.Send(TestFrames.Udp4(1, 2, new byte[20])));
            }

            Assert.Equal(expected, ReadUntilQuiet(capture));
        });
    }

    [Fact]
    public void Each_fault_has_its_kind_and_says_what_to_do()
    {
        _lab.AddCable("down0", "down1");
        _lab.Ip("link", "set", "dev", "down0", "down");
        CaptureException Fault(string name) => Assert.Throws<CaptureException>(() => LiveCapture.Open(s_settings with { Interfaces = [name] }).Dispose());

        var none = _lab.Inside(() => Fault("nosuch0"));
        var down = _lab.Inside(() => Fault("down0"));
        var forbidden = _lab.InsideWithoutPrivileges(() => Fault("b"));

        Assert.Equal((CaptureFault.NoSuchInterface, "nosuch0"), (none.Fault, none.Interface));
        Assert.Equal(CaptureFault.InterfaceDown, down.Fault);
        Assert.Contains("ip link set down0 up", down.Message, StringComparison.Ordinal);
        Assert.Equal(CaptureFault.NotPermitted, forbidden.Fault);
        Assert.Contains("setcap cap_net_raw+ep", forbidden.Message, StringComparison.Ordinal);
        Assert.Equal(CaptureFault.NoSuchInterface, _lab.Inside(() => Fault("a name that is far too long")).Fault);
    }

    [Theory]
    [InlineData("RingMebibytes")]
    [InlineData("BlockKibibytes")]
    [InlineData("SnapLength")]
    [InlineData("Interfaces")]
    public void Settings_out_of_range_are_named(string key)
    {
        var wrong = key switch
        {
            "RingMebibytes" => s_settings with { RingMebibytes = 65 },
            "BlockKibibytes" => s_settings with { BlockKibibytes = 100 },
            "SnapLength" => s_settings with { SnapLength = 10 },
            _ => s_settings with { Interfaces = ["b", "b"] },
        };

        var fault = Assert.Throws<ArgumentException>(() => LiveCapture.Open(wrong).Dispose());

        Assert.StartsWith(key, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        _lab.Inside(() =>
        {
            using var capture = LiveCapture.Open(s_settings);
            using var sender = new FrameSender("a");
            var frame = TestFrames.Udp4(1, 2, new byte[20]);
            var batch = new PacketHeader[32];
            for (var round = 0; round < 2; round++)
            {
                for (var i = 0; i < 500; i++)
                {
                    sender.Send(frame);
                }

                var before = GC.GetAllocatedBytesForCurrentThread();
                var seen = 0;
                for (var read = capture.Read(batch, 200); read > 0; read = capture.Read(batch, 200))
                {
                    seen += read;
                }

                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.Equal(500, seen);
                Assert.True(round == 0 || allocated == 0, allocated.ToString(CultureInfo.InvariantCulture));
            }
        });
    }

    private static void ReadAll(LiveCapture capture, List<PacketHeader> into, int until)
    {
        var batch = new PacketHeader[32];
        while (into.Count < until)
        {
            var read = capture.Read(batch, timeoutMilliseconds: 300);
            if (read == 0)
            {
                break;
            }

            into.AddRange(batch.AsSpan(0, read));
        }
    }

    private static long ReadUntilQuiet(LiveCapture capture)
    {
        var seen = new List<PacketHeader>();
        ReadAll(capture, seen, int.MaxValue);
        return seen.Count;
    }

    /// <summary>The other end has its carrier back a moment after the interface is up.</summary>
    private static void SendUntilSeen(LiveCapture capture)
    {
        using var sender = new FrameSender("a");
        var begin = Stopwatch.GetTimestamp();
        do
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), "Nothing was seen after the interface came up.");
            sender.Send(TestFrames.Udp4(1, 2, new byte[20]));
        }
        while (capture.Read(new PacketHeader[32], timeoutMilliseconds: 50) == 0);
    }
}
