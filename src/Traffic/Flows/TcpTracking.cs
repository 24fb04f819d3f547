using System.Runtime.CompilerServices;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Flows;

/// <summary>Follows connections by flags and sequence numbers.</summary>
/// <remarks>
/// A segment was sent again when it ends at or below the highest sequence number seen in its direction. Not counted: segments without payload (among them a repeated SYN),
/// a single byte right below the highest number (a keep-alive), and what comes within 3 ms of the packet before it (two segments that overtook each other, or a mirror that shows a frame twice).
/// Distances are taken modulo 2^32; more than 1 GiB back, the largest window that TCP knows (RFC 7323, 2.3), is no repetition but other numbers.
/// A connection has failed when it was reset before any data, or when its SYN stays without answer. An acknowledgement by the client tells of an answer that a one-sided mirror does not show.
/// </remarks>
internal static unsafe class TcpTracking
{
    public const long ReorderNanoseconds = 3_000_000;

    private const byte Fin = 1;
    private const byte Syn = 2;
    private const byte Rst = 4;
    private const byte Ack = 16;
    private const int LargestWindow = 1 << 30;

    /// <summary>Whether a packet begins a connection.</summary>
    public static bool IsBegin(in PacketHeader header) => (header.TcpFlags & (Syn | Ack)) == Syn;

    /// <summary>Whether a packet answers the begin of a connection.</summary>
    public static bool IsAnswer(in PacketHeader header) => (header.TcpFlags & (Syn | Ack)) == (Syn | Ack);

    /// <summary>Takes a segment in. <paramref name="gap"/> is the time since the packet before it in its direction, or long.MaxValue.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TcpOutcome Follow(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header, long gap)
    {
        if ((header.TcpFlags & (Syn | Fin | Rst)) != 0)
        {
            return Signal(flow, direction, from, header, gap);
        }

        if ((flow->Flags & (FlowFlags.Open | FlowFlags.Pending)) != 0)
        {
            Proceed(flow, from, header);
        }

        return header.PayloadLength > 0 ? Segment(flow, direction, from, header, gap) : TcpOutcome.None;
    }

    private static void Proceed(FlowEntry* flow, int from, in PacketHeader header)
    {
        if (from != flow->Client || (header.TcpFlags & Ack) != 0)
        {
            flow->Flags &= ~FlowFlags.Pending;
        }

        if (header.PayloadLength > 0)
        {
            flow->Flags &= ~(FlowFlags.Open | FlowFlags.Pending);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TcpOutcome Segment(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header, long gap)
    {
        var end = header.Sequence + (uint)header.PayloadLength;
        var ahead = (int)(end - direction->SequenceEnd);
        if (ahead > 0 || ahead < -LargestWindow || (flow->Flags & Of(FlowFlags.SequenceA, from)) == 0)
        {
            direction->SequenceEnd = end;
            flow->Flags |= Of(FlowFlags.SequenceA, from);
            return TcpOutcome.None;
        }

        return gap <= ReorderNanoseconds || (header.PayloadLength == 1 && ahead == 0) ? TcpOutcome.None : TcpOutcome.Retransmitted;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TcpOutcome Signal(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header, long gap)
    {
        var outcome = TcpOutcome.None;
        if ((header.TcpFlags & Rst) != 0)
        {
            outcome = TcpOutcome.Reset;
            if ((flow->Flags & FlowFlags.Open) != 0)
            {
                outcome |= TcpOutcome.Failed;
            }

            flow->Flags = (flow->Flags & ~(FlowFlags.Open | FlowFlags.Pending)) | FlowFlags.Reset;
            return outcome;
        }

        if ((header.TcpFlags & Syn) != 0)
        {
            return (header.TcpFlags & Ack) == 0 ? Begin(flow, direction, from, header) : Answer(flow, direction, from, header);
        }

        flow->Flags = (flow->Flags & ~(FlowFlags.Open | FlowFlags.Pending)) | Of(FlowFlags.FinA, from);
        outcome = TcpOutcome.Fin;
        return header.PayloadLength > 0 ? outcome | Segment(flow, direction, from, header, gap) : outcome;
    }

    private static TcpOutcome Begin(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header)
    {
        var end = header.Sequence + 1 + (uint)header.PayloadLength;
        if (from == flow->Client && (flow->Flags & Of(FlowFlags.SequenceA, from)) != 0 && direction->SequenceEnd == end)
        {
            return TcpOutcome.Syn;
        }

        var outcome = TcpOutcome.Syn | TcpOutcome.Begun;
        if ((flow->Flags & FlowFlags.Pending) != 0)
        {
            outcome |= TcpOutcome.EarlierFailed;
        }

        flow->Flags &= ~(FlowFlags.FinA | FlowFlags.FinB | FlowFlags.Reset | FlowFlags.SequenceA | FlowFlags.SequenceB);
        flow->Flags |= FlowFlags.Open | FlowFlags.Pending | FlowFlags.Begun | Of(FlowFlags.SequenceA, from);
        direction->SequenceEnd = end;
        return outcome;
    }

    private static TcpOutcome Answer(FlowEntry* flow, FlowDirection* direction, int from, in PacketHeader header)
    {
        flow->Flags &= ~FlowFlags.Pending;
        if ((flow->Flags & FlowFlags.Open) == 0)
        {
            // The begin was not seen: who answers is the server.
            flow->Client = 1 - from;
        }

        direction->SequenceEnd = header.Sequence + 1 + (uint)header.PayloadLength;
        flow->Flags |= FlowFlags.Begun | Of(FlowFlags.SequenceA, from);
        return TcpOutcome.SynAck;
    }

    private static FlowFlags Of(FlowFlags flagOfA, int from) => (FlowFlags)((int)flagOfA << from);
}

/// <summary>What a segment meant.</summary>
[Flags]
internal enum TcpOutcome
{
    None = 0,
    Syn = 1,
    SynAck = 2,
    Fin = 4,
    Reset = 8,
    Retransmitted = 16,

    /// <summary>A connection begins; the sender is the client from now on.</summary>
    Begun = 32,

    /// <summary>The connection has failed.</summary>
    Failed = 64,

    /// <summary>The connection before this one in the same flow never had an answer.</summary>
    EarlierFailed = 128,
}
