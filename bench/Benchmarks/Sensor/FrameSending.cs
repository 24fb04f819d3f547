using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The process that sends frames on an interface at a rate, past the interface's queue.</summary>
internal static unsafe partial class FrameSending
{
    private const int Batch = 32;
    private const int PacketFamily = 17;
    private const int Raw = 3;
    private const int PacketLevel = 263;
    private const int QueueBypass = 20;

    public static int Run(string load, string interfaceName, double rate, double seconds)
    {
        var frames = Frames.Of(load);
        var socket = Open(interfaceName);
        var vectors = stackalloc Vector[Batch];
        var messages = stackalloc Message[Batch];
        new Span<Message>(messages, Batch).Clear();
        for (var i = 0; i < Batch; i++)
        {
            messages[i].Vectors = vectors + i;
            messages[i].VectorCount = 1;
        }

        Console.Out.WriteLine("ready");
        if (Console.In.ReadLine() is null)
        {
            return 1;
        }

        var cpu = Environment.CpuUsage.TotalTime;
        var begun = TimeProvider.System.GetUtcNow();
        long sent = 0, refused = 0, bytes = 0;
        var next = 0;
        var clock = Stopwatch.StartNew();
        for (var now = 0.0; now < seconds; now = clock.Elapsed.TotalSeconds)
        {
            var ahead = (sent + refused) - (now * rate);
            if (rate > 0 && ahead > 0)
            {
                if (ahead / rate > 200e-6)
                {
                    _ = Sleep(100);
                }

                continue;
            }

            for (var i = 0; i < Batch; i++)
            {
                vectors[i].Begin = frames.Begin(next);
                vectors[i].Length = (nuint)frames.Length(next);
                next = next + 1 == frames.Count ? 0 : next + 1;
            }

            for (var done = 0; done < Batch;)
            {
                var took = Math.Max(0, SendMessages(socket, messages + done, (uint)(Batch - done), 0));
                for (var i = done; i < done + took; i++)
                {
                    bytes += (long)vectors[i].Length;
                }

                sent += took;
                done += took;
                if (took == 0)
                {
                    refused++;
                    done++;
                }
            }
        }

        SensorProcess.Tell(
            ("sent", sent), ("refused", refused), ("sent_bytes", bytes), ("seconds", clock.Elapsed.TotalSeconds),
            ("begun", begun.ToUnixTimeMilliseconds()), ("cpu", (Environment.CpuUsage.TotalTime - cpu).TotalSeconds), ("ended", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()));
        return 0;
    }

    private static int Open(string interfaceName)
    {
        var socket = Socket(PacketFamily, Raw, 0);
        var address = new Address { Family = PacketFamily, Index = (int)InterfaceIndex(interfaceName) };
        var one = 1;
        if (socket < 0 || Bind(socket, &address, (uint)sizeof(Address)) < 0 || SetOption(socket, PacketLevel, QueueBypass, &one, sizeof(int)) < 0)
        {
            throw new InvalidOperationException($"{interfaceName}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        return socket;
    }

    /// <summary>struct sockaddr_ll.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 20)]
    private struct Address
    {
        public ushort Family;
        public ushort Protocol;
        public int Index;
    }

    /// <summary>struct iovec.</summary>
    private struct Vector
    {
        public byte* Begin;
        public nuint Length;
    }

    /// <summary>struct mmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Message
    {
        public void* Name;
        public ulong NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "sendmmsg")]
    private static partial int SendMessages(int descriptor, Message* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int Sleep(uint microseconds);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint InterfaceIndex(string name);
}
