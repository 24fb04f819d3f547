using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tables;

namespace Sekisho.Traffic.Flows;

/// <summary>Ports of datagrams whose first fragment went by, for their later fragments. A newer one takes the place of an older one; a later fragment that comes before its first keeps port 0.</summary>
internal sealed class FragmentTable(ulong seed)
{
    private const int Places = 1024;

    // RFC 791 suggests 15 s for putting a datagram together, RFC 8200 sets 60 s.
    private const long LifeNanoseconds = 60_000_000_000;

    private readonly Place[] _places = new Place[Places];

    public void Follow(in PacketHeader header, ref uint source, ref uint destination)
    {
        var key = Hash.Mix(
            Hash.Of(seed, header.Source.High, header.Source.Low, header.Destination.High, header.Destination.Low, header.Protocol),
            header.Identification | (1UL << 63));
        ref var place = ref _places[key % Places];
        if ((header.Marks & PacketMarks.LaterFragment) == 0)
        {
            place = new Place(key, header.Timestamp, (ushort)source, (ushort)destination);
        }
        else if (place.Key == key && !Silence.IsLonger(header.Timestamp, place.Time, LifeNanoseconds))
        {
            source = place.Source;
            destination = place.Destination;
        }
    }

    private readonly record struct Place(ulong Key, long Time, ushort Source, ushort Destination);
}
