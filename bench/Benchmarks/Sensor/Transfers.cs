using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The two processes that send each other as much over TCP as goes: every other connection carries towards the server, the others from it.</summary>
internal static class Transfers
{
    private const int Port = 5001;
    private const int Buffer = 1 << 18;

    public static int Serve(string address, int connections, double seconds)
    {
        using var listener = new TcpListener(IPAddress.Parse(address), Port);
        listener.Start();
        Console.Out.WriteLine("ready");
        return Run(connections, _ => listener.AcceptSocket(), (at, socket) => ReadOne(socket) == 0 ? Receive(socket) : Send(socket, seconds));
    }

    public static int Connect(string address, int connections, double seconds)
    {
        Console.Out.WriteLine("ready");
        if (Console.In.ReadLine() is null)
        {
            return 1;
        }

        return Run(
            connections,
            _ =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                socket.Connect(IPAddress.Parse(address), Port);
                return socket;
            },
            (at, socket) =>
            {
                // The first byte says which way.
                var down = at % 2;
                socket.Send([(byte)down]);
                return down == 0 ? Send(socket, seconds) : Receive(socket);
            });
    }

    private static int Run(int connections, Func<int, Socket> open, Func<int, Socket, long> carry)
    {
        var sockets = Enumerable.Range(0, connections).Select(open).ToList();
        var clock = Stopwatch.StartNew();
        var received = 0L;
        var threads = sockets.Select((socket, at) => new Thread(() => Interlocked.Add(ref received, carry(at, socket)))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var seconds = clock.Elapsed.TotalSeconds;
        sockets.ForEach(s => s.Dispose());
        SensorProcess.Tell(("received_bytes", received), ("seconds", seconds));
        return 0;
    }

    private static byte ReadOne(Socket socket)
    {
        var one = new byte[1];
        return socket.Receive(one) == 1 ? one[0] : throw new InvalidOperationException("A connection ended before it began.");
    }

    // Bytes that came in until the other side ended; the own side is ended then.
    private static long Receive(Socket socket)
    {
        var buffer = new byte[Buffer];
        var sum = 0L;
        for (var read = socket.Receive(buffer); read > 0; read = socket.Receive(buffer))
        {
            sum += read;
        }

        socket.Shutdown(SocketShutdown.Send);
        return sum;
    }

    private static long Send(Socket socket, double seconds)
    {
        var buffer = new byte[Buffer];
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            socket.Send(buffer);
        }

        // Ended when the other side has all.
        socket.Shutdown(SocketShutdown.Send);
        _ = socket.Receive(buffer);
        return 0;
    }
}
