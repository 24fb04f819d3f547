using System.ComponentModel.DataAnnotations;

namespace Sekisho.Devices.Binding;

/// <summary>Limits on attempts to authenticate (section Devices:Attempts). Each is a rate per minute and as much at once.</summary>
public sealed class AttemptSettings
{
    /// <summary>Failed attempts from one address (IPv6: one /64 network).</summary>
    [Range(1, 1_000_000)]
    public int FailuresPerSourcePerMinute { get; set; } = 60;

    /// <summary>Failed attempts on one unique ID, from anywhere.</summary>
    [Range(1, 1_000_000)]
    public int FailuresPerIdentityPerMinute { get; set; } = 10;

    /// <summary>Attempts with the right three elements by one device.</summary>
    [Range(1, 100_000)]
    public int TokensPerDevicePerMinute { get; set; } = 20;
}
