using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>Settings "Response:Webhook".</summary>
public sealed class WebhookSettings
{
    /// <summary>How long a receiver may take to answer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00", ErrorMessage = "Give 00:00:01 to 00:05:00.")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);
}
