using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Policies;

/// <summary>Settings "Response:Guard": how much of a field responses may disturb by themselves. What is more waits for a person.</summary>
public sealed class GuardSettings
{
    /// <summary>Share of a field's devices.</summary>
    [Range(0.001, 1.0, ErrorMessage = "Give 0.001 to 1.")]
    public double Share { get; set; } = 0.1;

    /// <summary>Devices that may be disturbed in any field, however small.</summary>
    [Range(0, 10_000, ErrorMessage = "Give 0 to 10000.")]
    public int AtLeast { get; set; } = 3;

    /// <summary>The time over which they are counted.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00", ErrorMessage = "Give 00:01:00 to 7.00:00:00.")]
    public TimeSpan Window { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many devices of a field of so many may be disturbed in the window.</summary>
    internal int Allowed(int devices) => Math.Max(AtLeast, (int)Math.Floor(Share * devices));
}
