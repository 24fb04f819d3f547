using System.ComponentModel.DataAnnotations;

namespace Sekisho.Distribution.Connectors.Https;

/// <summary>Settings "Distribution:Https".</summary>
public sealed class HttpsSettings
{
    /// <summary>KiB of one request's body; the listener itself takes no more than 8192.</summary>
    [Range(1, 8 * 1024, ErrorMessage = "1 to 8192 (KiB) are allowed.")]
    public int RequestKiB { get; set; } = 1024;

    /// <summary>KiB of one message.</summary>
    [Range(1, 8 * 1024, ErrorMessage = "1 to 8192 (KiB) are allowed.")]
    public int MessageKiB { get; set; } = 256;

    /// <summary>Messages in one request.</summary>
    [Range(1, 10_000, ErrorMessage = "1 to 10000 (messages) are allowed.")]
    public int Batch { get; set; } = 1000;

    /// <summary>Levels of objects and arrays within one message, the message itself included.</summary>
    [Range(1, 256, ErrorMessage = "1 to 256 (levels) are allowed.")]
    public int Depth { get; set; } = 32;
}
