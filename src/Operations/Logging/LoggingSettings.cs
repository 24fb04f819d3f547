using System.ComponentModel.DataAnnotations;

namespace Sekisho.Operations.Logging;

/// <summary>Settings under Operations:Logging.</summary>
internal sealed class LoggingSettings
{
    /// <summary>"text" for people, "json" for programs.</summary>
    [RegularExpression("text|json", ErrorMessage = "text or json is allowed.")]
    public string Format { get; set; } = "text";

    /// <summary>Lowest level that is written of the gateway's own logs.</summary>
    [RegularExpression("Trace|Debug|Information|Warning|Error|Critical", ErrorMessage = "Trace, Debug, Information, Warning, Error or Critical is allowed.")]
    public string Level { get; set; } = "Information";
}
