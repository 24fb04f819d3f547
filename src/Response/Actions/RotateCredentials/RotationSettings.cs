using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Actions.RotateCredentials;

/// <summary>Settings "Response:Rotation".</summary>
public sealed class RotationSettings
{
    /// <summary>How long a device has to renew its secret. It learns of the order with its next token, so this should be some times the life of a token.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "365.00:00:00", ErrorMessage = "Give 00:05:00 to 365.00:00:00.")]
    public TimeSpan Within { get; set; } = TimeSpan.FromDays(3);
}
