using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Capture;

/// <summary>The calls of the kernel that a packet socket needs, and their numbers (linux/if_packet.h, linux/if.h, linux/filter.h).</summary>
internal static partial class Kernel
{
    internal const int AddressFamilyPacket = 17;
    internal const int SocketRaw = 3;
    internal const int SocketDatagram = 2;
    internal const int CloseOnExec = 0x80000;
    internal const int EveryProtocol = 3;

    internal const int LevelSocket = 1;
    internal const int SocketError = 4;
    internal const int AttachFilter = 26;

    internal const int LevelPacket = 263;
    internal const int AddMembership = 1;
    internal const int ReceiveRing = 5;
    internal const int Statistics = 6;
    internal const int Version = 10;
    internal const int VirtualNetHeader = 15;
    internal const int FanOut = 18;
    internal const int IgnoreOutgoing = 23;
    internal const int VersionThree = 2;
    internal const ushort MembershipPromiscuous = 1;
    internal const int FanOutHash = 0;
    internal const int PacketOutgoing = 4;

    internal const nint GetFlags = 0x8913;
    internal const nint GetHardwareAddress = 0x8927;
    internal const int FlagUp = 1;

    internal const short PollIn = 1;
    internal const short PollError = 8;

    internal const int NotPermitted = 1;
    internal const int Interrupted = 4;
    internal const int NoMemory = 12;
    internal const int AccessDenied = 13;
    internal const int NoDevice = 19;
    internal const int Invalid = 22;

    internal static ushort NetworkOrder(int value) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((ushort)value) : (ushort)value;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static unsafe partial int SetOption(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    internal static unsafe partial int GetOption(int descriptor, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static unsafe partial int Bind(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static unsafe partial byte* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static unsafe partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static unsafe partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static unsafe partial int Control(int descriptor, nint request, void* argument);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial uint InterfaceIndex(string name);

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>struct sockaddr_ll, 20 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct LinkAddress
    {
        public ushort Family;
        public ushort Protocol;
        public int Index;
        public ushort HardwareType;
        public byte PacketType;
        public byte AddressLength;
        public fixed byte Address[8];
    }

    /// <summary>struct packet_mreq, 16 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Membership
    {
        public int Index;
        public ushort Type;
        public ushort AddressLength;
        public fixed byte Address[8];
    }

    /// <summary>struct tpacket_req3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RingRequest
    {
        public uint BlockSize;
        public uint Blocks;
        public uint FrameSize;
        public uint Frames;
        public uint RetireMilliseconds;
        public uint PrivateSize;
        public uint Features;
    }

    /// <summary>struct tpacket_stats_v3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RingStatistics
    {
        public uint Packets;
        public uint Drops;
        public uint Freezes;
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct FilterProgram
    {
        public ushort Length;
        public void* Instructions;
    }

    /// <summary>struct ifreq, 40 bytes: the name, then what is asked for.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 40)]
    internal unsafe struct InterfaceRequest
    {
        public fixed byte Name[16];
        public ushort Value;
    }

    /// <summary>struct tpacket_block_desc with struct tpacket_hdr_v1.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BlockHeader
    {
        public uint Version;
        public uint PrivateOffset;
        public uint Status;
        public uint Packets;
        public uint FirstPacket;
        public uint Length;
        public ulong Sequence;
    }

    /// <summary>struct tpacket3_hdr up to its padding, 48 bytes with it; struct sockaddr_ll follows.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 48)]
    internal struct FrameHeader
    {
        public uint Next;
        public uint Seconds;
        public uint Nanoseconds;
        public uint Captured;
        public uint Length;
        public uint Status;
        public ushort Mac;
        public ushort Network;
        public uint Hash;
        public uint Tag;
        public ushort TagType;
    }

    internal const uint StatusUser = 1;
    internal const uint StatusTagValid = 1 << 4;

    /// <summary>struct virtio_net_hdr, 10 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    internal struct MergedHeader
    {
        public byte Flags;
        public byte Kind;
        public ushort HeaderLength;
        public ushort SegmentSize;
        public ushort ChecksumStart;
        public ushort ChecksumOffset;
    }
}
