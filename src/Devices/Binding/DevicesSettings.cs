using System.ComponentModel.DataAnnotations;

namespace Sekisho.Devices.Binding;

/// <summary>Settings of tokens and bindings (section Devices:Binding).</summary>
public sealed class BindingSettings
{
    /// <summary>How long a token lives.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "30.00:00:00")]
    public TimeSpan TokenLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>A token used within this time counts as alive when another sender asks for one; three declared intervals when those are longer.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan AliveWindow { get; set; } = TimeSpan.FromMinutes(10);
}

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
