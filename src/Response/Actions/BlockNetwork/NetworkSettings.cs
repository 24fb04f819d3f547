using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using Sekisho.Domain.Devices;

namespace Sekisho.Response.Actions.BlockNetwork;

/// <summary>Settings "Response:Network": restrictions on the network.</summary>
public sealed class NetworkSettings : IValidatableObject
{
    private const int Most = 32;

    /// <summary>What a quarantined device still reaches (update server, DNS), each as PROTOCOL ADDRESS PORT, such as "tcp 192.0.2.10 443". Addresses, no names.</summary>
    public string[] Reachable { get; set; } = [];

    /// <summary>How long a try waits for enforcers to confirm.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:00:25", ErrorMessage = "Give 00:00:01 to 00:00:25.")]
    public TimeSpan Confirmation { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a restriction on the network holds at most, also where others hold longer (Response:Leases:RestrictionLasts).</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Give 00:01:00 to 365.00:00:00.")]
    public TimeSpan Longest { get; set; } = TimeSpan.FromDays(7);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Reachable.Length > Most)
        {
            yield return new ValidationResult($"Give at most {Most} services.", [nameof(Reachable)]);
        }

        foreach (var wrong in Reachable.Where(r => Parse(r) is null))
        {
            yield return new ValidationResult($"'{wrong}' is no service; give protocol, address and port, such as tcp 192.0.2.10 443 or udp 2001:db8::35 53.", [nameof(Reachable)]);
        }
    }

    internal IReadOnlyList<ReachableService> Services() => [.. Reachable.Select(r => Parse(r)!)];

    private static ReachableService? Parse(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [("tcp" or "udp") and var protocol, var host, var port] && IPAddress.TryParse(host, out var address) && IsHost(address)
        && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? new ReachableService(address.ToString(), protocol, number)
            : null;

    private static bool IsHost(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return !IPAddress.IsLoopback(address) && !address.IsIPv4MappedToIPv6 && (bytes.Length == 4 ? bytes[0] is > 0 and < 224 : bytes[0] != 0xFF && !address.Equals(IPAddress.IPv6Any));
    }
}
