using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sekisho.Benchmarks;

/// <summary>What the client is to do. Written by the orchestrator to a file, read by the client's own process.</summary>
/// <param name="Port">Loopback port of the server.</param>
/// <param name="Path">Request path.</param>
/// <param name="CaFile">PEM file of the authority to trust.</param>
/// <param name="Devices">Device identifiers and tokens; used in turn.</param>
/// <param name="Connections">Keep-alive connections.</param>
/// <param name="Batch">Messages per request; 1 sends an object, more an array.</param>
/// <param name="MessageBytes">Bytes of one message.</param>
/// <param name="WarmUp">Seconds before counting starts.</param>
/// <param name="Seconds">Seconds that count.</param>
/// <param name="RequestsPerSecond">Open loop at this rate; 0 for closed loop (each connection sends as soon as it has its answer).</param>
internal sealed record LoadPlan(int Port, string Path, string CaFile, IReadOnlyList<LoadDevice> Devices, int Connections, int Batch, int MessageBytes, double WarmUp, double Seconds, double RequestsPerSecond);

internal sealed record LoadDevice(string DeviceId, string Token);

/// <summary>What the client saw. Latencies in milliseconds; in open loop they count from the moment the request was due.</summary>
internal sealed record LoadResult(double RequestsPerSecond, double P50, double P99, long Requests, long Refused, double CpuShare, string? FirstRefusal);

/// <summary>
/// A load generator lean enough not to be the bottleneck: raw TLS connections, prebuilt requests in which only time and sequence change.
/// One task per connection; counters are per connection and added at the end.
/// </summary>
internal static class LoadClient
{
    private const int TimeLength = 24;

    public static async Task<LoadResult> RunAsync(LoadPlan plan)
    {
        var trust = X509CertificateLoader.LoadCertificateFromFile(plan.CaFile);
        var workers = Enumerable.Range(0, plan.Connections).Select(i => new Worker(plan, trust, i)).ToArray();
        await Task.WhenAll(workers.Select(w => w.ConnectAsync()));
        var begin = Stopwatch.GetTimestamp();
        var countFrom = begin + (long)(plan.WarmUp * Stopwatch.Frequency);
        var end = countFrom + (long)(plan.Seconds * Stopwatch.Frequency);
        var cpuBefore = Environment.CpuUsage.TotalTime;
        await Task.WhenAll(workers.Select(w => Task.Run(() => w.RunAsync(begin, countFrom, end))));
        var cpu = (Environment.CpuUsage.TotalTime - cpuBefore).TotalSeconds / (plan.WarmUp + plan.Seconds);
        var latencies = new Histogram();
        foreach (var worker in workers)
        {
            latencies.Add(worker.Latencies);
        }

        return new LoadResult(
            latencies.Count / plan.Seconds,
            latencies.Quantile(0.50),
            latencies.Quantile(0.99),
            latencies.Count,
            workers.Sum(w => w.Refused),
            cpu,
            workers.Select(w => w.FirstRefusal).FirstOrDefault(r => r is not null));
    }

    private sealed class Worker(LoadPlan plan, X509Certificate2 trust, int number)
    {
        private readonly byte[] _answer = new byte[16 * 1024];
        private readonly Request[] _requests = [.. plan.Devices.Where((_, i) => i % plan.Connections == number % plan.Devices.Count).DefaultIfEmpty(plan.Devices[number % plan.Devices.Count]).Select(d => new Request(plan, d))];
        private SslStream _stream = null!;

        public Histogram Latencies { get; } = new();

        public long Refused { get; private set; }

        public string? FirstRefusal { get; private set; }

        public async Task ConnectAsync()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", plan.Port);
            _stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, certificate, _, _) =>
            {
                using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
                chain.ChainPolicy.CustomTrustStore.Add(trust);
                return chain.Build((X509Certificate2)certificate!);
            });
            await _stream.AuthenticateAsClientAsync("localhost");
        }

        public async Task RunAsync(long begin, long countFrom, long end)
        {
            var gap = plan.RequestsPerSecond > 0 ? Stopwatch.Frequency * plan.Connections / plan.RequestsPerSecond : 0;
            var due = begin + (gap * number / plan.Connections);
            for (long turn = 0; ; turn++)
            {
                var now = Stopwatch.GetTimestamp();
                if (gap > 0)
                {
                    if (due > now)
                    {
                        await Task.Delay(TimeSpan.FromSeconds((due - now) / Stopwatch.Frequency), TimeProvider.System);
                    }
                }

                var from = gap > 0 ? (long)due : now;
                if (from >= end)
                {
                    await _stream.DisposeAsync();
                    return;
                }

                var request = _requests[turn % _requests.Length];
                await _stream.WriteAsync(request.Next());
                var status = await ReadAnswerAsync();
                if (status != 202)
                {
                    Refused++;
                    FirstRefusal ??= Encoding.UTF8.GetString(_answer).TrimEnd('\0');
                }
                else if (from >= countFrom)
                {
                    Latencies.Record((Stopwatch.GetTimestamp() - from) * 1000.0 / Stopwatch.Frequency);
                }

                due += gap;
            }
        }

        private async ValueTask<int> ReadAnswerAsync()
        {
            var have = 0;
            while (true)
            {
                var count = await _stream.ReadAsync(_answer.AsMemory(have));
                if (count == 0)
                {
                    throw new IOException("The server closed the connection.");
                }

                have += count;
                var head = _answer.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
                if (head < 0)
                {
                    continue;
                }

                var body = ContentLength(_answer.AsSpan(0, head));
                while (have < head + 4 + body)
                {
                    var more = await _stream.ReadAsync(_answer.AsMemory(have));
                    have += more > 0 ? more : throw new IOException("The server closed the connection within an answer.");
                }

                _ = Utf8Parser.TryParse(_answer.AsSpan(9, 3), out int status, out _);
                return status;
            }
        }

        private static int ContentLength(ReadOnlySpan<byte> head)
        {
            var at = head.IndexOf("Content-Length: "u8);
            return at >= 0 && Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? length : 0;
        }
    }

    /// <summary>One device's request; time and sequence have fixed places.</summary>
    private sealed class Request
    {
        private readonly byte[] _bytes;
        private readonly int[] _times;
        private readonly int[] _sequences;
        private long _sequence;

        public Request(LoadPlan plan, LoadDevice device)
        {
            var message = Message(plan.MessageBytes);
            var body = plan.Batch == 1 ? message : "[" + string.Join(',', Enumerable.Repeat(message, plan.Batch)) + "]";
            var text = string.Create(CultureInfo.InvariantCulture, $"POST {plan.Path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {device.Token}\r\nSekisho-Device: {device.DeviceId}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
            _bytes = Encoding.ASCII.GetBytes(text);
            _times = Places(text, "\"time\":\"");
            _sequences = Places(text, "\"seq\":\"");
        }

        public ReadOnlyMemory<byte> Next()
        {
            Span<byte> now = stackalloc byte[TimeLength];
            TimeProvider.System.GetUtcNow().UtcDateTime.TryFormat(now, out _, "yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            for (var i = 0; i < _times.Length; i++)
            {
                now.CopyTo(_bytes.AsSpan(_times[i]));
                (++_sequence).TryFormat(_bytes.AsSpan(_sequences[i], 10), out _, "D10", CultureInfo.InvariantCulture);
            }

            return _bytes;
        }

        private static string Message(int bytes)
        {
            var head = "{\"time\":\"2026-01-01T00:00:00.000Z\",\"seq\":\"0000000000\",\"mode\":\"on\",\"temperature\":21.5,\"humidity\":48,\"battery\":3.61,\"position\":{\"latitude\":35.6812,\"longitude\":139.7671},\"note\":\"";
            return head + new string('x', bytes - head.Length - 2) + "\"}";
        }

        private static int[] Places(string text, string marker)
        {
            var places = new List<int>();
            for (var at = text.IndexOf(marker, StringComparison.Ordinal); at >= 0; at = text.IndexOf(marker, at + 1, StringComparison.Ordinal))
            {
                places.Add(at + marker.Length);
            }

            return [.. places];
        }
    }
}

/// <summary>Latencies in buckets of 2 % width from 1 µs on. One thread.</summary>
internal sealed class Histogram
{
    private readonly long[] _buckets = new long[1200];

    public long Count { get; private set; }

    public void Record(double milliseconds)
    {
        var index = (int)(Math.Log(Math.Max(milliseconds, 0.001) / 0.001) / Math.Log(1.02));
        _buckets[Math.Clamp(index, 0, _buckets.Length - 1)]++;
        Count++;
    }

    public void Add(Histogram other)
    {
        for (var i = 0; i < _buckets.Length; i++)
        {
            _buckets[i] += other._buckets[i];
        }

        Count += other.Count;
    }

    /// <summary>Upper end of the bucket that holds the quantile, in milliseconds.</summary>
    public double Quantile(double q)
    {
        var left = (long)Math.Ceiling(Count * q);
        for (var i = 0; i < _buckets.Length; i++)
        {
            left -= _buckets[i];
            if (left <= 0)
            {
                return 0.001 * Math.Pow(1.02, i + 1);
            }
        }

        return 0;
    }
}
