using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>Frames that are sent over and over, one behind the other in memory that does not move.</summary>
internal sealed unsafe class Frames
{
    public const string Factory = "factory";
    public const string Synthetic = "synthetic";
    public const int LongestFrame = 1514;

    private const int ShortestFrame = 60;
    private const int EthernetSize = 14;
    private const int MostBytes = 400 << 20;
    private const int Flows = 100_000;
    private const int FactoryDevices = 108;
    private const int FactorySeconds = 10;
    private const double FactoryMean = 80_000;
    private const double FactoryPeak = 1_400_000;

    // Port, transport, bytes asked, bytes answered.
    private static readonly (ushort Port, bool Tcp, int Up, int Down)[] Talks =
    [
        (502, true, 12, 29), (4840, true, 110, 260), (1883, true, 80, 4), (47808, false, 17, 40), (5683, false, 24, 60), (443, true, 517, 1380), (123, false, 48, 48), (5004, false, 1200, 0),
    ];

    private readonly List<(int Offset, int Length)> _places = [];
    private readonly byte* _bytes;
    private int _size;

    /// <summary>Room for frames of so many bytes in all.</summary>
    public Frames(int bytes) => _bytes = (byte*)NativeMemory.Alloc((nuint)bytes);

    public int Count => _places.Count;

    /// <summary>Frames a second by the load itself; 0 where it does not say.</summary>
    public double Rate { get; init; }

    /// <summary>Bytes of a frame on the average.</summary>
    public double Mean => _places.Average(p => p.Length);

    public byte* Begin(int frame) => _bytes + _places[frame].Offset;

    public int Length(int frame) => _places[frame].Length;

    /// <summary>A load by its name, or the frames of a pcap file, cut to what an Ethernet carries.</summary>
    public static Frames Of(string load) => load switch
    {
        Factory => MakeFactory(),
        Synthetic => MakeSynthetic(),
        _ => Cameras.Of(load) ?? Read(load),
    };

    // 108 devices of eight flows: one at the peak, the others from a fifth of the mean to three times it, so that the mean comes out.
    private static Frames MakeFactory()
    {
        var random = new Random(1);
        var rates = Enumerable.Range(0, FactoryDevices).Select(_ => Math.Exp(random.NextDouble() * 2.7)).ToArray();
        rates[0] = 0;
        var scale = ((FactoryMean * FactoryDevices) - FactoryPeak) / rates.Sum();
        var events = new List<(double At, int Device, int Talk)>();
        for (var device = 0; device < FactoryDevices; device++)
        {
            var share = (device == 0 ? FactoryPeak : rates[device] * scale) / Talks.Length;
            for (var talk = 0; talk < Talks.Length; talk++)
            {
                var period = 8.0 * (Size(Talks[talk].Tcp, Talks[talk].Up) + (Talks[talk].Down > 0 ? Size(Talks[talk].Tcp, Talks[talk].Down) : 0)) / share;
                for (var at = random.NextDouble() * period; at < FactorySeconds; at += period * (0.9 + (0.2 * random.NextDouble())))
                {
                    events.Add((at, device, talk));
                }
            }
        }

        var rate = (events.Count + events.Count(e => Talks[e.Talk].Down > 0)) / (double)FactorySeconds;
        var frames = new Frames(events.Count * 2 * LongestFrame) { Rate = rate };
        foreach (var (_, device, talk) in events.Order())
        {
            var (port, tcp, up, down) = Talks[talk];
            var server = FactoryDevices + (talk % 4);
            var client = (ushort)(40_000 + (device * Talks.Length) + talk);
            frames.Add(device, server, tcp, client, port, up);
            if (down > 0)
            {
                frames.Add(server, device, tcp, port, client, down);
            }
        }

        return frames;
    }

    private static Frames MakeSynthetic()
    {
        var random = new Random(2);
        const int Sent = 5 * Flows;
        var frames = new Frames(Sent * ShortestFrame);
        for (var i = 0; i < Sent; i++)
        {
            var flow = random.Next(Flows);
            var (client, server) = (flow % 2000, 2000 + (flow % 31));
            var (from, to) = ((ushort)(1024 + (flow / 2000)), Talks[flow % Talks.Length].Port);
            if (random.Next(2) == 0)
            {
                frames.Add(client, server, (flow & 1) != 0, from, to, 0);
            }
            else
            {
                frames.Add(server, client, (flow & 1) != 0, to, from, 0);
            }
        }

        return frames;
    }

    private static Frames Read(string path)
    {
        const int FileHeader = 24;
        const int RecordHeader = 16;
        var bytes = (int)Math.Min(new FileInfo(path).Length, MostBytes);
        var frames = new Frames(bytes + LongestFrame);
        var record = new byte[RecordHeader];
        using var file = new BufferedStream(File.OpenRead(path), 1 << 20);
        file.Seek(FileHeader, SeekOrigin.Begin);
        var frame = new byte[1 << 18];
        while (file.ReadAtLeast(record, RecordHeader, throwOnEndOfStream: false) == RecordHeader)
        {
            var captured = (int)BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(8));
            if (captured > frame.Length || file.ReadAtLeast(frame.AsSpan(0, captured), captured, throwOnEndOfStream: false) < captured || frames._size + captured > bytes)
            {
                break;
            }

            if (captured >= EthernetSize)
            {
                var length = Math.Min(captured, LongestFrame);
                frame.AsSpan(0, length).CopyTo(frames.Room(length));
            }
        }

        return frames.Count > 0 ? frames : throw new InvalidOperationException($"{path} holds no frames that could be sent: pcap of Ethernet in the machine's byte order is needed.");
    }

    private static int Size(bool tcp, int payload) => Math.Max(ShortestFrame, EthernetSize + 20 + (tcp ? 20 : 8) + payload);

    private Span<byte> Room(int length)
    {
        _places.Add((_size, length));
        _size += length;
        return new Span<byte>(_bytes + _size - length, length);
    }

    /// <summary>A frame once more.</summary>
    public void Again(int frame) => _places.Add(_places[frame]);

    /// <summary>A frame of IPv4 from a host to another, to the MAC address of a third where that forwards it.</summary>
    public void Add(int from, int to, bool tcp, ushort sourcePort, ushort destinationPort, int payload, int? via = null)
    {
        var frame = Room(Size(tcp, payload));
        frame.Clear();
        Mac(frame, via ?? to);
        Mac(frame[6..], from);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
        var ip = frame[EthernetSize..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + (tcp ? 20 : 8) + payload));
        ip[8] = 64;
        ip[9] = (byte)(tcp ? 6 : 17);
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], 0x0A000000 + (uint)from);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], 0x0A000000 + (uint)to);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..20]));
        var transport = ip[20..];
        BinaryPrimitives.WriteUInt16BigEndian(transport, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(transport[2..], destinationPort);
        if (tcp)
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], (uint)(Count * 7));
            transport[12] = 0x50;
            transport[13] = 0x10;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)(8 + payload));
        }
    }

    // Of RFC 791: a router drops what has a wrong one.
    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        var sum = 0u;
        for (var at = 0; at < header.Length; at += sizeof(ushort))
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[at..]);
        }

        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~((sum & 0xFFFF) + (sum >> 16));
    }

    private static void Mac(Span<byte> at, int host)
    {
        BinaryPrimitives.WriteUInt16BigEndian(at, 0x0200);
        BinaryPrimitives.WriteUInt32BigEndian(at[2..], (uint)host);
    }
}
