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
