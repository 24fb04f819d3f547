namespace Sekisho.Detection.Thresholds;

/// <summary>
/// Both tails of a stream whose neighbouring values depend on each other: it learns the largest and the smallest value of each block, and a
/// chance is that of a block divided by its length. One lane at a time.
/// <code>cell 0 values in the block so far   cell 1 largest   cell 2 smallest (bits)   then the upper tail, then the lower tail (negated)</code>
/// </summary>
internal readonly ref struct TwoTails(Span<long> cells, int block)
{
    /// <summary>Length of the state.</summary>
    public const int Cells = 3 + (2 * Tail.Cells);

    private readonly Span<long> _cells = cells;

    /// <summary>Blocks learnt, less what has faded.</summary>
    public long Blocks => Upper.Count;

    private Tail Upper => new(_cells.Slice(3, Tail.Cells));

    private Tail Lower => new(_cells.Slice(3 + Tail.Cells, Tail.Cells));

    /// <summary>Chance of a value as far out as this, on either side.</summary>
    public double Chance(double value, double resolution) =>
        Math.Min(1, 2 * Math.Min(Upper.Above(value, resolution), Lower.Above(-value, resolution)) / block);

    public void Observe(double value)
    {
        var count = _cells[0];
        _cells[1] = BitConverter.DoubleToInt64Bits(count == 0 ? value : Math.Max(value, BitConverter.Int64BitsToDouble(_cells[1])));
        _cells[2] = BitConverter.DoubleToInt64Bits(count == 0 ? value : Math.Min(value, BitConverter.Int64BitsToDouble(_cells[2])));
        if (++count < block)
        {
            _cells[0] = count;
            return;
        }

        _cells[0] = 0;
        Upper.Observe(BitConverter.Int64BitsToDouble(_cells[1]));
        Lower.Observe(-BitConverter.Int64BitsToDouble(_cells[2]));
    }

    /// <summary>Lets the past count half once more than <paramref name="most"/> blocks count.</summary>
    public void Fade(long most)
    {
        if (Blocks > most)
        {
            Upper.Halve();
            Lower.Halve();
        }
    }
}
