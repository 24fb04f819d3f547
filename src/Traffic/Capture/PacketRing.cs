using System.Runtime.CompilerServices;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Capture;

/// <summary>
/// Reads headers straight from the memory that it shares with the kernel (TPACKET_V3). A block goes back to the kernel as soon as its last frame is parsed; no byte of a frame is copied.
/// One thread at a time.
/// </summary>
internal sealed unsafe class PacketRing : IDisposable
{
    private const int FrameHeaderSize = 48;
    private const int PacketTypeOffset = FrameHeaderSize + 10;
    private const int MergedHeaderSize = 10;

    private readonly CaptureSettings _settings;
    private readonly ushort? _fanOutGroup;
    private readonly bool _outgoing;
    private PacketSocket _socket;
    private byte* _block;
    private byte* _frame;
    private uint _left;
    private int _next;
    private MergedSegments _merged;
    private CaptureStatistics _counted;
    private InterfaceState _state = InterfaceState.Up;
    private int _outages;
    private long _lastFrame;

    internal PacketRing(string name, CaptureSettings settings, ushort? fanOutGroup)
    {
        Name = name;
        _settings = settings;
        _fanOutGroup = fanOutGroup;
        _outgoing = settings.Outgoing;
        _socket = PacketSocket.Open(name, settings, fanOutGroup);
    }

    internal string Name { get; }

    internal int Descriptor => _socket.Descriptor;

    internal bool IsUp => _state == InterfaceState.Up;

    /// <summary>The whole shared memory, for the test that looks for payload in it.</summary>
    internal ReadOnlySpan<byte> Memory => new(_socket.Ring, _socket.Blocks * _socket.BlockSize);

    /// <summary>Parses what is there, at most a batch, without waiting.</summary>
    internal int Take(Span<PacketHeader> batch)
    {
        var taken = 0;
        while (taken < batch.Length)
        {
            if (_merged.Left > 0)
            {
                _merged.Next(ref batch[taken++]);
                continue;
            }

            if (_left == 0 && !OpenBlock())
            {
                break;
            }

            if (_left > 0)
            {
                taken += Parse(ref batch[taken]);
            }
        }

        // The block goes back together with its last frame, not at the next call.
        if (_left == 0)
        {
            Release();
        }

        return taken;
    }

    /// <summary>To be called when waiting ended with an error, and now and then while the interface is not up.</summary>
    internal void Look()
    {
        var state = _socket.State();
        if (state == InterfaceState.Gone && (_fanOutGroup is null ? _socket.Bind() : Reopen()))
        {
            state = _socket.State();
            Went(InterfaceState.Gone);
        }

        Went(state);
    }

    internal CapturedInterface Describe()
    {
        _counted += _socket.TakeStatistics();
        return new(Name, _state, _outages, _lastFrame == 0 ? null : _lastFrame, _counted);
    }

    public void Dispose() => _socket.Dispose();

    // What was in the old ring was read: looking is for those who find nothing to read.
    private bool Reopen()
    {
        try
        {
            var socket = PacketSocket.Open(Name, _settings, _fanOutGroup);
            _counted += _socket.TakeStatistics();
            _socket.Dispose();
            _socket = socket;
            _next = 0;
            return true;
        }
        catch (CaptureException)
        {
            // Not there yet, or not up: it stays away and is looked at again.
            return false;
        }
    }

    private void Went(InterfaceState state)
    {
        if (_state == InterfaceState.Up && state != InterfaceState.Up)
        {
            _outages++;
        }

        _state = state;
    }

    private bool OpenBlock()
    {
        Release();
        var block = _socket.Ring + ((nint)_next * _socket.BlockSize);
        var header = (Kernel.BlockHeader*)block;
        if ((Volatile.Read(ref header->Status) & Kernel.StatusUser) == 0)
        {
            return false;
        }

        _block = block;
        _frame = block + header->FirstPacket;
        _left = header->Packets;
        _next = _next + 1 == _socket.Blocks ? 0 : _next + 1;
        return true;
    }

    private void Release()
    {
        if (_block != null)
        {
            Volatile.Write(ref ((Kernel.BlockHeader*)_block)->Status, 0);
            _block = null;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Parse(ref PacketHeader into)
    {
        var start = _frame;
        var frame = (Kernel.FrameHeader*)start;
        _left--;
        _frame += frame->Next;
        if (!_outgoing && start[PacketTypeOffset] == Kernel.PacketOutgoing)
        {
            return 0;
        }

        var data = start + frame->Mac;
        var time = (frame->Seconds * 1_000_000_000L) + frame->Nanoseconds;
        HeaderParser.Parse(new(data, (int)frame->Captured), _socket.Link, (int)frame->Length, time, out into);
        _lastFrame = time;
        if ((frame->Status & Kernel.StatusTagValid) != 0)
        {
            // The kernel takes the outer tag off the frame. A tag that is still there was the inner one.
            into.InnerVlan = into.Vlan;
            into.Vlan = (ushort)(frame->Tag & 0xFFF);
            into.WireLength += 4;
        }

        if (_socket.TellsMerged && ((Kernel.MergedHeader*)(data - MergedHeaderSize))->SegmentSize is var size and not 0)
        {
            _merged = MergedSegments.Of(into, size);
            if (_merged.Left > 0)
            {
                _merged.Next(ref into);
            }
        }

        return 1;
    }
}
