using System.Runtime.InteropServices;
using System.Text;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Tests.Capture;

/// <summary>The kernel itself runs the program here: on a pair of datagram sockets it cuts what is sent as it cuts frames.</summary>
public sealed unsafe partial class HeaderFilterTests : IDisposable
{
    private const int Snap = 192;
    private static readonly byte[] s_payload = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("payload!", 100)));

    private readonly int[] _pair = new int[2];

    public HeaderFilterTests()
    {
        fixed (int* pair = _pair)
        {
            Assert.Equal(0, SocketPair(1, 2, 0, pair));
        }

        var program = HeaderFilter.Ethernet(Snap);
        fixed (HeaderFilter.Instruction* instructions = program)
        {
            var filter = new Kernel.FilterProgram { Length = (ushort)program.Length, Instructions = instructions };
            Assert.Equal(0, Kernel.SetOption(_pair[1], Kernel.LevelSocket, Kernel.AttachFilter, &filter, (uint)sizeof(Kernel.FilterProgram)));
        }
    }

    public void Dispose()
    {
        _ = Kernel.Close(_pair[0]);
        _ = Kernel.Close(_pair[1]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Of_plain_TCP_and_UDP_no_byte_of_payload_is_kept(int tagCount)
    {
        var tags = Enumerable.Repeat(100, tagCount).ToArray();
        var layer2 = 14 + (4 * tagCount);

        Assert.Equal(layer2 + 28, Kept(TestFrames.Udp4(40000, 53, s_payload, tags)));
        Assert.Equal(layer2 + 20 + 20, Kept(TestFrames.Tcp4(40000, 443, 0, s_payload, tags)));
        Assert.Equal(layer2 + 20 + 32, Kept(TestFrames.Tcp4(40000, 443, 12, s_payload, tags)));
        Assert.Equal(layer2 + 20 + 60, Kept(TestFrames.Tcp4(40000, 443, 40, s_payload, tags)));
        Assert.Equal(layer2 + 48, Kept(TestFrames.Udp6(40000, 53, s_payload, tags)));
        Assert.Equal(layer2 + 40 + 32, Kept(TestFrames.Tcp6(40000, 443, 12, s_payload, tags)));
    }

    [Fact]
    public void Options_of_IPv4_and_fragments_keep_their_headers()
    {
        Assert.Equal(14 + 60 + 8, Kept(TestFrames.Ethernet(0x0800, TestFrames.IPv4(17, s_payload, optionBytes: 40))));
        Assert.Equal(14 + 20, Kept(TestFrames.Ethernet(0x0800, TestFrames.IPv4(17, s_payload, fragment: 100))));
        Assert.Equal(14 + 20 + 8, Kept(TestFrames.Ethernet(0x0800, TestFrames.IPv4(17, s_payload, fragment: 0x2000))));
        Assert.Equal(14 + 20 + 8, Kept(TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, s_payload))));
        Assert.Equal(14 + 40 + 8, Kept(TestFrames.Ethernet(0x86DD, TestFrames.IPv6(58, s_payload))));
    }

    [Fact]
    public void Tunnels_and_what_is_not_known_keep_the_snap_length()
    {
        Assert.Equal(Snap, Kept(TestFrames.Udp4(40000, 4789, s_payload)));
        Assert.Equal(Snap, Kept(TestFrames.Udp6(40000, 8472, s_payload)));
        Assert.Equal(Snap, Kept(TestFrames.Ethernet(0x0800, TestFrames.IPv4(47, s_payload))));
        Assert.Equal(Snap, Kept(TestFrames.Ethernet(0x86DD, TestFrames.IPv6(0, s_payload))));
        Assert.Equal(Snap, Kept(TestFrames.Ethernet(0x8847, s_payload)));
        Assert.Equal(Snap, Kept(TestFrames.Udp4(40000, 53, s_payload, 100, 200)));
    }

    [Fact]
    public void A_frame_that_ends_within_its_headers_is_kept_whole()
    {
        foreach (var frame in (byte[][])[TestFrames.Udp4(1, 2, s_payload), TestFrames.Tcp4(1, 2, 12, s_payload), TestFrames.Udp6(1, 2, s_payload), TestFrames.Tcp6(1, 2, 12, s_payload, 7)])
        {
            var headers = Kept(frame);
            for (var length = 1; length < headers; length++)
            {
                Assert.Equal(length, Kept(frame.AsSpan(0, length)));
            }
        }
    }

    [Fact]
    public void No_frame_whatever_its_bytes_is_refused()
    {
        var random = Fuzz.Source(4711);
        byte[][] seeds = [TestFrames.Udp4(1, 2, s_payload), TestFrames.Tcp4(1, 2, 12, s_payload), TestFrames.Udp6(1, 2, s_payload), TestFrames.Tcp6(1, 2, 12, s_payload), TestFrames.Udp4(1, 4789, s_payload, 5), TestFrames.Tcp6(1, 2, 0, s_payload, 5)];
        for (var round = 0; round < Fuzz.Rounds(50_000); round++)
        {
            var seed = seeds[random.Next(seeds.Length)];
            var frame = seed.AsSpan(0, 1 + random.Next(random.Next(2) == 0 ? 100 : seed.Length)).ToArray();
            for (var change = random.Next(6); change > 0; change--)
            {
                frame[random.Next(Math.Min(frame.Length, 80))] = (byte)random.Next(256);
            }

            Assert.InRange(Kept(frame), Math.Min(frame.Length, 34), Math.Min(frame.Length, Snap));
        }
    }

    [Fact]
    public void The_parser_reads_the_same_from_what_is_kept_as_from_the_whole_frame()
    {
        var random = Fuzz.Source(4712);
        var same = 0;
        byte[][] seeds = [TestFrames.Udp4(1, 2, s_payload), TestFrames.Tcp4(1, 2, 12, s_payload), TestFrames.Udp6(1, 2, s_payload), TestFrames.Tcp6(1, 2, 12, s_payload), TestFrames.Udp4(1, 4789, s_payload, 5), TestFrames.Tcp6(1, 2, 0, s_payload, 5), TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, s_payload))];
        for (var round = 0; round < Fuzz.Rounds(50_000); round++)
        {
            var frame = seeds[random.Next(seeds.Length)].ToArray();
            for (var change = random.Next(4); change > 0; change--)
            {
                frame[12 + random.Next(60)] = (byte)random.Next(256);
            }

            var kept = Kept(frame);
            if (kept == Snap)
            {
                continue;
            }

            HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 1, out var whole);
            HeaderParser.Parse(frame.AsSpan(0, kept), LinkType.Ethernet, frame.Length, 1, out var cut);
            Assert.True(Fields(whole) == Fields(cut), $"{Convert.ToHexString(frame.AsSpan(0, 100))} kept {kept}\n{Fields(whole)}\n{Fields(cut)}");
            same++;
        }

        Assert.True(same > 10_000);
    }

    private static string Fields(PacketHeader header) => string.Join(' ', typeof(PacketHeader).GetFields().Select(f => $"{f.Name}={f.GetValue(header)}"));

    private int Kept(ReadOnlySpan<byte> frame)
    {
        const int DoNotWait = 0x40;
        var received = stackalloc byte[2048];
        fixed (byte* begin = frame)
        {
            Assert.Equal(frame.Length, (int)Send(_pair[0], begin, (nuint)frame.Length, DoNotWait));
        }

        return (int)Receive(_pair[1], received, 2048, DoNotWait);
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPair(int family, int type, int protocol, int* pair);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int descriptor, void* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int descriptor, void* bytes, nuint length, int flags);
}
