using System.Buffers.Binary;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Tests.Capture;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

/// <summary>Forty seconds of a small plant as frames: host n has the MAC 02:00:00:00:00:n and the addresses 10.0.0.n and fd00::n; what lies beyond comes through the gateway 254.</summary>
internal static class Plant
{
    public const long Begin = 1_700_000_000;

    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const int Fin = 1;
    private const int Syn = 2;
    private const int Reset = 4;
    private const int Push = 8;
    private const int Acknowledgement = 16;

    /// <summary>TCP of every kind of end, UDP, ping, multicast, IPv6; no frame is tagged or padded.</summary>
    public static List<(double Time, byte[] Frame)> Frames()
    {
        var frames = new List<(double Time, byte[] Frame)>();
        Connection(frames, 0.5, 1, 2, 40000, 1883, 35, i => 20 + i);
        Connection(frames, 3.2, 3, 2, 40001, 502, 30, _ => 12);
        Connection(frames, 1.1, 5, 254, 40002, 443, 33, i => 900 + i);
        for (var i = 0; i < 4; i++)
        {
            frames.Add((i + 0.6, Frame(4, 2, 1, [8, 0, 0, 0, 0, 9, 0, (byte)i, .. new byte[40]])));
            frames.Add((i + 0.61, Frame(2, 4, 1, [0, 0, 0, 0, 0, 9, 0, (byte)i, .. new byte[40]])));
            frames.Add((i + 0.7, Frame(6, 251, Udp, Datagram(5353, 5353, new byte[60 + i]))));
            frames.Add((i + 20.8, Frame(3, 1, Udp, Datagram(40003, 5683, new byte[30]), isSix: true)));
            frames.Add((i + 20.9, Frame(1, 3, Udp, Datagram(5683, 40003, new byte[7]), isSix: true)));
        }

        // One is refused, one is never answered.
        frames.Add((5.1, Frame(1, 6, Tcp, Segment(40004, 8080, Syn))));
        frames.Add((5.11, Frame(6, 1, Tcp, Segment(8080, 40004, Reset | Acknowledgement))));
        frames.AddRange(Enumerable.Range(0, 3).Select(i => (6 + Math.Pow(2, i), Frame(4, 7, Tcp, Segment(40005, 102, Syn)))));
        return [.. frames.OrderBy(f => f.Time)];
    }

    /// <summary>The same with what layer 2 adds: tags on some frames, short ones padded to 60 bytes, ARP.</summary>
    public static List<(double Time, byte[] Frame)> WithLayer2()
    {
        var frames = Frames();
        for (var i = 0; i < frames.Count; i++)
        {
            var (time, frame) = frames[i];
            frame = i % 3 == 0 ? [.. frame[..12], 0x81, 0x00, 0x00, 0x07, .. frame[12..]] : frame;
            frames[i] = (time, frame.Length < 60 ? [.. frame, .. new byte[60 - frame.Length]] : frame);
        }

        byte[] asked = [.. Enumerable.Repeat((byte)0xFF, 6), .. Mac(1), 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1, .. Mac(1), 10, 0, 0, 1, .. new byte[6], 10, 0, 0, 2, .. new byte[18]];
        frames.AddRange(Enumerable.Range(0, 5).Select(i => (36.0 + i, asked)));
        return frames;
    }

    public static byte[] Pcap(IEnumerable<(double Time, byte[] Frame)> frames)
    {
        var bytes = new List<byte>();
        foreach (var number in (uint[])[0xA1B2C3D4, 0x00040002, 0, 0, 65535, 1])
        {
            Number(number);
        }

        foreach (var (time, frame) in frames)
        {
            Number((uint)(Begin + (long)time));
            Number((uint)Math.Round((time - Math.Floor(time)) * 1_000_000));
            Number((uint)frame.Length);
            Number((uint)frame.Length);
            bytes.AddRange(frame);
        }

        return [.. bytes];

        void Number(uint value)
        {
            var four = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(four, value);
            bytes.AddRange(four);
        }
    }

    /// <summary>What the sensor sees in a capture.</summary>
    public static List<IntervalFeatures> Observed(byte[] pcap)
    {
        using var file = CaptureFile.Open(new MemoryStream(pcap));
        using var observation = new Observation(new());
        var told = new List<IntervalFeatures>();
        var headers = new PacketHeader[32];
        for (int read; (read = file.Read(headers)) > 0;)
        {
            for (var rest = headers.AsSpan(0, read); (rest = rest[observation.Add(rest)..]).Length > 0;)
            {
                told.Add(observation.Flush());
            }
        }

        told.Add(observation.Flush());
        return told;
    }

    private static void Connection(List<(double Time, byte[] Frame)> frames, double begin, int client, int server, int from, int to, int seconds, Func<int, int> payload)
    {
        uint up = 1, down = 1;
        frames.Add((begin, Frame(client, server, Tcp, Segment(from, to, Syn))));
        frames.Add((begin + 0.001, Frame(server, client, Tcp, Segment(to, from, Syn | Acknowledgement))));
        frames.Add((begin + 0.002, Frame(client, server, Tcp, Segment(from, to, Acknowledgement, up))));
        for (var i = 0; i < seconds; i++)
        {
            frames.Add((begin + i + 0.1, Frame(client, server, Tcp, Segment(from, to, Push | Acknowledgement, up, payload(i)))));
            frames.Add((begin + i + 0.2, Frame(server, client, Tcp, Segment(to, from, Push | Acknowledgement, down, payload(i) / 2))));
            up += (uint)payload(i);
            down += (uint)payload(i) / 2;
        }

        frames.Add((begin + seconds, Frame(client, server, Tcp, Segment(from, to, Fin | Acknowledgement, up))));
        frames.Add((begin + seconds + 0.001, Frame(server, client, Tcp, Segment(to, from, Fin | Acknowledgement, down))));
        frames.Add((begin + seconds + 0.002, Frame(client, server, Tcp, Segment(from, to, Acknowledgement, up + 1))));
    }

    private static byte[] Frame(int from, int to, byte protocol, byte[] content, bool isSix = false)
    {
        byte[] receiver = to == 251 ? [0x01, 0x00, 0x5E, 0, 0, 251] : Mac(to);
        byte[] six = [0x60, 0, 0, 0, .. Two(content.Length), protocol, 64, .. Of($"fd00::{from}"), .. Of($"fd00::{to}"), .. content];
        var four = TestFrames.IPv4(protocol, content);
        Of(Four(from)).CopyTo(four, 12);
        Of(Four(to)).CopyTo(four, 16);
        return [.. receiver, .. Mac(from), .. isSix ? (byte[])[0x86, 0xDD, .. six] : [0x08, 0x00, .. four]];

        static string Four(int host) => host switch { 254 => "198.51.100.7", 251 => "224.0.0.251", _ => $"10.0.0.{host}" };
    }

    private static byte[] Mac(int host) => [2, 0, 0, 0, 0, (byte)host];

    private static byte[] Segment(int from, int to, int flags, uint sequence = 0, int payload = 0) =>
        [.. Two(from), .. Two(to), .. Bytes.Four(sequence), 0, 0, 0, 2, 0x50, (byte)flags, 1, 0, 0, 0, 0, 0, .. new byte[payload]];

    private static byte[] Datagram(int from, int to, byte[] payload) => [.. Two(from), .. Two(to), .. Two(8 + payload.Length), 0, 0, .. payload];
}
