using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Notification;

/// <summary>Settings "Response:Links": where people who get a notification find this gateway.</summary>
public sealed class LinkSettings : IValidatableObject
{
    /// <summary>Address of the management port as people reach it, such as "https://gate.example.jp:9443"; empty to name only the path.</summary>
    public string Base { get; set; } = "";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Base.Length > 0 && !(Base.Length <= 100 && Uri.TryCreate(Base, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0))
        {
            yield return new ValidationResult($"'{Base}' is no address; give one such as https://gate.example.jp:9443.", [nameof(Base)]);
        }
    }

    /// <summary>The address of something of a field, or of the gateway itself.</summary>
    internal string Of(string? fieldId, string path) => $"{Base.TrimEnd('/')}{(fieldId is null ? "/ops/v1/" : $"/api/v1/fields/{Uri.EscapeDataString(fieldId)}/")}{path}";
}
