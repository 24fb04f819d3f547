namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>
/// What goes wrong in harmless operation, for each device and 30 days unless said otherwise. Chosen before any template was judged by them, and
/// the same for all, so that no template is measured in better weather than another.
/// </summary>
internal static class Troubles
{
    /// <summary>Losses of coverage; lengths are lognormal with this median and spread, at most <see cref="LongestOutage"/>.</summary>
    public const double Outages = 4;

    public const double OutageMedianMinutes = 12;

    public const double OutageSpread = 1.3;

    public const double LongestOutage = 10 * 60;

    /// <summary>Share of backlogs that arrive twice because the acknowledgement was lost.</summary>
    public const double Twice = 0.15;

    /// <summary>Reboots: a few minutes off, a new binding, sequences from 1.</summary>
    public const double Reboots = 1.5;

    /// <summary>The clock is set wrong by up to a minute and a half and corrected within a day.</summary>
    public const double ClockSteps = 0.3;

    /// <summary>New addresses within the carrier's or provider's network.</summary>
    public const double Addresses = 6;

    /// <summary>Moves to another carrier or provider.</summary>
    public const double Carriers = 0.1;

    /// <summary>Power cuts of a place (for each place): everything there is off for ten minutes to three hours.</summary>
    public const double PowerCuts = 0.3;

    /// <summary>Gateway down (in all), two to twenty minutes.</summary>
    public const double GatewayStops = 1;

    /// <summary>Share of messages that are sent again because the answer was lost.</summary>
    public const double Retries = 0.03;

    /// <summary>Messages that are broken by a fault of the device.</summary>
    public const double Broken = 0.02;

    /// <summary>Times that a person mistypes a secret, one to three times in a row.</summary>
    public const double Mistyped = 1;

    /// <summary>Hours between renewals of a token.</summary>
    public const double RenewalHours = 12;
}
