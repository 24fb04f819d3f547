namespace Sekisho.Benchmarks.Sensor;

/// <summary>
/// A hundred cameras and their recorder. Each camera sends 4 Mbps in datagrams of 1,200 bytes, as RTP does, evenly; the recorder answers each with a report a second (RTCP), and asks over a TCP
/// connection every ten seconds whether it is still there (RTSP). The frames of the one and of the other are sent from the two sides of the machine between them.
/// </summary>
internal static class Cameras
{
    public const int Count = 100;
    public const double BitsEach = 4e6;

    /// <summary>What the cameras send; the suffix <see cref="Routed"/> where the recorder is behind a router.</summary>
    public const string Load = "cameras";

    /// <summary>What the recorder sends.</summary>
    public const string RecorderLoad = "recorder";

    public const string Routed = "-routed";

    /// <summary>Hosts: the first camera, the recorder, and the router's two sides.</summary>
    public const int First = 0x0101;
    public const int Recorder = 0x0209;
    public const int RouterLeft = 0xFF01;
    public const int RouterRight = 0xFF02;

    private const int Seconds = 10;
    private const int Media = 1200;
    private const int Report = 52;
    private const int Question = 130;
    private const int Answer = 90;
    private const ushort MediaPort = 5004;
    private const ushort ReportPort = 5005;
    private const ushort ControlPort = 554;
    private const ushort RecorderPort = 40_000;

    private static readonly double Interval = Media * 8 / BitsEach;

    /// <summary>MAC of a host, as a number.</summary>
    public static ulong Mac(int host) => 0x0200_0000_0000 + (ulong)host;

    public static Frames? Of(string load) => load switch
    {
        Load => FromCameras(via: null),
        Load + Routed => FromCameras(RouterLeft),
        RecorderLoad => FromRecorder(via: null),
        RecorderLoad + Routed => FromRecorder(RouterRight),
        _ => null,
    };

    private static Frames FromCameras(int? via)
    {
        var perCamera = (int)(Seconds / Interval);
        var frames = new Frames(Count * 2 * Frames.LongestFrame) { Rate = (perCamera + 1.0) * Count / Seconds };
        for (var camera = 0; camera < Count; camera++)
        {
            frames.Add(First + camera, Recorder, tcp: false, (ushort)(MediaPort + (2 * camera)), (ushort)(MediaPort + (2 * camera)), Media, via);
        }

        for (var round = 1; round < perCamera; round++)
        {
            for (var camera = 0; camera < Count; camera++)
            {
                frames.Again(camera);
            }

            // An answer at a time of each camera's own.
            if (round % (perCamera / Count) == 0 && round / (perCamera / Count) <= Count)
            {
                frames.Add(First + (round / (perCamera / Count)) - 1, Recorder, tcp: true, ControlPort, RecorderPort, Answer, via);
            }
        }

        return frames;
    }

    private static Frames FromRecorder(int? via)
    {
        var frames = new Frames(Count * (Seconds + 2) * Frames.LongestFrame) { Rate = Count * (Seconds + 2.0) / Seconds };
        for (var step = 0; step < Count * Seconds; step++)
        {
            var camera = step % Count;
            frames.Add(Recorder, First + camera, tcp: false, (ushort)(ReportPort + (2 * camera)), (ushort)(ReportPort + (2 * camera)), Report, via);
            if (step % Seconds == 0)
            {
                // The question, and what confirms the answer to the one before.
                frames.Add(Recorder, First + (step / Seconds), tcp: true, RecorderPort, ControlPort, Question, via);
                frames.Add(Recorder, First + (step / Seconds), tcp: true, RecorderPort, ControlPort, 0, via);
            }
        }

        return frames;
    }
}
