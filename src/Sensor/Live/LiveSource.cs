using System.Collections.Concurrent;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Headers;

namespace Sekisho.Sensor.Live;

/// <summary>
/// Headers of live frames, from one ring or from several that have a thread each. They come in order within a flow; of several readers one may be ahead of the others
/// by as long as the kernel keeps a block.
/// One thread calls <see cref="Read"/>.
/// </summary>
internal sealed class LiveSource : IDisposable
{
    /// <summary>Longest wait for a frame, in milliseconds.</summary>
    public const int Wait = 200;

    private const int Batch = 256;
    private const int BatchesOfReader = 32;

    private readonly IReadOnlyList<LiveCapture> _captures;
    private readonly IReadOnlyList<CapturedInterface>[] _described;
    private readonly BlockingCollection<(PacketHeader[] Headers, int Count)>? _full;
    private readonly BlockingCollection<PacketHeader[]>? _free;
    private readonly List<Thread> _threads = [];
    private readonly CancellationTokenSource _ended = new();
    private volatile CaptureException? _fault;

    /// <summary>Opens the interfaces. Throws <see cref="CaptureException"/>.</summary>
    public LiveSource(CaptureSettings settings, int readers)
    {
        _captures = readers == 1 ? [LiveCapture.Open(settings)] : LiveCapture.OpenFanOut(settings, readers);
        _described = [.. _captures.Select(c => c.Interfaces)];
        if (readers == 1)
        {
            return;
        }

        // A reader that finds no free batch waits, and the kernel counts what its ring then has no room for.
        _full = new(readers * BatchesOfReader);
        _free = new(readers * BatchesOfReader);
        for (var i = 0; i < readers * BatchesOfReader; i++)
        {
            _free.Add(new PacketHeader[Batch]);
        }

        for (var i = 0; i < readers; i++)
        {
            var reader = i;
            var thread = new Thread(() => Work(reader)) { Name = $"reader {reader}", IsBackground = true };
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>The interfaces with what was counted on each, of all readers together.</summary>
    public IReadOnlyList<CapturedInterface> Interfaces
    {
        get
        {
            if (_full is null)
            {
                return _captures[0].Interfaces;
            }

            return [.. _described[0].Select((own, at) =>
            {
                var all = _described.Select(d => d[at]).ToList();
                return own with { LastFrame = all.Max(i => i.LastFrame), Statistics = all.Aggregate(default(CaptureStatistics), (sum, i) => sum + i.Statistics) };
            })];
        }
    }

    /// <summary>Fills the batch and says how many headers it holds; waits for the first at most <see cref="Wait"/>. Throws <see cref="CaptureException"/>.</summary>
    public int Read(PacketHeader[] batch)
    {
        if (_full is null)
        {
            return _captures[0].Read(batch, Wait);
        }

        if (_fault is { } fault)
        {
            throw new CaptureException(fault.Fault, fault.Interface, fault.Detail);
        }

        if (!_full.TryTake(out var got, Wait))
        {
            return 0;
        }

        got.Headers.AsSpan(0, got.Count).CopyTo(batch);
        _free!.Add(got.Headers);
        return got.Count;
    }

    public void Dispose()
    {
        _ended.Cancel();
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        foreach (var capture in _captures)
        {
            capture.Dispose();
        }

        _full?.Dispose();
        _free?.Dispose();
        _ended.Dispose();
    }

    private void Work(int reader)
    {
        try
        {
            while (!_ended.IsCancellationRequested)
            {
                var headers = _free!.Take(_ended.Token);
                var count = _captures[reader].Read(headers, Wait);
                Volatile.Write(ref _described[reader], _captures[reader].Interfaces);
                if (count > 0)
                {
                    _full!.Add((headers, count), _ended.Token);
                }
                else
                {
                    _free.Add(headers);
                }
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The end.
        }
        catch (CaptureException e)
        {
            // Told by the thread that reads from here.
            _fault = e;
        }
    }
}
