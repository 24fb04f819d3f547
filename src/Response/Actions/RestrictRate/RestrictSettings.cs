using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Actions.RestrictRate;

/// <summary>Settings "Response:Restrict".</summary>
public sealed class RestrictSettings
{
    /// <summary>Messages a minute that a restricted device may still send.</summary>
    [Range(0.01, 6000, ErrorMessage = "Give 0.01 to 6000.")]
    public double MessagesPerMinute { get; set; } = 6;
}
