using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Devices;

/// <summary>
/// What the lanes know of a device from earlier events. It lives in cells of the device like a condition's state, so it is stored and restored
/// with them; conditions only read it. Where the device is and what its SIM does is brought up to date before conditions are asked; what a
/// condition may want to compare with (sender, way, last authentication) afterwards. One lane at a time.
/// <code>
/// cell 0      state of the SIM's session: 0 unknown, 1 attached, 2 detached
/// cell 1      since when (end of the period that told it); 0 never told
/// cell 2, 3   SIM's address and its network, as hashes; 0 never told
/// cell 4      when the address was told
/// cell 5-8    cell, up to 32 characters of ASCII
/// cell 9-12   site, the same
/// cell 13-16  place that messages state, the same
/// cell 17     way of the last message, as a hash
/// cell 18     address of the last message, as a hash
/// cell 19     network of the last successful authentication, as a hash
/// cell 20     client of the last successful authentication, as a hash
/// cell 21     arrival time of the last successful authentication
/// cell 22…    what the timeline keeps, see there
/// </code>
/// </summary>
internal readonly struct DeviceFacts(long[]? cells, int offset)
{
    public const int Cells = OrderFrom + OrderCells;

    /// <summary>Cells that the timeline keeps here.</summary>
    public const int OrderCells = 17;

    /// <summary>The one of them that is the usual distance between live messages.</summary>
    public const int OrderCadence = 4;

    private const int OrderFrom = 22;
    private const int PlaceCells = Places.Longest / sizeof(long);

    public bool IsEmpty => cells is null;

    /// <summary>One of <see cref="SimSessions"/>.</summary>
    public string Session => Cell(0) switch
    {
        1 => SimSessions.Attached,
        2 => SimSessions.Detached,
        _ => SimSessions.Unknown,
    };

    public long SessionAt => Cell(1);

    public ulong SimAddress => (ulong)Cell(2);

    public ulong SimNetwork => (ulong)Cell(3);

    public long SimAddressAt => Cell(4);

    /// <summary>Usual distance between live messages, milliseconds; 0 when unknown.</summary>
    public long Cadence => Cell(OrderFrom + OrderCadence);

    public ulong LastSource => (ulong)Cell(18);

    public ulong LastNetwork => (ulong)Cell(19);

    public ulong LastClient => (ulong)Cell(20);

    public long LastAuthentication => Cell(21);

    public ulong LastPath => (ulong)Cell(17);

    /// <summary>What the timeline keeps here.</summary>
    public Span<long> Order => cells is null ? default : cells.AsSpan(offset + OrderFrom, OrderCells);

    /// <summary>Where the SIM is, site and cell, as a hash; 0 when never told.</summary>
    public ulong SimPlace
    {
        get
        {
            if (cells is null || (Cell(5) == 0 && Cell(9) == 0))
            {
                return 0;
            }

            return HashOf(cells.AsSpan(offset + 5, 2 * PlaceCells));
        }
    }

    /// <summary>The SIM's cell; allocates.</summary>
    public string? SimCell => Text(5);

    /// <summary>The SIM's site; allocates.</summary>
    public string? SimSite => Text(9);

    public void Take(SimFactEvent fact, in SourceKey address)
    {
        if (cells is null)
        {
            return;
        }

        var at = fact.To.ToUnixTimeMilliseconds();
        if (fact.Session != SimSessions.Unknown && at >= Cell(1))
        {
            (cells[offset], cells[offset + 1]) = (fact.Session == SimSessions.Attached ? 1 : 2, at);
        }

        if (fact.Address is not null && at >= Cell(4))
        {
            (cells[offset + 2], cells[offset + 3], cells[offset + 4]) = ((long)address.Hash, (long)address.Network, at);
        }

        Write(5, fact.Cell);
        Write(9, fact.Site);
    }

    public void TakePlace(string? place)
    {
        if (cells is not null)
        {
            Write(13, place);
        }
    }

    public void TakeSender(in SourceKey source, ulong path)
    {
        if (cells is not null)
        {
            cells[offset + 17] = path == 0 ? cells[offset + 17] : (long)path;
            cells[offset + 18] = (long)source.Hash;
        }
    }

    public void TakeAuthentication(in SourceKey source, ulong client, long at)
    {
        if (cells is not null)
        {
            (cells[offset + 19], cells[offset + 20], cells[offset + 21]) = ((long)source.Network, (long)client, at);
        }
    }

    /// <summary>Where the device is: what messages say, else site, else cell.</summary>
    /// <param name="known">Texts made before, by their cells' hash, so that none is made anew.</param>
    public string? Place(Dictionary<ulong, string> known)
    {
        var at = Cell(13) != 0 ? 13 : Cell(9) != 0 ? 9 : 5;
        if (Cell(at) == 0)
        {
            return null;
        }

        var hash = HashOf(cells.AsSpan(offset + at, PlaceCells));
        if (!known.TryGetValue(hash, out var text) || !Is(at, text))
        {
            if (known.Count > 65_536)
            {
                known.Clear();
            }

            known[hash] = text = Text(at)!;
        }

        return text;
    }

    private static ulong HashOf(ReadOnlySpan<long> text)
    {
        var hash = StableHash.Start;
        foreach (var part in text)
        {
            hash = StableHash.Add(hash, (ulong)part);
        }

        return hash;
    }

    private long Cell(int index) => cells is null ? 0 : cells[offset + index];

    private bool Is(int at, string text)
    {
        Span<byte> bytes = stackalloc byte[Places.Longest];
        bytes.Clear();
        Encoding.ASCII.GetBytes(text, bytes);
        return System.Runtime.InteropServices.MemoryMarshal.AsBytes(cells.AsSpan(offset + at, PlaceCells)).SequenceEqual(bytes);
    }

    private string? Text(int at)
    {
        if (Cell(at) == 0)
        {
            return null;
        }

        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(cells.AsSpan(offset + at, PlaceCells));
        var end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private void Write(int at, string? text)
    {
        // A name that is none is not believed; the last one stays.
        if (text is null || !Places.IsName(text))
        {
            return;
        }

        var room = System.Runtime.InteropServices.MemoryMarshal.AsBytes(cells.AsSpan(offset + at, PlaceCells));
        room.Clear();
        Encoding.ASCII.GetBytes(text, room);
    }

    /// <summary>Makes room for the facts in a device's plan. Never says anything.</summary>
    internal sealed class Room : ICondition
    {
        int ICondition.Cells => DeviceFacts.Cells;

        public long QuietAfter => 0;

        public bool Concerns(in Signal signal) => false;

        public Verdict Step(Span<long> state, in Signal signal) => Verdict.None;

        public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => throw new InvalidOperationException("Facts claim nothing.");
    }
}
