using System.Runtime.InteropServices;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Flows;

/// <summary>One flow in three cache lines: who it is, and a line for each direction. A packet touches the first and one of the others.</summary>
/// <remarks>
/// <code>
///   0  A 16 · B 16 · Word 8 · first seen 6 · Flags 2 · MACs 12 · Age 4
///  64  from A: Last 8 · SequenceEnd 4 · Sender 2 · Receiver 2 │ Bytes 4 · five counters of 2 · – 2 · Sizes 8 × 2 · Gaps 8 × 2
/// 128  from B: the same; what stands right of the bar belongs to the interval and is cleared at its end
/// </code>
/// Counters are short and carry over into <see cref="Carries"/>, so that they stay exact at any rate and length of interval.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct FlowEntry
{
    public const int Size = 192;

    public NetAddress A;
    public NetAddress B;

    /// <summary>See <see cref="FlowKey.Word"/>; 0 in an entry that is free.</summary>
    public ulong Word;

    private uint _firstLow;
    private ushort _firstHigh;

    public FlowFlags Flags;

    private uint _macALow;
    private uint _macBLow;
    private ushort _macAHigh;
    private ushort _macBHigh;

    /// <summary>When the last packet came, in units of 2^30 nanoseconds.</summary>
    public uint Age;

    public FlowDirection FromA;
    public FlowDirection FromB;

    /// <summary>In milliseconds since 1970.</summary>
    public long First
    {
        readonly get => ((long)_firstHigh << 32) | _firstLow;
        set
        {
            _firstLow = (uint)value;
            _firstHigh = (ushort)(value >> 32);
        }
    }

    public ulong MacA
    {
        readonly get => ((ulong)_macAHigh << 32) | _macALow;
        set
        {
            _macALow = (uint)value;
            _macAHigh = (ushort)(value >> 32);
        }
    }

    public ulong MacB
    {
        readonly get => ((ulong)_macBHigh << 32) | _macBLow;
        set
        {
            _macBLow = (uint)value;
            _macBHigh = (ushort)(value >> 32);
        }
    }

    public readonly int EtherType => (ushort)(Word >> 16);

    /// <summary>Whether the ends are addresses of IP; else they are MACs (an EtherType of IP alone does not make a readable header).</summary>
    public readonly bool HasIp => (Word & FlowKey.WithoutIp) == 0;

    public readonly byte Protocol => (byte)(Word >> 8);

    public readonly ushort PortA => (ushort)(Word >> 48);

    public readonly ushort PortB => (ushort)(Word >> 32);

    /// <summary>0 where A is the client, 1 where B is.</summary>
    public int Client
    {
        readonly get => (Flags & FlowFlags.ClientIsB) != 0 ? 1 : 0;
        set => Flags = value == 0 ? Flags & ~FlowFlags.ClientIsB : Flags | FlowFlags.ClientIsB;
    }
}

/// <summary>One direction of a flow, one cache line. See <see cref="FlowEntry"/>.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct FlowDirection
{
    public const int Size = 64;

    /// <summary>Where the interval's part begins.</summary>
    public const int IntervalOffset = 16;

    /// <summary>Time of the last packet in nanoseconds; 0 before the first.</summary>
    public long Last;

    /// <summary>Highest sequence number after a segment.</summary>
    public uint SequenceEnd;

    /// <summary>Numbers of the devices that last sent and received, 0 for none.</summary>
    public ushort Sender;

    /// <summary>See <see cref="Sender"/>.</summary>
    public ushort Receiver;

    public uint Bytes;
    public ushort Retransmissions;
    public ushort Syns;
    public ushort SynAcks;
    public ushort Fins;
    public ushort Resets;
    private readonly ushort _unused;
    public fixed ushort Sizes[8];
    public fixed ushort Gaps[8];
}

[Flags]
internal enum FlowFlags : ushort
{
    None = 0,
    ClientIsB = 1,

    /// <summary>Had a packet from A in this interval; shifted left by one: from B.</summary>
    TouchedA = 2,
    TouchedB = 4,

    /// <summary>A SYN was seen, and neither data nor an end since.</summary>
    Open = 8,

    /// <summary>The SYN has had no answer.</summary>
    Pending = 16,

    /// <summary>A FIN came from A; shifted left by one: from B.</summary>
    FinA = 32,
    FinB = 64,
    Reset = 128,

    /// <summary>The sequence end of A is known; shifted left by one: of B.</summary>
    SequenceA = 256,
    SequenceB = 512,

    /// <summary>Both sides have spoken.</summary>
    Answered = 1024,

    /// <summary>A counter has carried over.</summary>
    Carried = 2048,

    /// <summary>Ports of DHCP.</summary>
    Dhcp = 4096,

    /// <summary>The begin of a connection or its answer was seen: the client is known, not guessed.</summary>
    Begun = 8192,

    /// <summary>Packets from A are counted for their devices one by one in this interval; shifted left by one: from B.</summary>
    SingleA = 16384,
    SingleB = 32768,
}

/// <summary>Names of the counters that carry over.</summary>
internal static class FlowCounter
{
    public const int Bytes = 0;
    public const int Retransmissions = 1;
    public const int Syns = 2;
    public const int SynAcks = 3;
    public const int Fins = 4;
    public const int Resets = 5;
    public const int Sizes = 6;
    public const int Gaps = 14;

    /// <summary>Counters of one direction.</summary>
    public const int Count = 22;
}
