using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Sekisho.Traffic.Devices;
using Sekisho.Traffic.Flows;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Labels;
using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>Turns headers of packets into what was seen in each interval. The time is that of the packets. One caller at a time.</summary>
/// <remarks>
/// <code>
/// while (observation.Add(batch) is var taken &amp;&amp; taken &lt; batch.Length)
/// {
///     send(observation.Flush(state));
///     batch = batch[taken..];
/// }
/// </code>
/// A packet that is late by no more than <see cref="ObservationSettings.LateSeconds"/> counts for the interval that is open; one that is later still ends the interval, as the clock must have been set back.
/// An interval without packets is told when the source says that its time is over (<see cref="IsOver"/>); from a file it is left out.
/// </remarks>
public sealed unsafe class Observation : IDisposable
{
    private const int Batch = 32;
    private const int NanosecondsPerMillisecond = 1_000_000;

    private readonly ObservationSettings _settings;
    private readonly FlowTable _flows;
    private readonly DeviceTable _devices;
    private readonly FragmentTable _fragments;
    private readonly Accounts _accounts;
    private readonly Carries _carries = new();
    private readonly NativeBlock _work = new(Batch * (sizeof(FlowKey) + sizeof(FlowEntry*)));
    private readonly long _length;
    private readonly long _late;

    private long _start = long.MinValue;
    private long _sequence;
    private long _packets;
    private long _bytes;
    private long _malformed;
    private long _truncated;
    private long _unknown;

    /// <summary>Makes the tables; their memory is taken as they fill.</summary>
    public Observation(ObservationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _sequence = settings.FirstSequence;
        _length = (long)settings.IntervalLength * NanosecondsPerMillisecond;
        _late = settings.LateSeconds * 1_000_000_000L;
        _flows = new FlowTable((long)settings.FlowMemory << 20, settings.Seed);
        _devices = new DeviceTable((long)settings.DeviceMemory << 20, new LocalNetworks(settings.LocalNetworks), settings.Seed);
        _fragments = new FragmentTable(settings.Seed);
        _accounts = new Accounts(_flows, _devices, _carries);
    }

    /// <summary>Whether an interval is open, which then is to be told with <see cref="Flush"/> when the packets end.</summary>
    public bool IsOpen => _start != long.MinValue;

    /// <summary>Whether the open interval has ended at a time in nanoseconds since 1970; opens the first one.</summary>
    public bool IsOver(long now)
    {
        Open(now);
        return now - _start >= _length || now - _start < -_late;
    }

    /// <summary>Takes packets in, in the order of the batch, and returns how many: fewer than there are when the next one belongs to another interval. Then <see cref="Flush"/>, and add the rest.</summary>
    public int Add(ReadOnlySpan<PacketHeader> packets)
    {
        var taken = 0;
        fixed (PacketHeader* all = packets)
        {
            while (taken < packets.Length)
            {
                var count = Math.Min(Batch, packets.Length - taken);
                var inside = AddBatch(all + taken, count);
                taken += inside;
                if (inside < count)
                {
                    break;
                }
            }
        }

        return taken;
    }

    /// <summary>Ends the open interval and tells what was seen in it. The next begins where the next packet or <see cref="IsOver"/> says.</summary>
    /// <param name="own">What the sensor knows of itself besides the packets and the tables.</param>
    /// <exception cref="InvalidOperationException">No interval is open: neither a packet nor <see cref="IsOver"/> came since the last one.</exception>
    public IntervalFeatures Flush(SensorState? own = null)
    {
        if (!IsOpen)
        {
            throw new InvalidOperationException("No interval is open: neither a packet nor a time came since the last one.");
        }

        var end = _start + _length;
        FailUnanswered(end);
        var rows = new FlowRows();
        var omitted = TakeFlows(rows);
        var devices = DeviceRows.Take(_devices);
        Expire(end);
        var state = (own ?? new SensorState()) with
        {
            Packets = _packets,
            Bytes = _bytes,
            Malformed = _malformed,
            Truncated = _truncated,
            Unknown = _unknown,
            FlowsHeld = _flows.Count,
            FlowsLimit = _flows.Capacity,
            DevicesHeld = _devices.Count,
            DevicesLimit = _devices.Capacity,
            FlowsEvicted = _accounts.Evicted,
            FlowsOmitted = omitted,
            DevicesEvicted = _devices.Evicted,
        };
        var features = new IntervalFeatures(_sequence++, _start / NanosecondsPerMillisecond, _settings.IntervalLength, devices, rows, state);
        _packets = _bytes = _malformed = _truncated = _unknown = 0;
        _accounts.Evicted = _devices.Evicted = 0;
        _carries.Clear();
        _start = long.MinValue;
        return features;
    }

    private long TakeFlows(FlowRows rows)
    {
        var omitted = 0L;
        for (var number = _flows.Touched.Next(0, _flows.Used); number >= 0; number = _flows.Touched.Next(number + 1, _flows.Used))
        {
            var flow = _flows.Entries + number;
            if (rows.Count < _settings.FlowsPerInterval)
            {
                rows.Add(*flow, number, _carries);
            }
            else
            {
                omitted++;
            }

            _accounts.Settle(flow);
            FlowTable.ClearInterval(flow);
            _flows.Touched.Clear(number);
        }

        return omitted;
    }

    private void FailUnanswered(long now)
    {
        for (var number = _flows.Pending.Next(0, _flows.Used); number >= 0; number = _flows.Pending.Next(number + 1, _flows.Used))
        {
            var flow = _flows.Entries + number;
            if ((flow->Flags & FlowFlags.Pending) != 0)
            {
                if (now - (flow->Client == 0 ? flow->FromA.Last : flow->FromB.Last) < _settings.UnansweredSeconds * 1_000_000_000L)
                {
                    continue;
                }

                flow->Flags &= ~(FlowFlags.Pending | FlowFlags.Open);
                _accounts.Failed(flow);
            }

            _flows.Pending.Clear(number);
        }
    }

    private void Expire(long now)
    {
        var (from, to) = _flows.NextSweep();
        for (var flow = _flows.Entries + from; flow < _flows.Entries + to; flow++)
        {
            if (flow->Word != 0 && Silence.IsLonger(now, Math.Max(flow->FromA.Last, flow->FromB.Last), SilenceOf(flow) * 1_000_000_000L))
            {
                _accounts.Leave(flow);
            }
        }

        _devices.Expire(now, _settings.DeviceSeconds * 1_000_000_000L);
    }

    private int SilenceOf(FlowEntry* flow) =>
        flow->Protocol != IpProtocol.Tcp ? _settings.OtherSeconds
        : (flow->Flags & FlowFlags.Reset) != 0 || (flow->Flags & (FlowFlags.FinA | FlowFlags.FinB)) == (FlowFlags.FinA | FlowFlags.FinB) ? _settings.ClosedSeconds
        : _settings.TcpSeconds;

    /// <inheritdoc/>
    public void Dispose()
    {
        _flows.Dispose();
        _devices.Dispose();
        _work.Dispose();
    }

    private void Open(long time)
    {
        if (!IsOpen)
        {
            _start = time - (((time % _length) + _length) % _length);
        }
    }

    // In steps over the whole batch, so that the memory for each is on its way while the others are worked on; each step is a method, whose values then fit into the processor's registers.
    private int AddBatch(PacketHeader* headers, int count)
    {
        Open(headers->Timestamp);
        var keys = (FlowKey*)_work.Start;
        var found = (FlowEntry**)(keys + Batch);
        var inside = ReadKeys(headers, keys, count);
        Find(keys, found, inside);
        PrefetchDevices(keys, found, inside);
        _accounts.Add(headers, keys, found, inside);
        return inside;
    }

    // Returns how many belong to the interval.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int ReadKeys(PacketHeader* headers, FlowKey* keys, int count)
    {
        var slots = _flows.Index.Slots;
        var shift = _flows.Index.Shift;
        var seed = _settings.Seed;
        var (start, length, late) = (_start, _length, _late);
        var fragments = _fragments;
        var inside = 0;
        var bytes = 0L;
        PacketMarks marks = 0;
        for (; inside < count; inside++)
        {
            var header = headers + inside;
            if ((ulong)(header->Timestamp - start) >= (ulong)length && (header->Timestamp >= start || header->Timestamp < start - late))
            {
                break;
            }

            bytes += header->WireLength;
            marks |= header->Marks;
            keys[inside].Read(*header, fragments, seed);
            Prefetch(slots + (keys[inside].Hash >> shift));
        }

        _packets += inside;
        _bytes += bytes;
        if ((marks & (PacketMarks.Malformed | PacketMarks.Truncated | PacketMarks.Unknown)) != 0)
        {
            CountOdd(headers, inside);
        }

        return inside;
    }

    // The first entry with the hash is nearly always the one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Find(FlowKey* keys, FlowEntry** found, int count)
    {
        var index = _flows.Index;
        var entries = _flows.Entries;
        for (var i = 0; i < count; i++)
        {
            var place = keys[i].Hash >> index.Shift;
            var entry = entries + Math.Max(index.Next(keys[i].Hash, ref place), 0);
            found[i] = entry;
            Prefetch(entry);
            Prefetch(&entry->FromA + keys[i].Direction);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrefetchDevices(FlowKey* keys, FlowEntry** found, int count)
    {
        var entries = _devices.Entries;
        for (var i = 0; i < count; i++)
        {
            var direction = &found[i]->FromA + keys[i].Direction;
            Prefetch(entries + direction->Sender);
            Prefetch(entries + direction->Receiver);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CountOdd(PacketHeader* headers, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var marks = headers[i].Marks;
            _malformed += (marks & PacketMarks.Malformed) != 0 ? 1 : 0;
            _truncated += (marks & PacketMarks.Truncated) != 0 ? 1 : 0;
            _unknown += (marks & PacketMarks.Unknown) != 0 ? 1 : 0;
        }
    }

    // Only x86 offers it to managed code; elsewhere the processor's own prediction has to do.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
