using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Actions.Quarantine;

/// <summary>Settings "Response:Quarantine".</summary>
public sealed class QuarantineSettings
{
    /// <summary>What becomes of the messages that wait when a quarantine ends and no person chose: "forward" lets them go, "drop" drops them.</summary>
    [RegularExpression("forward|drop", ErrorMessage = "Give forward or drop.")]
    public string AtEnd { get; set; } = QuarantineAction.Forward;
}
