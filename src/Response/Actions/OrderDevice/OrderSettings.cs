using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Actions.OrderDevice;

/// <summary>Settings "Response:Orders": what the gateway orders devices to do.</summary>
public sealed class OrderSettings
{
    /// <summary>How long a device has to fetch an order; then it is shown as not done.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ErrorMessage = "Give 00:01:00 to 30.00:00:00.")]
    public TimeSpan ValidFor { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Pause before an undo that the device did not do is ordered again.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00", ErrorMessage = "Give 00:00:10 to 01:00:00.")]
    public TimeSpan AgainAfter { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Name of what order-update has devices install.</summary>
    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$", ErrorMessage = "Give 1 to 100 letters, digits, dots, hyphens, slashes and underscores.")]
    public string UpdateArtefact { get; set; } = "firmware";

    /// <summary>Its version; "latest" for the newest that the device finds.</summary>
    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$", ErrorMessage = "Give 1 to 64 letters, digits, dots, hyphens, plus signs and underscores.")]
    public string UpdateVersion { get; set; } = "latest";
}
