using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Sekisho.Response.Soc;

/// <summary>Settings "Response:Soc": how the history is sent to SOCs.</summary>
public sealed class SocSettings : IValidatableObject
{
    /// <summary>Name of this gateway in every event, so that several can feed one SOC; it also makes the events' identifiers unique. Empty: the machine's name.</summary>
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9._-]{0,62}|", ErrorMessage = "Give 1 to 63 letters, digits, dots, hyphens and underscores, or nothing for the machine's name.")]
    public string GatewayName { get; set; } = "";

    /// <summary>Private enterprise number in the name of the structured data (RFC 5424, 7.2.2). 32473 is the number for examples (RFC 5612); an organisation that has its own gives it here.</summary>
    [Range(1, int.MaxValue, ErrorMessage = "Give a private enterprise number from 1.")]
    public int EnterpriseNumber { get; set; } = 32473;

    /// <summary>Facility of the messages (RFC 5424, 6.2.1); 10 is security and authorisation.</summary>
    [Range(0, 23, ErrorMessage = "Give 0 to 23.")]
    public int Facility { get; set; } = 10;

    /// <summary>Internal networks that receivers of fields may be in, such as "10.1.0.0/16"; none as shipped. Receivers of the gateway itself, which maintainers set, may be anywhere.</summary>
    public string[] InternalNetworks { get; set; } = [];

    /// <summary>How often the history is looked at for something new.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00", ErrorMessage = "Give 00:00:00.05 to 00:01:00.")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection has to stay whole after the receiver's system took the bytes before they count as sent. What was sent within it is sent again after a break.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00", ErrorMessage = "Give 00:00:00 to 00:05:00.")]
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long connecting, and taking what was sent, may take before the connection is given up.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00", ErrorMessage = "Give 00:00:01 to 00:05:00.")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause after the first failed connection; it doubles with each further one.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00", ErrorMessage = "Give 00:00:00.1 to 01:00:00.")]
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Pause at most.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00", ErrorMessage = "Give 00:00:00.1 to 01:00:00.")]
    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The name in force.</summary>
    internal string Gateway => GatewayName.Length > 0 ? GatewayName : Environment.MachineName;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => InternalNetworks
        .Where(n => !IPNetwork.TryParse(n, out _))
        .Select(n => new ValidationResult($"'{n}' is no network; give its first address and its length, such as 10.1.0.0/16 or fd00:1::/32.", [nameof(InternalNetworks)]));
}
