using System.ComponentModel.DataAnnotations;
using System.Net;
using Sekisho.Storage;

namespace Sekisho.Gateway;

/// <summary>Settings of section "Gateway".</summary>
public sealed class GatewaySettings : IValidatableObject
{
    /// <summary>Address that devices connect to: "*" for all of the host's addresses, or one address.</summary>
    [Required]
    public string DeviceAddress { get; set; } = "*";

    /// <summary>Address of the management listener; loopback unless told otherwise.</summary>
    [Required]
    public string ManagementAddress { get; set; } = "127.0.0.1";

    /// <summary>Port for traffic sensors, on <see cref="DeviceAddress"/>; 0 to open none. A port of its own, because only there clients are asked for a certificate: devices pay nothing for it.</summary>
    [Range(0, 65_535)]
    public int SensorPort { get; set; }

    /// <summary>Connections that all listeners together hold open at most.</summary>
    [Range(10, 1_000_000)]
    public int MostConnections { get; set; } = 20_000;

    /// <summary>How long requests under way may take to finish at shutdown.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, address) in ((string, string)[])[(nameof(DeviceAddress), DeviceAddress), (nameof(ManagementAddress), ManagementAddress)])
        {
            if (address != "*" && !IPAddress.TryParse(address, out _))
            {
                yield return new ValidationResult($"'{address}' is no address to listen on. Give \"*\" or an IP address of this host.", [name]);
            }
        }
    }
}

/// <summary>Settings of section "Storage".</summary>
public sealed class StorageSettings : IValidatableObject
{
    /// <summary>"sqlite" for files in the data folder, "postgresql" for a server.</summary>
    [AllowedValues("sqlite", "postgresql", ErrorMessage = "allowed are sqlite and postgresql.")]
    public string Engine { get; set; } = "sqlite";

    /// <summary>Npgsql connection string for the engine postgresql.</summary>
    public string ConnectionSecret { get; set; } = "";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Engine == "postgresql" && !Database.IsPostgreSqlConnection(ConnectionSecret))
        {
            yield return new ValidationResult("the engine postgresql needs an Npgsql connection string with a host, for example Host=localhost;Database=sekisho;Username=sekisho;Password=….", [nameof(ConnectionSecret)]);
        }
    }
}
