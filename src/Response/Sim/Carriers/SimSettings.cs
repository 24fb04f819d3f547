using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Sim.Carriers;

/// <summary>Settings "Response:Sim": what the gateway's maintainer decides about carriers, for all fields.</summary>
public sealed class SimSettings : IValidatableObject
{
    /// <summary>How long a carrier may take for one answer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00", ErrorMessage = "Give 00:00:01 to 00:01:00.")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one try waits for an ordered state to show; then the response is tried again later.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00", ErrorMessage = "Give 00:00:00 to 00:05:00.")]
    public TimeSpan ShowsWithin { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Pause between two looks whether it shows.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00", ErrorMessage = "Give 00:00:01 to 00:01:00.")]
    public TimeSpan LookAgainAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Devices that a SIM may carry at most for a response to switch it off by itself; for one that carries more a person decides.</summary>
    [Range(1, 10_000, ErrorMessage = "Give 1 to 10000.")]
    public int MostDevices { get; set; } = 3;

    /// <summary>
    /// Carriers beside SORACOM that fields may use: base addresses, https (http on loopback only). Fields choose among these, so that nobody who
    /// may set up a field can have the gateway knock elsewhere.
    /// </summary>
    public string[] Carriers { get; set; } = [];

    /// <summary>SIMs that no response may touch, above all those of the gateway's own uplink: ICCIDs, IMSIs or carriers' identifiers.</summary>
    public string[] Forbidden { get; set; } = [];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var carrier in Carriers.Where(c => !IsBase(c)))
        {
            yield return new ValidationResult($"'{carrier}' is no base address of a carrier; give https://host[/path] without user, query and fragment (http to this machine itself only).", [nameof(Carriers)]);
        }

        foreach (var sim in Forbidden.Where(f => !SimNames.IsSimId(f)))
        {
            yield return new ValidationResult($"'{sim}' is no ICCID, IMSI or SIM identifier; give letters, digits, '-' and '_', at most 64.", [nameof(Forbidden)]);
        }
    }

    /// <summary>https, or http to this very machine, and nothing beside host, port and path.</summary>
    public static bool IsBase(string text) =>
        text.Length <= 200 && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
        && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        && url is { Host.Length: > 0, UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 };

    /// <summary>The base address as it is compared.</summary>
    public static string Normal(string address) => new Uri(address).AbsoluteUri.TrimEnd('/');
}
