using System.Globalization;

namespace Sekisho.History.Queries;

/// <summary>
/// Place in a list that runs from the newest to the oldest: by time, then by rank of the source, then by identifier. As text it is the cursor
/// "AT-RANK-ID", which names no content.
/// </summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Rank">Which source: higher ones come first within a millisecond.</param>
/// <param name="Id">Identifier within the source.</param>
internal readonly record struct HistoryKey(long At, int Rank, long Id) : IComparable<HistoryKey>
{
    /// <summary>Rank of received data.</summary>
    public const int Data = 0;

    /// <summary>Rank of records.</summary>
    public const int Record = 1;

    /// <summary>Before everything.</summary>
    public static readonly HistoryKey Newest = new(long.MaxValue, int.MaxValue, long.MaxValue);

    /// <summary>Reads a cursor.</summary>
    public static bool TryParse(string text, out HistoryKey key)
    {
        key = default;
        var parts = text.Split('-');
        if (parts.Length != 3
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var rank)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return false;
        }

        key = new HistoryKey(at, rank, id);
        return true;
    }

    /// <summary>The place that comes first of this one and "just before this time".</summary>
    public HistoryKey NotFrom(DateTimeOffset? end) =>
        end is { } time && time.ToUnixTimeMilliseconds() <= At ? new HistoryKey(time.ToUnixTimeMilliseconds(), int.MinValue, 0) : this;

    /// <summary>Identifier that rows of a source at this very time must be below.</summary>
    public long IdLimit(int rank) => rank < Rank ? long.MaxValue : rank > Rank ? long.MinValue : Id;

    /// <inheritdoc/>
    public int CompareTo(HistoryKey other) =>
        At != other.At ? At.CompareTo(other.At) : Rank != other.Rank ? Rank.CompareTo(other.Rank) : Id.CompareTo(other.Id);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At}-{Rank}-{Id}");
}
