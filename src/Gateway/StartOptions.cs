using Microsoft.Extensions.Configuration;

namespace Sekisho.Gateway;

/// <summary>What the command line says.</summary>
/// <param name="DataFolder">Full path of the data folder.</param>
/// <param name="DevicePort">Port of the device listener.</param>
/// <param name="ManagementPort">Port of the management listener; another than that for devices.</param>
/// <param name="ConfigurationFile">Configuration file; null for sekisho.json in the data folder, if there is one.</param>
/// <param name="Set">Settings as Section:Key=VALUE.</param>
public sealed record StartOptions(string DataFolder, int DevicePort, int ManagementPort, string? ConfigurationFile, IReadOnlyList<string> Set)
{
    /// <summary>Builds the configuration: file, then SEKISHO__ environment variables, then --set.</summary>
    /// <returns>What could be read, and every fault of the command line and the file; whoever uses the first reports the second.</returns>
    internal (IConfigurationRoot Root, IReadOnlyList<string> Faults) Configuration()
    {
        var faults = new List<string>();
        Port("--port", DevicePort, faults);
        Port("--management-port", ManagementPort, faults);
        if (DevicePort == ManagementPort)
        {
            faults.Add($"--management-port = '{ManagementPort}': devices and management need a port each; give another than --port.");
        }

        var values = new Dictionary<string, string?>();
        foreach (var pair in Set)
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                faults.Add($"--set = '{pair}': write it as Section:Key=VALUE.");
                continue;
            }

            values[pair[..at]] = pair[(at + 1)..];
        }

        var file = ConfigurationFile ?? Path.Combine(DataFolder, "sekisho.json");
        if (!File.Exists(file))
        {
            if (ConfigurationFile is not null)
            {
                faults.Add($"--config = '{ConfigurationFile}': there is no such file.");
            }

            return (Build(null, values), faults);
        }

        try
        {
            return (Build(file, values), faults);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // The rest is checked without the file, so that all faults are told at once.
            faults.Add($"{file}: {((e as InvalidDataException)?.InnerException ?? e).Message}");
            return (Build(null, values), faults);
        }
    }

    private static IConfigurationRoot Build(string? file, Dictionary<string, string?> values)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.AddJsonFile(file, optional: false, reloadOnChange: false);
        }

        return builder.AddEnvironmentVariables("SEKISHO__").AddInMemoryCollection(values).Build();
    }

    // 0 would be a port that nobody knows, and the local port is what tells devices from management.
    private static void Port(string option, int port, List<string> faults)
    {
        if (port is < 1 or > 65_535)
        {
            faults.Add($"{option} = '{port}': give a port from 1 to 65535.");
        }
    }
}

/// <summary>What the program ends with.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>A check failed.</summary>
    public const int CheckFailed = 1;

    /// <summary>Wrong use or configuration.</summary>
    public const int WrongUse = 2;
}
