using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>Settings "Response:OnCall": how people on call acknowledge.</summary>
public sealed class OnCallSettings
{
    /// <summary>Address under which people reach the management port from where they are; empty for no links in mails.</summary>
    [RegularExpression(@"(https://[A-Za-z0-9.\-\[\]:]{1,260}(/[A-Za-z0-9._~\-/]{0,200})?)?", ErrorMessage = "Give an https address such as https://sekisho.example.jp:9443, or nothing.")]
    public string PublicAddress { get; set; } = "";

    /// <summary>How long a link acknowledges.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "7.00:00:00", ErrorMessage = "Give 00:05:00 to 7.00:00:00.")]
    public TimeSpan LinkLasts { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Requests in a minute from one source with a link that is not one, or with one and the same link.</summary>
    [Range(1, 1000, ErrorMessage = "Give 1 to 1000.")]
    public int MostPerMinute { get; set; } = 20;
}
