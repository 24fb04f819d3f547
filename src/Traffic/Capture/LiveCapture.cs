using System.Runtime.InteropServices;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Capture;

/// <summary>
/// Live traffic of one or more interfaces, headers only. Needs CAP_NET_RAW. Sends nothing.
/// One thread at a time; with <see cref="OpenFanOut"/> each capture may have its own thread.
/// </summary>
public sealed class LiveCapture : IDisposable
{
    private const int LookAgainMilliseconds = 500;

    private static int s_groups;

    private readonly PacketRing[] _rings;
    private readonly Kernel.PollEntry[] _entries;
    private int _turn;

    private LiveCapture(CaptureSettings settings, ushort? group)
    {
        var rings = new List<PacketRing>(settings.Interfaces.Count);
        try
        {
            foreach (var name in settings.Interfaces)
            {
                rings.Add(new(name, settings, group));
            }
        }
        catch
        {
            rings.ForEach(ring => ring.Dispose());
            throw;
        }

        _rings = [.. rings];
        _entries = new Kernel.PollEntry[_rings.Length];
    }

    /// <summary>The interfaces and what was counted on each since the capture was opened. To be asked on the thread that reads.</summary>
    public IReadOnlyList<CapturedInterface> Interfaces => [.. _rings.Select(ring => ring.Describe())];

    internal ReadOnlySpan<byte> Memory(int ring) => _rings[ring].Memory;

    /// <summary>Begins to capture. Throws <see cref="CaptureException"/>, and <see cref="ArgumentException"/> for settings that are out of range.</summary>
    public static LiveCapture Open(CaptureSettings settings)
    {
        settings.Check();
        return new(settings, group: null);
    }

    /// <summary>Begins to capture with several readers that share the frames by flow: both directions of a flow come to the same one. Each reader has its own ring on each interface. Throws as <see cref="Open"/>.</summary>
    public static IReadOnlyList<LiveCapture> OpenFanOut(CaptureSettings settings, int readers)
    {
        settings.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(readers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(readers, 64);

        // Numbers of groups are shared by all processes of a network namespace, and the index of the interface is added: processes have to be far apart.
        const int Spread = 40_503;
        var group = (ushort)((Environment.ProcessId + (Interlocked.Increment(ref s_groups) * 64)) * Spread);
        var captures = new List<LiveCapture>(readers);
        try
        {
            for (var i = 0; i < readers; i++)
            {
                captures.Add(new(settings, group));
            }
        }
        catch
        {
            captures.ForEach(capture => capture.Dispose());
            throw;
        }

        return captures;
    }

    /// <summary>
    /// Fills the batch with the headers of frames that came, and says how many; waits for the first one at most <paramref name="timeoutMilliseconds"/>.
    /// Frames of one interface come in their order, those of several interfaces nearly so.
    /// An interface that goes down is no error: <see cref="Interfaces"/> tells it, and reading goes on when it is up again.
    /// </summary>
    public int Read(Span<PacketHeader> batch, int timeoutMilliseconds)
    {
        var read = Take(batch);
        var left = timeoutMilliseconds;
        while (read == 0 && left >= 0)
        {
            // While an interface is away the kernel has no news for us: look now and then.
            var wait = Array.TrueForAll(_rings, ring => ring.IsUp) ? left : Math.Min(left, LookAgainMilliseconds);
            Wait(wait);
            read = Take(batch);
            left -= Math.Max(wait, 1);
        }

        return read;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var ring in _rings)
        {
            ring.Dispose();
        }
    }

    private int Take(Span<PacketHeader> batch)
    {
        var taken = 0;
        for (var i = 0; i < _rings.Length && taken < batch.Length; i++)
        {
            taken += _rings[_turn].Take(batch[taken..]);
            _turn = _turn + 1 == _rings.Length ? 0 : _turn + 1;
        }

        return taken;
    }

    private unsafe void Wait(int timeoutMilliseconds)
    {
        for (var i = 0; i < _rings.Length; i++)
        {
            _entries[i] = new() { Descriptor = _rings[i].Descriptor, Events = Kernel.PollIn | Kernel.PollError };
        }

        fixed (Kernel.PollEntry* entries = _entries)
        {
            if (Kernel.Poll(entries, (nuint)_entries.Length, timeoutMilliseconds) < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error != Kernel.Interrupted)
                {
                    throw new CaptureException(CaptureFault.Refused, _rings[0].Name, $"poll: {Marshal.GetPInvokeErrorMessage(error)}");
                }
            }
        }

        for (var i = 0; i < _rings.Length; i++)
        {
            if ((_entries[i].Returned & ~Kernel.PollIn) != 0 || !_rings[i].IsUp)
            {
                _rings[i].Look();
            }
        }
    }
}
