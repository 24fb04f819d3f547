using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>Settings "Response:Webhook".</summary>
public sealed class WebhookSettings : IValidatableObject
{
    /// <summary>How long a receiver may take to answer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00", ErrorMessage = "Give 00:00:01 to 00:05:00.")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Internal networks that receivers may be in, such as "10.1.0.0/16"; none as shipped, so that webhooks reach the public internet only.</summary>
    public string[] InternalNetworks { get; set; } = [];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => InternalNetworks
        .Where(n => !IPNetwork.TryParse(n, out _))
        .Select(n => new ValidationResult($"'{n}' is no network; give its first address and its length, such as 10.1.0.0/16 or fd00:1::/32.", [nameof(InternalNetworks)]));
}
