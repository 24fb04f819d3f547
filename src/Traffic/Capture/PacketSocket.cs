using System.Globalization;
using System.Runtime.InteropServices;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Capture;

/// <summary>A packet socket with its ring, bound to one interface. It can only receive: nothing here sends. One thread at a time.</summary>
internal sealed unsafe class PacketSocket : IDisposable
{
    private const int ProtectionReadWrite = 3;
    private const int MapShared = 1;
    private const uint FrameSize = 2048;

    private readonly string _name;
    private readonly bool _promiscuous;
    private int _index;

    private PacketSocket(string name, int descriptor, LinkType link, bool promiscuous)
    {
        _name = name;
        _promiscuous = promiscuous;
        Descriptor = descriptor;
        Link = link;
    }

    internal int Descriptor { get; private set; }

    internal LinkType Link { get; }

    /// <summary>Blocks of the ring.</summary>
    internal int Blocks { get; private set; }

    internal int BlockSize { get; private set; }

    internal byte* Ring { get; private set; }

    /// <summary>Whether each frame has a struct virtio_net_hdr before it that tells how the kernel merged segments.</summary>
    internal bool TellsMerged { get; private set; }

    /// <summary>Opens a socket on an interface. Frames are cut and counted from the first one on: the socket listens to nothing until filter and ring are set. Throws <see cref="CaptureException"/>.</summary>
    /// <param name="name">Interface.</param>
    /// <param name="settings">How to read.</param>
    /// <param name="fanOutGroup">Number that those share whose sockets on one interface share the frames; null for a socket that gets all.</param>
    internal static PacketSocket Open(string name, CaptureSettings settings, ushort? fanOutGroup)
    {
        var probe = Socket(name, Kernel.SocketRaw);
        LinkType link;
        bool withoutLayer2;
        try
        {
            if (InterfaceQuery.IsUp(probe, name) is not { } up)
            {
                throw new CaptureException(CaptureFault.NoSuchInterface, name);
            }

            (link, withoutLayer2) = InterfaceQuery.Link(probe, name);
            if (!up)
            {
                throw new CaptureException(CaptureFault.InterfaceDown, name);
            }
        }
        finally
        {
            _ = Kernel.Close(probe);
        }

        var socket = new PacketSocket(name, Socket(name, withoutLayer2 ? Kernel.SocketDatagram : Kernel.SocketRaw), link, settings.Promiscuous);
        try
        {
            socket.Attach(link == LinkType.Ethernet ? HeaderFilter.Ethernet(settings.SnapLength) : HeaderFilter.Cut(settings.SnapLength));
            socket.MakeRing(settings);
            if (!settings.Outgoing)
            {
                // Kernels before 4.20 do not know the option; the reader leaves such frames out too.
                _ = socket.TrySet(Kernel.IgnoreOutgoing, 1);
            }

            if (!socket.Bind())
            {
                throw socket.Refused("bind", Marshal.GetLastPInvokeError());
            }

            if (fanOutGroup is { } group)
            {
                // A group belongs to one interface for good, so one that comes back has another group.
                socket.Set(Kernel.FanOut, (ushort)(group + socket._index) | (Kernel.FanOutHash << 16), "PACKET_FANOUT");
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Binds to the interface that has the name now; false when there is none. Not for a socket of a group: the kernel lets it be bound once only.</summary>
    internal bool Bind()
    {
        var index = (int)Kernel.InterfaceIndex(_name);
        if (index == 0)
        {
            return false;
        }

        var address = new Kernel.LinkAddress { Family = Kernel.AddressFamilyPacket, Protocol = Kernel.NetworkOrder(Kernel.EveryProtocol), Index = index };
        if (Kernel.Bind(Descriptor, &address, (uint)sizeof(Kernel.LinkAddress)) < 0)
        {
            return false;
        }

        _index = index;
        if (_promiscuous)
        {
            var membership = new Kernel.Membership { Index = _index, Type = Kernel.MembershipPromiscuous };
            if (Kernel.SetOption(Descriptor, Kernel.LevelPacket, Kernel.AddMembership, &membership, (uint)sizeof(Kernel.Membership)) < 0)
            {
                throw Refused("PACKET_ADD_MEMBERSHIP", Marshal.GetLastPInvokeError());
            }
        }

        return true;
    }

    /// <summary>Takes the socket's pending error away, so that waiting waits again, and says what became of the interface.</summary>
    internal InterfaceState State()
    {
        int error;
        uint length = sizeof(int);
        _ = Kernel.GetOption(Descriptor, Kernel.LevelSocket, Kernel.SocketError, &error, &length);
        if (InterfaceQuery.IsUp(Descriptor, _name) is not { } up || Kernel.InterfaceIndex(_name) != _index)
        {
            return InterfaceState.Gone;
        }

        return up ? InterfaceState.Up : InterfaceState.Down;
    }

    /// <summary>What the kernel counted since it was last asked.</summary>
    internal CaptureStatistics TakeStatistics()
    {
        Kernel.RingStatistics counted = default;
        var length = (uint)sizeof(Kernel.RingStatistics);
        return Kernel.GetOption(Descriptor, Kernel.LevelPacket, Kernel.Statistics, &counted, &length) < 0
            ? throw Refused("PACKET_STATISTICS", Marshal.GetLastPInvokeError())
            : new(counted.Packets - counted.Drops, counted.Drops, counted.Freezes);
    }

    public void Dispose()
    {
        if (Ring != null)
        {
            _ = Kernel.Unmap(Ring, (nuint)Blocks * (nuint)BlockSize);
            Ring = null;
        }

        if (Descriptor >= 0)
        {
            _ = Kernel.Close(Descriptor);
            Descriptor = -1;
        }
    }

    private static int Socket(string name, int kind)
    {
        var descriptor = Kernel.Socket(Kernel.AddressFamilyPacket, kind | Kernel.CloseOnExec, 0);
        if (descriptor >= 0)
        {
            return descriptor;
        }

        var error = Marshal.GetLastPInvokeError();
        throw error is Kernel.NotPermitted or Kernel.AccessDenied
            ? new CaptureException(CaptureFault.NotPermitted, name)
            : new CaptureException(CaptureFault.Refused, name, Detail("socket", error));
    }

    private static string Detail(string call, int error) =>
        string.Create(CultureInfo.InvariantCulture, $"{call}: {Marshal.GetPInvokeErrorMessage(error)} ({error})");

    private void Attach(HeaderFilter.Instruction[] program)
    {
        fixed (HeaderFilter.Instruction* instructions = program)
        {
            var filter = new Kernel.FilterProgram { Length = (ushort)program.Length, Instructions = instructions };
            if (Kernel.SetOption(Descriptor, Kernel.LevelSocket, Kernel.AttachFilter, &filter, (uint)sizeof(Kernel.FilterProgram)) < 0)
            {
                throw Refused("SO_ATTACH_FILTER", Marshal.GetLastPInvokeError());
            }
        }
    }

    private void MakeRing(CaptureSettings settings)
    {
        Set(Kernel.Version, Kernel.VersionThree, "PACKET_VERSION");
        TellsMerged = TrySet(Kernel.VirtualNetHeader, 1);
        BlockSize = settings.BlockKibibytes * 1024;
        var blocks = settings.RingMebibytes * 1024 / settings.BlockKibibytes;
        var request = new Kernel.RingRequest
        {
            BlockSize = (uint)BlockSize,
            Blocks = (uint)blocks,
            FrameSize = FrameSize,
            Frames = (uint)BlockSize / FrameSize * (uint)blocks,
            RetireMilliseconds = (uint)settings.RetireMilliseconds,
        };
        var made = TrySetRing(request);
        if (!made && TellsMerged && Marshal.GetLastPInvokeError() == Kernel.Invalid)
        {
            // Kernels before 4.6 have either a ring or that header.
            _ = TrySet(Kernel.VirtualNetHeader, 0);
            TellsMerged = false;
            made = TrySetRing(request);
        }

        if (!made)
        {
            throw Refused("PACKET_RX_RING", Marshal.GetLastPInvokeError());
        }

        var size = (nuint)blocks * (nuint)BlockSize;
        var ring = Kernel.Map(null, size, ProtectionReadWrite, MapShared, Descriptor, 0);
        if ((nint)ring == -1)
        {
            throw Refused("mmap", Marshal.GetLastPInvokeError());
        }

        Ring = ring;
        Blocks = blocks;
    }

    private bool TrySetRing(Kernel.RingRequest request) =>
        Kernel.SetOption(Descriptor, Kernel.LevelPacket, Kernel.ReceiveRing, &request, (uint)sizeof(Kernel.RingRequest)) == 0;

    private bool TrySet(int option, int value) => Kernel.SetOption(Descriptor, Kernel.LevelPacket, option, &value, sizeof(int)) == 0;

    private void Set(int option, int value, string call)
    {
        if (!TrySet(option, value))
        {
            throw Refused(call, Marshal.GetLastPInvokeError());
        }
    }

    private CaptureException Refused(string call, int error) => error switch
    {
        Kernel.NotPermitted or Kernel.AccessDenied => new(CaptureFault.NotPermitted, _name),
        Kernel.NoMemory => new(CaptureFault.NoMemory, _name),
        Kernel.NoDevice => new(CaptureFault.NoSuchInterface, _name),
        _ => new(CaptureFault.Refused, _name, Detail(call, error)),
    };
}
