namespace Sekisho.Traffic.Files;

/// <summary>What the time stamps of an interface of pcapng count.</summary>
/// <param name="Resolution">A negative power of ten or, with the highest bit set, of two, of a second.</param>
/// <param name="Offset">Seconds to be added.</param>
internal readonly record struct TickClock(byte Resolution, long Offset)
{
    private const ulong Second = 1_000_000_000;

    /// <summary>Microseconds.</summary>
    public static readonly TickClock Usual = new(6, 0);

    /// <summary>Nanoseconds since 1970; without meaning where the file's numbers do not fit.</summary>
    public long Nanoseconds(ulong ticks)
    {
        var exponent = Resolution & 0x7F;
        var time = (Resolution & 0x80) == 0 ? Decimal(ticks, exponent) : Binary(ticks, exponent);
        return unchecked((long)time + (Offset * (long)Second));
    }

    private static ulong Decimal(ulong ticks, int exponent)
    {
        const int Nano = 9;
        const int MostDigits = 19;
        if (exponent == 6)
        {
            return ticks * 1000;
        }

        return exponent <= Nano ? ticks * Power(Nano - exponent) : exponent - Nano <= MostDigits ? ticks / Power(exponent - Nano) : 0;
    }

    private static ulong Power(int exponent)
    {
        var power = 1UL;
        for (; exponent > 0; exponent--)
        {
            power *= 10;
        }

        return power;
    }

    // The product of 64 bits of ticks and a second needs 94 bits.
    private static ulong Binary(ulong ticks, int exponent) => (ulong)(((UInt128)ticks * Second) >> exponent);
}
