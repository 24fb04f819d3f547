namespace Sekisho.Detection.Thresholds;

/// <summary>Rounds learnt numbers to three significant digits before they are stored: equal values give equal bytes.</summary>
internal static class Digits
{
    /// <summary>The next number of three digits that is not below.</summary>
    public static double Up(double value) => Round(value, isUp: true);

    /// <summary>The next number of three digits that is not above.</summary>
    public static double Down(double value) => Round(value, isUp: false);

    private static double Round(double value, bool isUp)
    {
        if (value == 0 || !double.IsFinite(value))
        {
            return value;
        }

        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(value))) - 2;
        // Powers of ten are exact up to 22; dividing by one gives the double nearest to the decimal.
        var power = Math.Pow(10, Math.Abs(exponent));
        var scaled = exponent >= 0 ? value / power : value * power;
        // What is a number of three digits already stays what it is.
        var nearest = Math.Round(scaled);
        var whole = Math.Abs(scaled - nearest) < 1e-9 ? nearest : isUp ? Math.Ceiling(scaled) : Math.Floor(scaled);
        return exponent >= 0 ? whole * power : whole / power;
    }
}
